//! `copydesk isolated`, which workers and the console start: tries messages that may end a process, on its own account.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use copydesk_decode::Limits;
use copydesk_worker::IsolatedCommand;

use super::{Outcome, cleaner};
use crate::args::IsolatedArgs;
use crate::config::Config;

/// The variable by which tests have a message end the process. No setting: a worker without it has no such message.
pub(super) const ABORT_ON: &str = "COPYDESK_TEST_ABORT_ON";
/// The running program, also where its file has been replaced since.
const SELF: &str = "/proc/self/exe";

/// How a worker with these settings starts it.
pub(super) fn command(config: &Config) -> anyhow::Result<IsolatedCommand> {
    let program = match Path::new(SELF).exists() {
        true => PathBuf::from(SELF),
        false => std::env::current_exe().context("cannot tell where this program is")?,
    };
    let mut args: Vec<OsString> = vec!["isolated".into()];
    if let Some(file) = &config.clean.rules_file {
        args.extend(["--rules-file".into(), file.into()]);
    }
    let abort_on = std::env::var_os(ABORT_ON).map(|text| (ABORT_ON.into(), text));
    Ok(IsolatedCommand {
        program,
        args,
        variables: abort_on.into_iter().collect(),
    })
}

/// How the console starts it for one message.
pub(super) fn command_for_one(config: &Config) -> anyhow::Result<IsolatedCommand> {
    let mut command = command(config)?;
    command.args.push("--one".into());
    Ok(command)
}

pub(crate) fn run(args: IsolatedArgs) -> anyhow::Result<Outcome> {
    let mut config = Config::default();
    config.clean.rules_file = args.rules_file;
    if args.one {
        copydesk_worker::serve_one(
            Limits::default(),
            cleaner(&config)?,
            std::io::stdin().lock(),
            std::io::stdout().lock(),
        )?;
        return Ok(Outcome::Done);
    }
    let abort_on = std::env::var(ABORT_ON).ok();
    copydesk_worker::serve_isolated(Limits::default(), cleaner(&config)?, abort_on)?;
    Ok(Outcome::Done)
}
