//! Messages that a worker may have died of, each tried in a process of its own before it is prepared like any other.
//!
//! In: messages that were in progress when the owner before ended without a word. Out: the same items as from
//! the pool; a message whose process dies twice is refused ([`Reason::KillsWorker`]). The worker itself never
//! prepares a message that has not come out of such a process alive. One that dies for another reason (an
//! operator's kill -9, the system's want of memory) costs its message a second try, and a worker that was
//! killed costs its messages some time: surviving proves innocence.

mod alone;
mod child;
mod frame;

use std::ffi::OsString;
use std::io::{BufWriter, Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use copydesk_article::{Message, Reason, Reject, Stage};
use copydesk_store::Item;
use tracing::{error, warn};

use crate::pool::Hand;
use crate::prepare::{Stages, Times};
use crate::workspace::{Space, Workspace};

pub use alone::{CleanedAlone, clean_alone, serve_one};
pub use child::serve;

/// Deaths after which a message is refused: the first may have another reason.
const DEATHS: usize = 2;

/// How a process is started that calls [`serve`] with the same rules.
#[derive(Debug, Clone)]
pub struct IsolatedCommand {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Its whole environment: it handles bytes of strangers, so it gets no secrets.
    pub variables: Vec<(OsString, OsString)>,
}

/// What the child says on its standard output, a byte at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Word {
    /// It has set its limits and waits for messages.
    Ready = b'r',
    Decode = b'd',
    Clean = b'c',
    Fingerprint = b'f',
    /// The message has come out alive, prepared or refused.
    Done = b'.',
}

impl Word {
    fn of(stage: Stage) -> Self {
        match stage {
            Stage::Decode => Self::Decode,
            Stage::Clean | Stage::Store => Self::Clean,
            Stage::Fingerprint => Self::Fingerprint,
        }
    }

    /// The stage that has begun, if the byte says so.
    fn stage(byte: u8) -> Option<Stage> {
        [Stage::Decode, Stage::Clean, Stage::Fingerprint]
            .into_iter()
            .find(|s| Self::of(*s) as u8 == byte)
    }
}

/// Prepares suspects.
pub(crate) struct Isolation {
    pub(crate) command: IsolatedCommand,
    pub(crate) stages: Arc<Stages>,
    pub(crate) workspace: Workspace,
    /// The process that waits for the next message: starting one takes longer than most messages.
    waiting: Mutex<Option<Process>>,
}

impl Isolation {
    pub(crate) fn new(command: IsolatedCommand, stages: Arc<Stages>, workspace: Workspace) -> Self {
        Self {
            command,
            stages,
            workspace,
            waiting: Mutex::default(),
        }
    }

    /// Prepares the messages one after the other, each after it was tried in a process of its own.
    pub(crate) fn prepare(&self, messages: Vec<Message>, hand: Hand<'_>) -> (Vec<(Item, Times)>, Space) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let mut space = self.workspace.space();
        let items = messages
            .into_iter()
            .map(|message| {
                hand.begin(message.coordinates.offset);
                space.isolate(&message);
                let tried = self.try_alone(&mut waiting, &message);
                space.keep(None);
                match tried {
                    Ok(()) => self.stages.prepare(message, &mut space),
                    Err(reject) => {
                        error!(message = %message.coordinates, detail = reject.detail, "this message ends \
                            the process that prepares it; it goes to quarantine");
                        let times = Times::none(Instant::now());
                        (
                            Item {
                                message,
                                outcome: Err(reject),
                            },
                            times,
                        )
                    }
                }
            })
            .collect();
        (items, space)
    }

    /// Prepares one message, as long as it takes, after it was tried in a process of its own.
    pub(crate) fn prepare_one(&self, message: Message) -> Item {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        match self.try_alone(&mut waiting, &message) {
            Ok(()) => self.stages.prepare(message, &mut self.workspace.space()).0,
            Err(reject) => Item {
                message,
                outcome: Err(reject),
            },
        }
    }

    /// Whether a process survives the message. The process is kept for the next one.
    fn try_alone(&self, process: &mut Option<Process>, message: &Message) -> Result<(), Reject> {
        let mut last = None;
        for _ in 0..DEATHS {
            let mut alone = match process.take().map_or_else(|| Process::start(&self.command), Ok) {
                Ok(alone) => alone,
                Err(error) => {
                    warn!(%error, "cannot start a process for messages that a worker may have died of; they \
                        are prepared without it");
                    return Ok(());
                }
            };
            match alone.survives(message) {
                Ok(()) => {
                    *process = Some(alone);
                    return Ok(());
                }
                Err(stage) => {
                    let how = alone.death();
                    warn!(message = %message.coordinates, %stage, how, "a process that prepared this message \
                        alone has died");
                    last = Some((stage, how));
                }
            }
        }
        let Some((stage, how)) = last else { return Ok(()) };
        Err(Reject::new(
            stage,
            Reason::KillsWorker,
            format!(
                "a worker died while it may have had this message; then {DEATHS} processes that prepared it \
                    alone died in this stage ({how})"
            ),
        ))
    }
}

impl IsolatedCommand {
    /// Starts the process, with no variables but its own and with pipes to and from it.
    fn start(&self) -> std::io::Result<(Child, ChildStdin, ChildStdout)> {
        let mut child = Command::new(&self.program)
            .args(&self.args)
            .env_clear()
            .envs(self.variables.iter().map(|(n, v)| (n, v)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // What an engine says at its end may quote the article.
            .stderr(Stdio::null())
            .spawn()?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(input), Some(output)) => Ok((child, input, output)),
            _ => Err(std::io::Error::other("it has no pipes")),
        }
    }
}

/// A process that prepares one message at a time.
struct Process {
    child: Child,
    messages: BufWriter<ChildStdin>,
    words: ChildStdout,
}

impl Process {
    fn start(command: &IsolatedCommand) -> std::io::Result<Self> {
        let (child, messages, words) = command.start()?;
        let mut process = Self {
            child,
            messages: BufWriter::new(messages),
            words,
        };
        match process.word() {
            Some(byte) if byte == Word::Ready as u8 => Ok(process),
            _ => Err(std::io::Error::other(format!(
                "it did not begin: {}",
                process.death()
            ))),
        }
    }

    /// Gives it the message. The error is the stage in which it died.
    fn survives(&mut self, message: &Message) -> Result<(), Stage> {
        // If it has died meanwhile, the pipe is broken, and there is no word either.
        let _ = frame::write(&mut self.messages, message).and_then(|()| self.messages.flush());
        let mut stage = Stage::Decode;
        loop {
            match self.word() {
                Some(byte) if byte == Word::Done as u8 => return Ok(()),
                Some(byte) => stage = Word::stage(byte).unwrap_or(stage),
                None => return Err(stage),
            }
        }
    }

    fn word(&mut self) -> Option<u8> {
        let mut byte = [0];
        self.words.read_exact(&mut byte).ok().map(|()| byte[0])
    }

    /// How it ended, for people.
    fn death(&mut self) -> String {
        // It says nothing any more: it is dead, or has closed its output, which it never does alive.
        let _ = self.child.kill();
        match self.child.wait() {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests;
