//! Which lines are logged and how they look.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};
use std::str::FromStr;

use copydesk_terminal::{escape_json, is_trick};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{FilterExt as _, filter_fn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

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
    #[error("log.format is not one of auto, human, json")]
    Format,
    /// The filter cannot be read.
    #[error("log.filter cannot be read; a good one is \"info\" or \"info,copydesk_store=debug\"")]
    Filter,
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
            .ok_or(LogSetupError::Format)
    }
}

/// Starts logging to standard error.
///
/// `filter` is in the syntax of `RUST_LOG`: a level, or levels by module.
///
/// # Errors
/// [`LogSetupError::Filter`] for a filter that cannot be read, [`LogSetupError::Twice`] on a second call.
pub fn init(format: LogFormat, filter: &str) -> Result<(), LogSetupError> {
    let filter = EnvFilter::try_new(filter).map_err(|_| LogSetupError::Filter)?;
    let terminal = io::stderr().is_terminal();
    let json = match format {
        LogFormat::Auto => !terminal,
        LogFormat::Human => false,
        LogFormat::Json => true,
    };
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(move || Lines { json })
        .with_ansi(terminal);
    let lines = if json {
        lines.json().flatten_event(true).boxed()
    } else {
        lines.with_target(false).boxed()
    };
    let wanted = filter.and(filter_fn(|of| !tells_secrets(of.target())));
    let done = tracing_subscriber::registry()
        .with(lines.with_filter(wanted))
        .try_init();
    done.map_err(|e| LogSetupError::Twice(e.to_string()))
}

/// Modules of others that log what they are given, addresses with passwords and headers with tokens among it;
/// never at a level that tells of trouble, which comes back as an error.
fn tells_secrets(target: &str) -> bool {
    ["sqlx_postgres::options", "ureq", "ureq_proto", "opentelemetry"]
        .iter()
        .any(|module| target.starts_with(module))
}

/// Standard error, line by line, without what could steer a terminal or look like a further line.
struct Lines {
    json: bool,
}

impl Write for Lines {
    /// One call is one event: the subscriber writes it whole.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        io::stderr().write_all(harmless(&text, self.json).as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// The escape character stays: it begins the colours of the subscriber, which has taken it out of all else.
fn harmless(event: &str, json: bool) -> Cow<'_, str> {
    let (line, end) = match event.strip_suffix('\n') {
        Some(line) => (line, "\n"),
        None => (event, ""),
    };
    let bad = |c: char| c != '\u{1b}' && (c == '\n' || is_trick(c));
    if !line.contains(bad) {
        return Cow::Borrowed(event);
    }
    Cow::Owned(if json {
        escape_json(line).into_owned() + end
    } else {
        line.replace(bad, "\u{fffd}") + end
    })
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

    #[test]
    fn a_line_stays_a_line_and_steers_nothing() {
        let colours = "\u{1b}[33m WARN\u{1b}[0m file=a.txt\n";
        assert_eq!(harmless(colours, false), colours);
        let faked = "WARN file=a\nINFO all is well\u{202e}\u{9b}2J\r\n";
        assert_eq!(
            harmless(faked, false),
            "WARN file=a\u{fffd}INFO all is well\u{fffd}\u{fffd}2J\u{fffd}\n"
        );
        let json = "{\"file\":\"a\u{202e}\u{9b}\"}\n";
        assert_eq!(harmless(json, true), "{\"file\":\"a\\u202e\\u009b\"}\n");
    }

    #[test]
    fn modules_that_log_what_they_are_given_are_silent() {
        for target in ["sqlx_postgres::options::parse", "ureq::run", "opentelemetry_sdk"] {
            assert!(tells_secrets(target), "{target}");
        }
        assert!(!tells_secrets("copydesk_worker"));
    }
}
