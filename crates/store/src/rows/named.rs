//! Enums whose values have names in the database.

/// Defines such an enum: each value with its name.
macro_rules! named {
    (
        $(#[$about:meta])* pub enum $enum:ident {
            $($(#[$about_value:meta])* $value:ident = $name:literal),+ $(,)?
        }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $enum {
            $($(#[$about_value])* $value,)+
        }

        impl $enum {
            /// Every value, in order.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$value),+];

            /// The name in the database.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$value => $name,)+
                }
            }

            /// The value of this name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|value| value.as_str() == name)
            }
        }

        impl $crate::rows::sql::Column for $enum {
            fn get(
                row: &sqlx::postgres::PgRow,
                column: impl sqlx::ColumnIndex<sqlx::postgres::PgRow>,
            ) -> Result<Self, sqlx::Error> {
                let name: &str = sqlx::Row::try_get(row, column)?;
                Self::from_name(name).ok_or_else(|| sqlx::Error::Decode(format!("{name:?} is unknown to this program").into()))
            }
        }
    };
}

pub(crate) use named;
