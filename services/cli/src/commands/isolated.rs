//! `copydesk isolated`, which a worker starts: tries messages that may have ended a worker's process, on its own account.

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

pub(crate) fn run(args: IsolatedArgs) -> anyhow::Result<Outcome> {
    let mut config = Config::default();
    config.clean.rules_file = args.rules_file;
    let abort_on = std::env::var(ABORT_ON).ok();
    copydesk_worker::serve_isolated(Limits::default(), cleaner(&config)?, abort_on)?;
    Ok(Outcome::Done)
}
