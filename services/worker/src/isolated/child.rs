//! The process that tries messages: it reads them on standard input, prepares each, and says on standard
//! output how far it is.
//!
//! What it makes of them is thrown away: the worker prepares those again that come out alive. So nothing that
//! a stranger might bring this process to say is ever stored.

use std::io::{self, BufReader, Write};
use std::time::Duration;

use copydesk_article::Stage;
use copydesk_clean::Cleaner;
use copydesk_decode::Limits;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};

use super::{Word, frame};
use crate::pool::STACK;
use crate::prepare::{self, Stages};
use crate::workspace::Workspace;

/// CPU time of one message; the cleaner's own budget ends it long before.
const CPU: Duration = Duration::from_secs(60);

/// Serves until standard input is closed.
///
/// # Errors
/// The pipes break: the worker is gone.
pub fn serve(limits: Limits, cleaner: Cleaner, abort_on: Option<String>) -> io::Result<()> {
    prepare::quiet_panics();
    limit_this_process(&cleaner);
    let stages = Stages::new(limits, cleaner, None, false, abort_on);
    std::thread::Builder::new()
        .name("clean-0".to_owned())
        .stack_size(STACK)
        .spawn(move || try_all(&stages))?
        .join()
        .unwrap_or_else(|_| Err(io::Error::other("a bug")))
}

fn try_all(stages: &Stages) -> io::Result<()> {
    let mut messages = BufReader::new(io::stdin().lock());
    let mut words = io::stdout().lock();
    let mut say = |word: Word| words.write_all(&[word as u8]).and_then(|()| words.flush());
    let mut space = Workspace::unbounded().space();
    say(Word::Ready)?;
    while let Some(message) = frame::read(&mut messages)? {
        limit_cpu();
        let mut sent = Ok(());
        stages.prepare_reporting(message, &mut space, &mut |stage: Stage| {
            sent = say(Word::of(stage));
        });
        sent?;
        say(Word::Done)?;
    }
    Ok(())
}

/// No core file, CPU time for one message, and memory for what the cleaner's budget allows.
pub(super) fn limit_this_process(cleaner: &Cleaner) {
    // Beyond what the process begins with. Twice the budget, for the allocator asks for more than it uses, and for
    // what decoding takes besides.
    let memory = 2 * cleaner.budget().peak_memory() as u64;
    // Where a sandbox forbids limits, an abort is still no other's.
    limit(Resource::Core, 0);
    limit_cpu();
    if let Some(now) = address_space() {
        limit(Resource::As, now.saturating_add(memory));
    }
}

/// CPU time for one more message.
fn limit_cpu() {
    let used = clock_gettime(ClockId::ProcessCPUTime).tv_sec;
    limit(
        Resource::Cpu,
        u64::try_from(used).unwrap_or(0).saturating_add(CPU.as_secs()),
    );
}

/// Sets the soft limit; one that is lower already stays.
fn limit(resource: Resource, to: u64) {
    let Rlimit { current, maximum } = getrlimit(resource);
    let lower = resource != Resource::Cpu && current.is_some_and(|now| now < to);
    if !lower {
        let current = Some(maximum.map_or(to, |most| most.min(to)));
        let _ = setrlimit(resource, Rlimit { current, maximum });
    }
}

/// Bytes of address space that this process has, where the system tells.
fn address_space() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmSize:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}
