//! Rows to columns: one statement a table, each column one array.
//!
//! `INSERT … SELECT … FROM unnest($1::…[], …)` with binary arrays is the fastest way into Postgres that knows
//! `ON CONFLICT` (research: streaming.md section 2). Its trap is that arrays of unequal length are filled up with
//! NULL silently: columns made by [`columns!`] take whole rows only.

/// Defines a row and its columns (a vector for each field) from one list of names and Postgres types.
macro_rules! columns {
    ($(#[$doc:meta])* $columns:ident of $row:ident $(<$life:lifetime>)? { $($column:ident: $type:ty = $pg:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub(crate) struct $row$(<$life>)? {
            $(pub(crate) $column: $type,)+
        }

        #[derive(Debug, Default)]
        pub(crate) struct $columns$(<$life>)? {
            $($column: Vec<$type>,)+
        }

        impl$(<$life>)? $columns$(<$life>)? {
            /// Names of the columns, in order.
            pub(crate) const NAMES: &'static [&'static str] = &[$(stringify!($column)),+];

            /// Postgres types of the columns, in order.
            pub(crate) const TYPES: &'static [&'static str] = &[$($pg),+];

            /// `unnest($1::int8[], …) AS r (column, …)`.
            #[allow(dead_code, reason = "columns that are written beside others have one `unnest` with them")]
            pub(crate) fn unnest() -> String {
                $crate::columns::unnest(Self::NAMES, Self::TYPES)
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

pub(crate) use columns;

/// The text of `unnest` for columns of these names and types.
pub(crate) fn unnest(names: &[&str], types: &[&str]) -> String {
    let arguments: Vec<String> = types
        .iter()
        .zip(1..)
        .map(|(t, n)| format!("${n}::{t}[]"))
        .collect();
    format!("unnest({}) AS r ({})", arguments.join(", "), list(names, ""))
}

/// `"a", "b"`: a list of columns, each name after `prefix`.
pub(crate) fn list(names: &[&str], prefix: &str) -> String {
    names
        .iter()
        .map(|n| format!("{prefix}\"{n}\""))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Between two values of a list in one string; `string_to_array` takes them apart. `unnest` cannot: it flattens
/// arrays of arrays.
pub(crate) const SEPARATOR: char = '\u{1f}';

/// Values as one string for `string_to_array`. A separator within a value (a control character that no text needs)
/// becomes a space.
pub(crate) fn joined<S: AsRef<str>>(values: impl IntoIterator<Item = S>) -> String {
    let mut all = String::new();
    for (n, value) in values.into_iter().enumerate() {
        if n > 0 {
            all.push(SEPARATOR);
        }
        all.extend(
            value
                .as_ref()
                .chars()
                .map(|c| if c == SEPARATOR { ' ' } else { c }),
        );
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_survive_the_way_through_one_string() {
        assert_eq!(joined(["a", "b\u{1f}c"]), "a\u{1f}b c");
        assert_eq!(joined(Vec::<String>::new()), "");
    }

    #[test]
    fn unnest_numbers_its_arguments() {
        assert_eq!(
            unnest(&["a", "b"], &["int8", "text"]),
            "unnest($1::int8[], $2::text[]) AS r (\"a\", \"b\")"
        );
    }
}
