//! Values of Protobuf, read by the file that they were written with.

use std::collections::HashMap;

use prost_reflect::{DescriptorPool, DynamicMessage, FileDescriptor, MessageDescriptor, SerializeOptions};
use protox::Compiler;
use protox::file::{ChainFileResolver, File, FileResolver, GoogleFileResolver};

use crate::client::FetchedSchema;
use crate::frame::message_place;

/// The schema's own name among the files; what it imports has names of its own.
const ROOT: &str = "copydesk/schema.proto";

/// A file with those that it imports.
#[derive(Debug)]
pub(crate) struct ProtobufReader {
    pool: DescriptorPool,
}

impl ProtobufReader {
    pub(crate) fn new(fetched: &FetchedSchema) -> Result<Self, String> {
        let mut files: HashMap<String, String> = fetched.references.iter().cloned().collect();
        files.insert(ROOT.to_owned(), fetched.text.clone());
        let mut resolver = ChainFileResolver::new();
        resolver.add(Sources(files));
        resolver.add(GoogleFileResolver::new());
        let mut compiler = Compiler::with_file_resolver(resolver);
        compiler
            .include_imports(true)
            .open_file(ROOT)
            .map_err(|e| format!("it is no Protobuf schema that can be used: {e}"))?;
        Ok(Self {
            pool: compiler.descriptor_pool(),
        })
    }

    /// The value as JSON, with the names that the fields have in the schema.
    pub(crate) fn read(&self, data: &[u8]) -> Result<Vec<u8>, String> {
        let (place, data) = message_place(data).ok_or("it does not say which message it is")?;
        let file = self.pool.get_file_by_name(ROOT).ok_or("the schema is gone")?;
        let message = at(&file, &place).ok_or("the schema has no such message")?;
        let value = DynamicMessage::decode(message, data).map_err(|_| "it is not what the schema says")?;
        let options = SerializeOptions::new()
            .use_proto_field_name(true)
            .stringify_64_bit_integers(false);
        let mut json = serde_json::Serializer::new(Vec::new());
        value
            .serialize_with_options(&mut json, &options)
            .map_err(|_| "it has no form in JSON")?;
        Ok(json.into_inner())
    }
}

/// The message at a place: its number in the file, then in the message around it.
fn at(file: &FileDescriptor, place: &[usize]) -> Option<MessageDescriptor> {
    let (first, inner) = place.split_first()?;
    let mut message = file.messages().nth(*first)?;
    for number in inner {
        let next = message.child_messages().nth(*number)?;
        message = next;
    }
    Some(message)
}

/// Files by the names under which others import them.
struct Sources(HashMap<String, String>);

impl FileResolver for Sources {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        match self.0.get(name) {
            Some(source) => File::from_source(name, source),
            None => Err(protox::Error::file_not_found(name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::SchemaType;

    fn reader(text: &str, references: &[(&str, &str)]) -> Result<ProtobufReader, String> {
        ProtobufReader::new(&FetchedSchema {
            kind: SchemaType::Protobuf,
            text: text.to_owned(),
            references: references
                .iter()
                .map(|(n, t)| ((*n).to_owned(), (*t).to_owned()))
                .collect(),
        })
    }

    const NEWS: &str = r#"
        syntax = "proto3";
        package news;
        import "google/protobuf/timestamp.proto";
        import "person.proto";
        message Other { string a = 1; }
        message Article {
            message Inner { string url = 1; }
            string url = 1;
            string page_text = 2;
            repeated people.Person authors = 3;
            google.protobuf.Timestamp published_at = 4;
            int64 size = 5;
        }"#;
    const PERSON: &str = r#"syntax = "proto3"; package people; message Person { string name = 1; }"#;

    #[test]
    fn a_message_becomes_json_with_the_names_of_the_schema() {
        let reader = reader(NEWS, &[("person.proto", PERSON)]).unwrap();
        // The second message of the file; url, page_text, one author, a time, a number.
        let article = b"\x02\x02\x0a\x01u\x12\x02hi\x1a\x03\x0a\x01A\x22\x06\x08\x8c\x9a\xf6\xcd\x06\x28\x07";
        let json: serde_json::Value = serde_json::from_slice(&reader.read(article).unwrap()).unwrap();
        assert_eq!(json["url"], "u");
        assert_eq!(json["page_text"], "hi");
        assert_eq!(json["authors"][0]["name"], "A");
        assert_eq!(json["size"], 7);
        assert!(json["published_at"].as_str().unwrap().starts_with("2026-03-20T"));
        // The message within the second one, and the first one.
        assert_eq!(reader.read(b"\x04\x02\x00\x0a\x01u").unwrap(), br#"{"url":"u"}"#);
        assert_eq!(reader.read(b"\x00\x0a\x01x").unwrap(), br#"{"a":"x"}"#);
    }

    #[test]
    fn what_is_no_such_message_is_refused() {
        let reader = reader(NEWS, &[("person.proto", PERSON)]).unwrap();
        for bad in [
            &b""[..],
            b"\x02",
            b"\x02\x06\x0a\x01u",
            b"\x02\x02\x0a\x09u",
            b"\x02\x02\x0f",
            b"\x0a\x01u",
        ] {
            assert!(reader.read(bad).is_err(), "{bad:?}");
        }
        assert!(self::reader(NEWS, &[]).is_err(), "an import is missing");
        assert!(self::reader("message", &[]).is_err());
    }
}
