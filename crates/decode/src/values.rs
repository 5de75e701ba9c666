//! JSON values of unknown fields, read as they come, within a budget and without NULs.

use std::borrow::Cow;
use std::fmt;

use copydesk_article::Reason;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::warnings::{DUPLICATE_FIELD, Warnings};
use crate::{Limits, repair};

/// What reading an envelope collects besides its fields.
pub(crate) struct Notes<'w> {
    pub(crate) warnings: &'w mut Warnings,
    pub(crate) limits: &'w Limits,
    /// Values of extra fields so far.
    pub(crate) values: usize,
    /// Set where reading was given up for another reason than the shape of the envelope.
    pub(crate) refusal: Option<(Reason, String)>,
}

impl Notes<'_> {
    /// Counts one more value of the extra fields.
    fn count<E: Error>(&mut self) -> Result<(), E> {
        self.values += 1;
        let limit = self.limits.max_extra_values;
        if self.values <= limit {
            return Ok(());
        }
        let detail = format!("the extra fields hold more than {limit} values");
        self.refusal = Some((Reason::TooLarge, detail.clone()));
        Err(E::custom(detail))
    }
}

/// A key, borrowed from the input unless it has escapes.
pub(crate) struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_borrowed_str<E: Error>(self, v: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(v))
    }

    fn visit_str<E: Error>(self, v: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(v.to_owned()))
    }
}

/// Any value. Depth is bounded by serde_json's own limit.
pub(crate) struct AnyValue<'n, 'w>(pub(crate) &'n mut Notes<'w>);

impl<'de> DeserializeSeed<'de> for AnyValue<'_, '_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.0.count()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AnyValue<'_, '_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, v: bool) -> Result<Value, E> {
        Ok(Value::Bool(v))
    }

    fn visit_i64<E: Error>(self, v: i64) -> Result<Value, E> {
        Ok(Value::Number(v.into()))
    }

    fn visit_u64<E: Error>(self, v: u64) -> Result<Value, E> {
        Ok(Value::Number(v.into()))
    }

    fn visit_f64<E: Error>(self, v: f64) -> Result<Value, E> {
        Ok(Number::from_f64(v).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, v: &str) -> Result<Value, E> {
        let mut text = v.to_owned();
        repair::extra(&mut text, self.0.warnings);
        Ok(Value::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element_seed(AnyValue(&mut *self.0))? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = map.next_key_seed(Key)? {
            let value = map.next_value_seed(AnyValue(&mut *self.0))?;
            insert(&mut object, key, value, self.0.warnings);
        }
        Ok(Value::Object(object))
    }
}

/// Puts a field among the extra ones. Of two with the same name the last one stays, as in jsonb.
pub(crate) fn insert(
    object: &mut Map<String, Value>,
    key: Cow<'_, str>,
    value: Value,
    warnings: &mut Warnings,
) {
    let mut key = key.into_owned();
    repair::extra(&mut key, warnings);
    if object.insert(key, value).is_some() {
        warnings.add(DUPLICATE_FIELD);
    }
}
