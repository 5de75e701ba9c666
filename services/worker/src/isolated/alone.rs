//! One message cleaned in a process of its own, and what came of it: for a person who looks, never to be stored.
//!
//! The process has the limits of [`serve`](super::serve); whoever started it ends it when its time is over.
//! So a page that makes the cleaner slow, large or dead costs that process and nobody else.

use std::io::{self, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout};
use std::sync::mpsc;
use std::time::Duration;

use copydesk_article::{CleanArticle, Message, Reject};
use copydesk_clean::Cleaner;
use copydesk_decode::{Limits, decode};
use serde::{Deserialize, Serialize};

use super::child::limit_this_process;
use super::{IsolatedCommand, frame};
use crate::pool::STACK;
use crate::prepare;

/// Bytes that the process may answer with: an article of 4 million characters as JSON, with room for escapes.
const MOST_BYTES: u64 = 64 << 20;

/// What came of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CleanedAlone {
    /// The article as it would be stored.
    Article(Box<CleanArticle>),
    /// It would go to quarantine: the reason and what was wrong, in a sentence.
    Refused(String),
    /// The process ended, or was ended, before it had an answer: how, in words.
    Ended(String),
}

impl From<Result<CleanArticle, Reject>> for CleanedAlone {
    fn from(cleaned: Result<CleanArticle, Reject>) -> Self {
        match cleaned {
            Ok(article) => Self::Article(Box::new(article)),
            Err(reject) => Self::Refused(reject.to_string()),
        }
    }
}

/// Cleans one message in a process that `command` starts, which calls [`serve_one`]. Blocks for `patience` at the most.
///
/// # Errors
/// The process cannot be started.
pub fn clean_alone(
    command: &IsolatedCommand,
    message: Message,
    patience: Duration,
) -> io::Result<CleanedAlone> {
    let (mut child, input, output) = command.start()?;
    let (answer, answered) = mpsc::channel();
    let talk = std::thread::Builder::new()
        .name("clean-alone".to_owned())
        .spawn(move || {
            // Nobody waits any more where the time is over.
            let _ = answer.send(ask(input, output, &message));
        });
    let said = match talk {
        Ok(_) => answered.recv_timeout(patience),
        Err(error) => {
            end(&mut child);
            return Err(error);
        }
    };
    let late = matches!(said, Err(mpsc::RecvTimeoutError::Timeout));
    // Its answer is whole, or is not waited for any more.
    let how = end(&mut child);
    Ok(match said {
        Ok(Some(cleaned)) => cleaned,
        _ if late => CleanedAlone::Ended(format!("it was not done within {} s", patience.as_secs())),
        _ => CleanedAlone::Ended(format!("the process that cleaned it ended ({how})")),
    })
}

fn ask(mut input: ChildStdin, output: ChildStdout, message: &Message) -> Option<CleanedAlone> {
    // If it has died meanwhile, the pipe is broken, and there is no answer either.
    let _ = frame::write(&mut input, message).and_then(|()| input.flush());
    drop(input);
    serde_json::from_reader(BufReader::new(output.take(MOST_BYTES))).ok()
}

fn end(child: &mut Child) -> String {
    // One that has ended by itself cannot be killed any more: its own status stays.
    if !matches!(child.try_wait(), Ok(Some(_))) {
        let _ = child.kill();
    }
    match child.wait() {
        Ok(status) => status.to_string(),
        Err(error) => error.to_string(),
    }
}

/// The process: reads one message, cleans it and writes what came of it.
///
/// # Errors
/// The pipes break: whoever asked is gone.
pub fn serve_one(limits: Limits, cleaner: Cleaner, input: impl Read, output: impl Write) -> io::Result<()> {
    prepare::quiet_panics();
    limit_this_process(&cleaner);
    answer(limits, cleaner, input, output)
}

/// The same without limits.
pub(super) fn answer(
    limits: Limits,
    cleaner: Cleaner,
    mut input: impl Read,
    mut output: impl Write,
) -> io::Result<()> {
    let Some(message) = frame::read(&mut input)? else {
        return Ok(());
    };
    let cleaned = std::thread::Builder::new()
        .name("clean-0".to_owned())
        .stack_size(STACK)
        .spawn(move || decode(&message, &limits).and_then(|raw| cleaner.clean(&raw)))?
        .join()
        .map_err(|_| io::Error::other("a bug"))?;
    serde_json::to_writer(&mut output, &CleanedAlone::from(cleaned))?;
    output.flush()
}
