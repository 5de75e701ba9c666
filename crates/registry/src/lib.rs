//! Values that were written by a serialiser for a schema registry become JSON, or text.
//!
//! **In**: a record's value in Confluent's wire format (a zero, the schema's number in four bytes, for
//! Protobuf the message's place in its file, then the data), and a registry that answers Confluent's calls
//! (Confluent's own, Apicurio, Karapace, Redpanda). **Out**: the same value as JSON, which is decoded like
//! any other; or the text itself where the schema is a string. Avro, Protobuf and JSON Schema.
//!
//! **What may fail**: [`Refused`] says why a value cannot be read, whoever asks: a schema that the registry
//! does not have or that cannot be used, data that is not what its schema says. A registry that does not
//! answer is an outage: [`Registry::convert`] waits until it does. Nothing panics, and no message quotes a
//! value or a secret.
//!
//! The parts: [`frame`](self) reads the five bytes, `client` asks the registry, `avro` and `protobuf` hold a
//! schema and read by it. Schemas never change under their number, so each is asked for once.

mod avro;
mod client;
mod frame;
mod protobuf;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing::{info, warn};

pub use client::{Login, RegistryConfig, SetupError};

use avro::AvroReader;
use client::{Asked, Client, FetchedSchema, SchemaType};
use frame::Framed;
use protobuf::ProtobufReader;

/// Between two tries at a registry that does not answer.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How long a number that the registry did not know is not asked for again.
const UNKNOWN_FOR: Duration = Duration::from_secs(10);
/// Schemas that are kept. A producer that registers one for each message must not fill the memory.
const MOST_SCHEMAS: usize = 1_000;

/// Why a value cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The registry has no such schema, or none that can be used.
    #[error("schema {id}: {why}")]
    UnknownSchema {
        /// Its number.
        id: u32,
        /// What is wrong with it.
        why: String,
    },
    /// The data is not what its schema says.
    #[error("the value cannot be read by schema {id}: {why}")]
    Mismatch {
        /// The schema's number.
        id: u32,
        /// Where it fails, without the data.
        why: String,
    },
}

/// A schema registry, and a cache of its answers.
#[derive(Debug)]
pub struct Registry {
    client: Client,
    known: Mutex<HashMap<u32, CachedSchema>>,
    /// Held by whoever asks: others who want the same schema wait and find it.
    asking: Mutex<()>,
}

#[derive(Debug, Clone)]
enum CachedSchema {
    Schema(Arc<Reader>),
    /// It cannot be used, which does not change.
    Unusable(String),
    /// The registry did not have it then.
    Unknown(Instant),
}

/// What reads values of a schema.
#[derive(Debug)]
enum Reader {
    Avro(AvroReader),
    Protobuf(ProtobufReader),
    Json,
}

impl Registry {
    /// A registry at an address. Asks it nothing yet.
    ///
    /// # Errors
    /// [`SetupError`]: no http(s) address, or a file of certificates that cannot be used.
    pub fn new(config: &RegistryConfig) -> Result<Self, SetupError> {
        Ok(Self {
            client: Client::new(config)?,
            known: Mutex::default(),
            asking: Mutex::default(),
        })
    }

    /// Asks the registry whether it is one, and lets this login in.
    ///
    /// # Errors
    /// Why not, in a sentence.
    pub fn check(&self) -> Result<(), String> {
        self.client.check()
    }

    /// Takes a value out of its frame: as JSON, or as the text that the whole value is. `None`: it has no
    /// frame. Blocks while the registry does not answer, so not for threads of a runtime.
    ///
    /// # Errors
    /// See [`Refused`].
    pub fn convert(&self, value: &[u8]) -> Result<Option<Vec<u8>>, Refused> {
        let Some(Framed { id, data }) = Framed::read(value) else {
            return Ok(None);
        };
        let reader = self.reader(id)?;
        let read = match &*reader {
            Reader::Avro(schema) => schema.read(data),
            Reader::Protobuf(schema) => schema.read(data),
            Reader::Json => Ok(data.to_vec()),
        };
        read.map(Some).map_err(|why| Refused::Mismatch { id, why })
    }

    /// The schema of that number: as known, or from the registry, however long that takes.
    fn reader(&self, id: u32) -> Result<Arc<Reader>, Refused> {
        if let Some(known) = self.known(id) {
            return known;
        }
        let _alone = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        let mut pause = FIRST_PAUSE;
        let mut is_away = false;
        loop {
            if let Some(known) = self.known(id) {
                return known;
            }
            let known = match self.client.schema(id) {
                Asked::Found(fetched) => Self::usable(&fetched),
                Asked::Unknown => CachedSchema::Unknown(Instant::now()),
                Asked::Away(why) => {
                    if pause == FIRST_PAUSE || pause == LONGEST_PAUSE {
                        warn!(
                            schema = id,
                            why, "the schema registry does not answer; messages that need it wait"
                        );
                    }
                    is_away = true;
                    wait(pause);
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    continue;
                }
            };
            if is_away {
                info!(schema = id, "the schema registry answers again");
            }
            let mut all = self.lock();
            if all.len() >= MOST_SCHEMAS {
                all.clear();
            }
            all.insert(id, known.clone());
            drop(all);
            return answer(id, known).unwrap_or_else(|| Err(not_there(id)));
        }
    }

    fn known(&self, id: u32) -> Option<Result<Arc<Reader>, Refused>> {
        let known = self.lock().get(&id).cloned()?;
        answer(id, known)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u32, CachedSchema>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn usable(fetched: &FetchedSchema) -> CachedSchema {
        let reader = match fetched.kind {
            SchemaType::Avro => AvroReader::new(fetched).map(Reader::Avro),
            SchemaType::Protobuf => ProtobufReader::new(fetched).map(Reader::Protobuf),
            SchemaType::Json => Ok(Reader::Json),
            SchemaType::Other => Err("it is neither Avro nor Protobuf nor JSON Schema".to_owned()),
        };
        reader.map_or_else(CachedSchema::Unusable, |reader| {
            CachedSchema::Schema(Arc::new(reader))
        })
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "on a thread of the cleaning pool, whose place a spare one takes"
)]
fn wait(pause: Duration) {
    std::thread::sleep(pause);
}

/// What is known, unless it is to be asked for again.
fn answer(id: u32, known: CachedSchema) -> Option<Result<Arc<Reader>, Refused>> {
    match known {
        CachedSchema::Schema(reader) => Some(Ok(reader)),
        CachedSchema::Unusable(why) => Some(Err(Refused::UnknownSchema { id, why })),
        CachedSchema::Unknown(when) => (when.elapsed() < UNKNOWN_FOR).then(|| Err(not_there(id))),
    }
}

fn not_there(id: u32) -> Refused {
    Refused::UnknownSchema {
        id,
        why: "the registry does not have it".to_owned(),
    }
}
