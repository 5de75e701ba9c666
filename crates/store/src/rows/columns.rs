//! Rows to columns: one statement a table, each column one array.
//!
//! `INSERT … SELECT … FROM unnest($1::…[], …)` with binary arrays is the fastest way into Postgres that knows
//! `ON CONFLICT` (research: streaming.md section 2); rows that need none go by [`mod@crate::rows::copy`]. Its trap is that arrays of unequal length are filled up with
//! NULL silently: columns made by [`columns!`] take whole rows only.

use crate::rows::values::list;

/// Defines a row of a table: its fields have the names of the columns.
macro_rules! row {
    ($(#[$doc:meta])* $row:ident $(<$life:lifetime>)? { $($column:ident: $type:ty),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub(crate) struct $row$(<$life>)? {
            $(pub(crate) $column: $type,)+
        }

        impl$(<$life>)? $row$(<$life>)? {
            /// Names of the columns, in order.
            pub(crate) const NAMES: &'static [&'static str] = &[$(stringify!($column)),+];

            /// Puts every field in order.
            #[allow(dead_code, reason = "not all rows go in by COPY")]
            pub(crate) fn put(&self, row: &mut $crate::rows::copy::CopyRow) {
                $($crate::rows::copy::CopyValue::put(&self.$column, row);)+
            }
        }
    };
}

/// Defines a row and its columns (a vector for each field) from one list of names and Postgres types.
macro_rules! columns {
    ($(#[$doc:meta])* $columns:ident of $row:ident $(<$life:lifetime>)? { $($column:ident: $type:ty = $pg:literal),+ $(,)? }) => {
        $crate::rows::columns::row! {
            $(#[$doc])*
            $row $(<$life>)? { $($column: $type),+ }
        }

        #[derive(Debug, Default)]
        pub(crate) struct $columns$(<$life>)? {
            $($column: Vec<$type>,)+
        }

        impl$(<$life>)? $columns$(<$life>)? {
            /// `unnest($1::int8[], …) AS r (column, …)`.
            pub(crate) fn unnest() -> String {
                $crate::rows::columns::unnest($row::NAMES, &[$($pg),+])
            }

            pub(crate) fn push(&mut self, row: $row$(<$life>)?) {
                $(self.$column.push(row.$column);)+
            }

            /// Binds every column in order.
            pub(crate) fn bind<'q>(
                &'q self,
                query: sqlx::query::Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments>,
            ) -> sqlx::query::Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments> {
                $(let query = query.bind(&self.$column);)+
                query
            }
        }
    };
}

pub(crate) use {columns, row};

/// The text of `unnest` for columns of these names and types.
pub(crate) fn unnest(names: &[&str], types: &[&str]) -> String {
    let arguments: Vec<String> = types
        .iter()
        .zip(1..)
        .map(|(t, n)| format!("${n}::{t}[]"))
        .collect();
    format!("unnest({}) AS r ({})", arguments.join(", "), list(names, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unnest_numbers_its_arguments() {
        assert_eq!(
            unnest(&["a", "b"], &["int8", "text"]),
            "unnest($1::int8[], $2::text[]) AS r (\"a\", \"b\")"
        );
    }
}
