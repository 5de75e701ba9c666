//! `copydesk config print|check`.

use super::{Outcome, cleaner, print, stream};
use crate::args::ConfigCommand;
use crate::config::Config;

/// The settings have been read and checked, each by itself, by the time this runs. What is left is what they
/// name: librdkafka's properties, the files.
pub(crate) fn run(config: &Config, command: &ConfigCommand) -> anyhow::Result<Outcome> {
    match command {
        ConfigCommand::Print => print(config.to_toml_without_secrets().trim_end()),
        ConfigCommand::Check => {
            stream(config).validate()?;
            for url in [Some(config.database_url()?), config.read_url()?]
                .into_iter()
                .flatten()
            {
                for warning in url.warnings()? {
                    tracing::warn!("{warning}");
                }
            }
            cleaner(config)?;
        }
    }
    Ok(Outcome::Done)
}
