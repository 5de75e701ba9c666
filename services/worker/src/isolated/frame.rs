//! A message on the pipe: numbers big-endian, each piece of bytes behind its length.

use std::io::{self, Read, Write};

use chrono::{DateTime, Utc};
use copydesk_article::{Coordinates, Header, Message, Offset, Partition, Topic, TopicPartition};

/// The length that stands for "there is none".
const NONE: u32 = u32::MAX;

pub(super) fn write(pipe: &mut impl Write, message: &Message) -> io::Result<()> {
    let at = &message.coordinates;
    pipe.write_all(&at.offset.get().to_be_bytes())?;
    pipe.write_all(&at.source.partition.get().to_be_bytes())?;
    bytes(pipe, Some(at.source.topic.as_str().as_bytes()))?;
    let millis = message.timestamp.map(|t| t.timestamp_millis().to_be_bytes());
    bytes(pipe, millis.as_ref().map(<[u8; 8]>::as_slice))?;
    bytes(pipe, message.key.as_deref())?;
    bytes(pipe, message.payload.as_deref())?;
    pipe.write_all(&length(message.headers.len())?.to_be_bytes())?;
    for header in &message.headers {
        bytes(pipe, Some(header.name.as_bytes()))?;
        bytes(pipe, Some(&header.value))?;
    }
    Ok(())
}

fn bytes(pipe: &mut impl Write, piece: Option<&[u8]>) -> io::Result<()> {
    match piece {
        None => pipe.write_all(&NONE.to_be_bytes()),
        Some(piece) => {
            pipe.write_all(&length(piece.len())?.to_be_bytes())?;
            pipe.write_all(piece)
        }
    }
}

fn length(n: usize) -> io::Result<u32> {
    u32::try_from(n)
        .ok()
        .filter(|n| *n != NONE)
        .ok_or_else(|| io::Error::other("a piece of 4 GiB"))
}

/// The next message. `None`: there are no more.
pub(super) fn read(pipe: &mut impl Read) -> io::Result<Option<Message>> {
    let mut offset = [0; 8];
    match pipe.read_exact(&mut offset) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let mut partition = [0; 4];
    pipe.read_exact(&mut partition)?;
    let topic = text(piece(pipe)?.unwrap_or_default())?;
    let timestamp = match piece(pipe)? {
        None => None,
        Some(millis) => {
            let millis: [u8; 8] = millis.try_into().map_err(|_| io::Error::other("no timestamp"))?;
            DateTime::<Utc>::from_timestamp_millis(i64::from_be_bytes(millis))
        }
    };
    let key = piece(pipe)?;
    let payload = piece(pipe)?;
    let mut headers = Vec::new();
    for _ in 0..number(pipe)? {
        headers.push(Header {
            name: text(piece(pipe)?.unwrap_or_default())?,
            value: piece(pipe)?.unwrap_or_default(),
        });
    }
    Ok(Some(Message {
        coordinates: Coordinates {
            source: TopicPartition {
                topic: Topic::new(topic),
                partition: Partition::new(i32::from_be_bytes(partition)),
            },
            offset: Offset::new(i64::from_be_bytes(offset)),
        },
        timestamp,
        key,
        payload,
        headers,
    }))
}

fn number(pipe: &mut impl Read) -> io::Result<u32> {
    let mut number = [0; 4];
    pipe.read_exact(&mut number)?;
    Ok(u32::from_be_bytes(number))
}

fn piece(pipe: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let length = number(pipe)?;
    if length == NONE {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    let read = pipe.take(u64::from(length)).read_to_end(&mut bytes)?;
    if read < usize::try_from(length).unwrap_or(usize::MAX) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(bytes))
}

fn text(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes).map_err(io::Error::other)
}
