//! The values of the fields that an envelope is known by: texts, times, authors, in every form that producers send.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::fields;
use crate::values::Key;

/// A string or null, in the field of that name; or a list of one, as Scrapy's selectors make it. A text may
/// be a list of its paragraphs.
pub(crate) struct Text(pub(crate) &'static str);

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<String>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a string in the field {}", self.0)
    }

    fn visit_unit<E: Error>(self) -> Result<Option<String>, E> {
        Ok(None)
    }

    fn visit_str<E: Error>(self, v: &str) -> Result<Option<String>, E> {
        Ok(Some(v.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Option<String>, A::Error> {
        if self.0 == "html" {
            return Err(A::Error::custom(
                "a list in the field html: send the page as one string",
            ));
        }
        let mut whole: Option<String> = None;
        while let Some(part) = seq.next_element_seed(Part(self.0))? {
            match &mut whole {
                None => whole = part,
                Some(whole) if self.0 == "text" => {
                    whole.push_str("\n\n");
                    whole.push_str(part.as_deref().unwrap_or_default());
                }
                Some(_) => {
                    return Err(A::Error::custom(format_args!(
                        "a list of several strings in the field {}",
                        self.0
                    )));
                }
            }
        }
        Ok(whole)
    }
}

/// A string or null within the list in the field of that name.
struct Part(&'static str);

impl<'de> DeserializeSeed<'de> for Part {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<String>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Part {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a string within the list in the field {}", self.0)
    }

    fn visit_unit<E: Error>(self) -> Result<Option<String>, E> {
        Ok(None)
    }

    fn visit_str<E: Error>(self, v: &str) -> Result<Option<String>, E> {
        Ok(Some(v.to_owned()))
    }
}

/// A time in the field of that name: a string, a number, or null. Whether it can be read is seen later.
pub(crate) struct Time(pub(crate) &'static str);

impl<'de> DeserializeSeed<'de> for Time {
    type Value = Option<Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<Value>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Time {
    type Value = Option<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a time, as a string or a number, in the field {}", self.0)
    }

    fn visit_unit<E: Error>(self) -> Result<Option<Value>, E> {
        Ok(None)
    }

    fn visit_str<E: Error>(self, v: &str) -> Result<Option<Value>, E> {
        Ok(Some(Value::String(v.to_owned())))
    }

    fn visit_i64<E: Error>(self, v: i64) -> Result<Option<Value>, E> {
        Ok(Some(v.into()))
    }

    fn visit_u64<E: Error>(self, v: u64) -> Result<Option<Value>, E> {
        Ok(Some(v.into()))
    }

    fn visit_f64<E: Error>(self, v: f64) -> Result<Option<Value>, E> {
        Ok(Some(v.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Option<Value>, A::Error> {
        let first = seq.next_element::<Value>()?;
        if seq.next_element::<IgnoredAny>()?.is_some() {
            return Err(A::Error::custom(format_args!(
                "a list of several times in the field {}",
                self.0
            )));
        }
        match first {
            None | Some(Value::Null) => Ok(None),
            Some(one @ (Value::String(_) | Value::Number(_))) => Ok(Some(one)),
            Some(_) => Err(A::Error::custom(format_args!(
                "no time in the list in the field {}",
                self.0
            ))),
        }
    }
}

/// Authors: a string, an object with a name, or a list of these. Names after the first `max` are passed over.
pub(crate) struct Authors {
    pub(crate) max: usize,
    /// Whether this is one element of the list already.
    pub(crate) inner: bool,
}

impl<'de> DeserializeSeed<'de> for Authors {
    type Value = Vec<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<String>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Authors {
    type Value = Vec<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or a list of strings in the field authors")
    }

    fn visit_unit<E: Error>(self) -> Result<Vec<String>, E> {
        Ok(Vec::new())
    }

    fn visit_str<E: Error>(self, v: &str) -> Result<Vec<String>, E> {
        Ok(if self.inner {
            vec![v.to_owned()]
        } else {
            fields::split_authors(v, self.max)
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<String>, A::Error> {
        if self.inner {
            return Err(A::Error::custom("a list within the list in the field authors"));
        }
        let mut names = Vec::new();
        while names.len() < self.max {
            match seq.next_element_seed(Authors {
                max: self.max,
                inner: true,
            })? {
                Some(name) => names.extend(name.into_iter().filter(|n| !n.trim().is_empty())),
                None => return Ok(names),
            }
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(names)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<String>, A::Error> {
        let mut name = None;
        while let Some(key) = map.next_key_seed(Key)? {
            if key == "name" {
                name = map.next_value_seed(Text("authors.name"))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        match name {
            Some(name) => Ok(vec![name]),
            None => Err(A::Error::custom("an author without a name in the field authors")),
        }
    }
}
