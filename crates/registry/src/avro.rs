//! Values of Avro, read by the schema that they were written with.

use std::collections::HashSet;
use std::io::{self, Read};

use apache_avro::Schema;
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::schema::{Name, NamesRef, ResolvedSchema};
use apache_avro::types::Value as AvroValue;
use chrono::{DateTime, Days, NaiveDate};
use serde_json::Value;

use crate::client::FetchedSchema;

/// Bytes of one string, and of the elements of one collection, at the most: a length is read before what it
/// is the length of.
const MOST_ALLOCATED: usize = 16 << 20;
/// Types within each other. What is read is as deep as its schema, which may not refer to itself.
const MOST_LEVELS: usize = 64;

/// A schema with those that it refers to.
#[derive(Debug)]
pub(crate) struct AvroReader {
    schema: Schema,
    others: Vec<Schema>,
}

impl AvroReader {
    pub(crate) fn new(fetched: &FetchedSchema) -> Result<Self, String> {
        apache_avro::util::max_allocation_bytes(MOST_ALLOCATED);
        let references = fetched.references.iter().map(|(_, text)| text);
        let (schema, others) = Schema::parse_str_with_list(&fetched.text, references)
            .map_err(|e| format!("it is no Avro schema that can be used: {e}"))?;
        let reader = Self { schema, others };
        let names = reader.names()?;
        let walk = Walk {
            names: names.get_names(),
        };
        walk.check(&reader.schema, None, &mut HashSet::new(), 0)?;
        drop(names);
        Ok(reader)
    }

    fn names(&self) -> Result<ResolvedSchema<'_>, String> {
        ResolvedSchema::new_with_schemata(self.others.iter().chain([&self.schema]).collect())
            .map_err(|e| format!("its types cannot be put together: {e}"))
    }

    /// The value as JSON, or the text that it is.
    pub(crate) fn read(&self, data: &[u8]) -> Result<Vec<u8>, String> {
        let mut reader = Whole {
            data,
            is_short: false,
        };
        // Of an error no more than this: it may quote what was read.
        let unreadable = |_| "it is not what the schema says".to_owned();
        let value = GenericDatumReader::builder(&self.schema)
            .resolved_writer_schemata(self.names()?)
            .build()
            .and_then(|datum| datum.read_value(&mut reader))
            .map_err(unreadable)?;
        if reader.is_short {
            return Err("it ends too early".to_owned());
        }
        if !reader.data.is_empty() {
            return Err(format!("{} bytes are left over", reader.data.len()));
        }
        match value {
            AvroValue::String(text) => Ok(text.into_bytes()),
            AvroValue::Bytes(bytes) | AvroValue::Fixed(_, bytes) => Ok(bytes),
            value => serde_json::to_vec(&json(value)).map_err(|e| e.to_string()),
        }
    }
}

/// Notes whether more was asked for than there is: the crate takes a text that ends too early for null.
struct Whole<'d> {
    data: &'d [u8],
    is_short: bool,
}

impl Read for Whole<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.data.read(into)?;
        self.is_short |= read == 0 && !into.is_empty();
        Ok(read)
    }
}

/// Looks for what would let a small value take all memory or all of the stack.
struct Walk<'n, 's> {
    names: &'n NamesRef<'s>,
}

impl Walk<'_, '_> {
    /// Answers whether a value may have no bytes at all. `space`: the namespace around it; `above`: the
    /// records around it.
    fn check(
        &self,
        schema: &Schema,
        space: Option<&str>,
        above: &mut HashSet<Name>,
        level: usize,
    ) -> Result<bool, String> {
        if level > MOST_LEVELS {
            return Err(format!("its types are nested deeper than {MOST_LEVELS} levels"));
        }
        match schema {
            Schema::Null => Ok(true),
            Schema::Array(array) => {
                if self.check(&array.items, space, above, level + 1)? {
                    return Err("it has an array of elements without any bytes".to_owned());
                }
                Ok(false)
            }
            Schema::Map(map) => self.check(&map.types, space, above, level + 1).map(|_| false),
            Schema::Union(union) => {
                for variant in union.variants() {
                    self.check(variant, space, above, level + 1)?;
                }
                Ok(false)
            }
            Schema::Record(record) => {
                let name = record.name.fully_qualified_name(space).into_owned();
                if !above.insert(name.clone()) {
                    return Err("it refers to itself".to_owned());
                }
                let mut is_empty = true;
                for field in &record.fields {
                    is_empty &= self.check(&field.schema, name.namespace(), above, level + 1)?;
                }
                above.remove(&name);
                Ok(is_empty)
            }
            Schema::Fixed(fixed) => Ok(fixed.size == 0),
            Schema::Ref { name } => {
                let name = name.fully_qualified_name(space);
                let schema = self
                    .names
                    .get(&*name)
                    .ok_or("it refers to a type that is nowhere")?;
                self.check(schema, name.namespace(), above, level + 1)
            }
            _ => Ok(false),
        }
    }
}

