//! Values of columns, and lists of names of columns.

use std::borrow::Cow;

use sqlx::encode::{Encode, IsNull};
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo};
use sqlx::{Postgres, Type};

/// `"a", "b"`: a list of columns, each name after `prefix`.
pub(crate) fn list(names: &[&str], prefix: &str) -> String {
    names
        .iter()
        .map(|n| format!("{prefix}\"{n}\""))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Between two values of a list in one string.
const SEPARATOR: char = '\u{1f}';

/// A `text[]`, which travels as one string where it is an element of an array itself: `unnest` flattens arrays of arrays.
/// `string_to_array` takes it apart.
#[derive(Debug, Default)]
pub(crate) struct List(String);

impl List {
    /// A separator within a value (a control character that no text needs) becomes a space.
    pub(crate) fn of<S: AsRef<str>>(values: impl IntoIterator<Item = S>) -> Self {
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
        Self(all)
    }

    /// As it travels: the values with a separator between two.
    pub(crate) fn joined(&self) -> &str {
        &self.0
    }

    /// As `string_to_array` takes it apart.
    pub(crate) fn values(&self) -> Vec<&str> {
        match self.0.as_str() {
            "" => Vec::new(),
            all => all.split(SEPARATOR).collect(),
        }
    }
}

/// A `jsonb`, which travels as its text.
#[derive(Debug)]
pub(crate) struct Json<'b>(pub(crate) Cow<'b, str>);

/// A `bytea` that may be somebody else's.
#[derive(Debug)]
pub(crate) struct Bytes<'b>(pub(crate) Cow<'b, [u8]>);

/// What they are within an array.
macro_rules! in_arrays {
    ($($type:ty as $plain:ty),+) => {$(
        impl Type<Postgres> for $type {
            fn type_info() -> PgTypeInfo {
                <$plain as Type<Postgres>>::type_info()
            }
        }

        impl Encode<'_, Postgres> for $type {
            fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
                <&$plain as Encode<'_, Postgres>>::encode(&self.0, buffer)
            }
        }

        impl PgHasArrayType for $type {
            fn array_type_info() -> PgTypeInfo {
                <&$plain as PgHasArrayType>::array_type_info()
            }
        }
    )+};
}

in_arrays!(List as str, Json<'_> as str, Bytes<'_> as [u8]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_survive_the_way_through_one_string() {
        let list = List::of(["a", "b\u{1f}c", ""]);
        assert_eq!(list.0, "a\u{1f}b c\u{1f}");
        assert_eq!(list.values(), ["a", "b c", ""]);
        assert!(List::of(Vec::<String>::new()).values().is_empty());
    }
}
