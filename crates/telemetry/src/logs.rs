//! Which lines are logged and how they look.

use std::io::IsTerminal;
use std::str::FromStr;

use tracing_subscriber::EnvFilter;

/// The shape of a log line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// Human on a terminal, JSON elsewhere.
    #[default]
    Auto,
    /// One line for people, coloured on a terminal.
    Human,
    /// One JSON object a line, for machines.
    Json,
}

impl LogFormat {
    /// The name used in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Human => "human",
            Self::Json => "json",
        }
    }
}

/// The logs could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogSetupError {
    /// The format is none of auto, human, json.
    #[error("log format {0:?} is not one of auto, human, json")]
    Format(String),
    /// The filter cannot be read.
    #[error(
        "log filter {filter:?} cannot be read: {reason}; a good one is \"info\" or \"info,copydesk_store=debug\""
    )]
    Filter {
        /// As given.
        filter: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Logs were set up before.
    #[error("logs are set up twice in one process: {0}")]
    Twice(String),
}

impl FromStr for LogFormat {
    type Err = LogSetupError;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        [Self::Auto, Self::Human, Self::Json]
            .into_iter()
            .find(|f| f.as_str() == s)
            .ok_or_else(|| LogSetupError::Format(s.to_owned()))
    }
}

/// Starts logging to standard error.
///
/// `filter` is in the syntax of `RUST_LOG`: a level, or levels by module.
///
/// # Errors
/// [`LogSetupError::Filter`] for a filter that cannot be read, [`LogSetupError::Twice`] on a second call.
pub fn init(format: LogFormat, filter: &str) -> Result<(), LogSetupError> {
    let filter = EnvFilter::try_new(filter).map_err(|e| LogSetupError::Filter {
        filter: filter.to_owned(),
        reason: e.to_string(),
    })?;
    let terminal = std::io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(terminal);
    let json = match format {
        LogFormat::Auto => !terminal,
        LogFormat::Human => false,
        LogFormat::Json => true,
    };
    let done = if json {
        builder.json().flatten_event(true).try_init()
    } else {
        builder.with_target(false).try_init()
    };
    done.map_err(|e| LogSetupError::Twice(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_parse_by_their_names() {
        for format in [LogFormat::Auto, LogFormat::Human, LogFormat::Json] {
            assert_eq!(format.as_str().parse::<LogFormat>().unwrap(), format);
        }
        assert!(
            "text"
                .parse::<LogFormat>()
                .unwrap_err()
                .to_string()
                .contains("auto, human, json")
        );
    }

    #[test]
    fn a_bad_filter_says_what_a_good_one_is() {
        let error = init(LogFormat::Human, "copydesk=loud=x").unwrap_err().to_string();
        assert!(error.contains("a good one is"), "{error}");
    }
}
