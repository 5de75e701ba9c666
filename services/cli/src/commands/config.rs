//! `copydesk config print|check`.

use super::{Outcome, print};
use crate::args::ConfigCommand;
use crate::config::Config;

/// The settings have been read and checked by the time this runs.
pub(crate) fn run(config: &Config, command: &ConfigCommand) -> anyhow::Result<Outcome> {
    match command {
        ConfigCommand::Print => print(config.to_toml_without_secrets().trim_end()),
        ConfigCommand::Check => {}
    }
    Ok(Outcome::Done)
}