/// The value as JSON. Times become text with their meaning, and bytes the text that they are.
fn json(value: AvroValue) -> Value {
    match value {
        AvroValue::Bytes(bytes) | AvroValue::Fixed(_, bytes) => String::from_utf8(bytes).map_or_else(
            |e| Value::String(String::from_utf8_lossy(e.as_bytes()).into_owned()),
            Value::String,
        ),
        AvroValue::Float(number) => f64::from(number).into(),
        AvroValue::Double(number) => number.into(),
        AvroValue::Union(_, inner) => json(*inner),
        AvroValue::Array(items) => items.into_iter().map(json).collect(),
        AvroValue::Map(items) => Value::Object(items.into_iter().map(|(k, v)| (k, json(v))).collect()),
        AvroValue::Record(items) => Value::Object(items.into_iter().map(|(k, v)| (k, json(v))).collect()),
        AvroValue::Date(days) => day(days).map_or(Value::Null, |d| d.to_string().into()),
        AvroValue::TimestampMillis(n) | AvroValue::LocalTimestampMillis(n) => {
            time(DateTime::from_timestamp_millis(n))
        }
        AvroValue::TimestampMicros(n) | AvroValue::LocalTimestampMicros(n) => {
            time(DateTime::from_timestamp_micros(n))
        }
        AvroValue::TimestampNanos(n) | AvroValue::LocalTimestampNanos(n) => {
            time(Some(DateTime::from_timestamp_nanos(n)))
        }
        AvroValue::Decimal(_) | AvroValue::BigDecimal(_) | AvroValue::Duration(_) => Value::Null,
        // The plain ones.
        other => Value::try_from(other).unwrap_or(Value::Null),
    }
}

fn time(time: Option<DateTime<chrono::Utc>>) -> Value {
    time.map_or(Value::Null, |t| t.to_rfc3339().into())
}

fn day(days: i32) -> Option<NaiveDate> {
    let from = NaiveDate::from_ymd_opt(1970, 1, 1)?;
    let far = Days::new(u64::from(days.unsigned_abs()));
    if days < 0 {
        from.checked_sub_days(far)
    } else {
        from.checked_add_days(far)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::SchemaType;

    fn fetched(text: &str, references: &[(&str, &str)]) -> FetchedSchema {
        FetchedSchema {
            kind: SchemaType::Avro,
            text: text.to_owned(),
            references: references
                .iter()
                .map(|(n, t)| ((*n).to_owned(), (*t).to_owned()))
                .collect(),
        }
    }

    const ARTICLE: &str = r#"{"type": "record", "name": "Article", "namespace": "news", "fields": [
        {"name": "url", "type": "string"},
        {"name": "text", "type": ["null", "string"]},
        {"name": "published_at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "authors", "type": {"type": "array", "items": "string"}},
        {"name": "day", "type": {"type": "int", "logicalType": "date"}},
        {"name": "score", "type": "double"}]}"#;

    /// "u", null, a time, ["A"], a day, NaN.
    fn value() -> Vec<u8> {
        let mut bytes = vec![2, b'u', 0];
        let mut micros = 1_774_029_900_000_000_u64 << 1;
        while micros > 0x7f {
            bytes.push((micros & 0x7f) as u8 | 0x80);
            micros >>= 7;
        }
        bytes.push(micros as u8);
        bytes.extend([2, 2, b'A', 0, 2]);
        bytes.extend(f64::NAN.to_le_bytes());
        bytes
    }

    #[test]
    fn a_record_becomes_json_with_times_that_people_read() {
        let reader = AvroReader::new(&fetched(ARTICLE, &[])).unwrap();
        let json: Value = serde_json::from_slice(&reader.read(&value()).unwrap()).unwrap();
        let expected = serde_json::json!({
            "url": "u", "text": null, "published_at": "2026-03-20T18:05:00+00:00", "authors": ["A"],
            "day": "1970-01-02", "score": null,
        });
        assert_eq!(json, expected);
    }

    #[test]
    fn what_is_cut_or_longer_than_its_schema_is_refused() {
        let reader = AvroReader::new(&fetched(ARTICLE, &[])).unwrap();
        let whole = value();
        for end in 0..whole.len() {
            assert!(reader.read(&whole[..end]).is_err(), "cut at {end}");
        }
        let longer = [&whole[..], &[0]].concat();
        assert_eq!(reader.read(&longer).unwrap_err(), "1 bytes are left over");
        let text = AvroReader::new(&fetched("\"string\"", &[])).unwrap();
        assert_eq!(text.read(&[4, b'a', b'b']), Ok(b"ab".to_vec()));
        // A length of gigabytes, and a million elements that are not there.
        assert!(text.read(&[0xff, 0xff, 0xff, 0xff, 0x0f, b'a']).is_err());
        let list = AvroReader::new(&fetched(r#"{"type": "array", "items": "int"}"#, &[])).unwrap();
        assert!(list.read(&[0xfe, 0xff, 0xff, 0xff, 0xff, 0x0f, 0]).is_err());
    }

    #[test]
    fn schemas_refer_to_others_and_not_to_themselves() {
        let person = r#"{"type": "record", "name": "Person", "namespace": "news", "fields": [{"name": "name", "type": "string"}]}"#;
        let article = r#"{"type": "record", "name": "Article", "namespace": "news", "fields": [{"name": "author", "type": "news.Person"}]}"#;
        let reader = AvroReader::new(&fetched(article, &[("news.Person", person)])).unwrap();
        let read = reader.read(&[2, b'A']).unwrap();
        assert_eq!(read, br#"{"author":{"name":"A"}}"#);
        for bad in [
            r#"{"type": "record", "name": "R", "fields": [{"name": "next", "type": ["null", "R"]}]}"#,
            r#"{"type": "array", "items": "null"}"#,
            r#"{"type": "array", "items": {"type": "record", "name": "E", "fields": []}}"#,
            r#"{"type": "record", "name": "R", "fields": [{"name": "x", "type": "Nowhere"}]}"#,
            "{",
            "",
        ] {
            assert!(AvroReader::new(&fetched(bad, &[])).is_err(), "{bad}");
        }
    }
}
