//! Files of settings, read so that no error quotes them: a line with a password is a line like any other.

use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use copydesk_secret::BLOT;
use copydesk_store::DatabaseUrl;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use toml::Table;

use super::{Config, ConfigError};

/// A URL is shorter; a file that is larger is another one.
const MOST_URL_BYTES: u64 = 16 << 10;

/// The path of a file that holds the database's URL. Shown only where it looks like a path: people put the
/// URL itself here.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct UrlFile(PathBuf);

impl UrlFile {
    fn is_path(&self) -> bool {
        let text = self.0.to_string_lossy();
        self.0.is_file()
            || (text.contains('/') && !text.contains(['@', '=', '?', ' ']) && !text.contains(":/"))
    }
}

impl fmt::Display for UrlFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_path() {
            self.0.display().fmt(f)
        } else {
            f.write_str(BLOT)
        }
    }
}

impl fmt::Debug for UrlFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

impl Serialize for UrlFile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for UrlFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        PathBuf::deserialize(deserializer).map(Self)
    }
}

/// The settings of a file, which are known to be settings.
pub(super) fn read(path: &Path) -> Result<Table, ConfigError> {
    let text = text(path)?;
    let bad = |e: &toml::de::Error| ConfigError::File {
        path: path.to_owned(),
        reason: explain(&text, e),
    };
    // Here the error still knows the line.
    let deserializer = toml::Deserializer::parse(&text).map_err(|e| bad(&e))?;
    Config::deserialize(deserializer).map_err(|e| bad(&e))?;
    toml::from_str(&text).map_err(|e| bad(&e))
}

/// The URL of a database, which may be absent (`Option`): what the file holds where one is named, otherwise
/// the setting itself.
pub(super) fn url_or_file<T>(url: &T, file: Option<&UrlFile>) -> Result<T, ConfigError>
where
    T: Clone + From<DatabaseUrl>,
{
    match file {
        None => Ok(url.clone()),
        Some(file) => database_url(file).map(T::from),
    }
}

/// The database's URL: all that is in a file.
fn database_url(file: &UrlFile) -> Result<DatabaseUrl, ConfigError> {
    let bad = |reason: String| ConfigError::UrlFile {
        file: file.clone(),
        reason,
    };
    let mut text = String::new();
    std::fs::File::open(&file.0)
        .and_then(|f| f.take(MOST_URL_BYTES + 1).read_to_string(&mut text))
        .map_err(|e| bad(format!("{e}; it is the path of a file that holds the URL")))?;
    let url = text.trim();
    if url.is_empty() {
        return Err(bad("it is empty".to_owned()));
    }
    if text.len() as u64 > MOST_URL_BYTES || url.lines().count() > 1 {
        return Err(bad("it holds more than one line; a URL is one".to_owned()));
    }
    let url = DatabaseUrl::from(url);
    url.check().map_err(|e| bad(e.to_string()))?;
    Ok(url)
}

fn text(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path).map_err(|reason| ConfigError::Read {
        path: PathBuf::from(path),
        reason,
    })
}

/// Where an error is and what it is, without a word of the file: the parser's own message shows the line.
pub(super) fn explain(text: &str, error: &toml::de::Error) -> String {
    let said = without_quotations(error.message());
    let Some(before) = error.span().and_then(|span| text.get(..span.start)) else {
        return said;
    };
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    format!("line {line}, column {column}: {said}")
}

/// A message of serde or TOML without what it quotes. What it expected stands last and is ours: it stays.
fn without_quotations(message: &str) -> String {
    let (said, expected) = match message.rsplit_once(", expected ") {
        Some((said, expected)) => (said, format!(", expected {expected}")),
        None => (message, String::new()),
    };
    match said.find(['"', '`', '\'']).and_then(|at| said.get(..at)) {
        Some(plain) => format!("{plain}{BLOT}{expected}"),
        None => format!("{said}{expected}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_where_and_quote_nothing() {
        for (text, place) in [
            ("[kafka]\nbrokers = hunter2\n", "line 2"),
            ("[kafka.properties]\n\"sasl.password\" = \"hunter2\n", "line 2"),
            ("[kafka.properties]\n\"sasl.password\" = hunter2 # x", "line 2"),
            ("[kafka.properties]\n\"sasl.password\" \"hunter2\"", "line 2"),
            ("[worker]\nthreads = \"hunter2\"", "line 2"),
            (
                "[worker]\nthreads = \"hunter`2, expected hunter2, expected\"",
                "line 2",
            ),
            ("[worker]\nmemory = \"hunter2\"", "line 2"),
            ("[worker]\non_lost_range = \"hunter2\"", "line 2"),
            ("[traces]\nshare = \"hunter2\"", "line 2"),
            ("[database]\nurl = [\"hunter2\"]", "line 2"),
            ("[database]\nhunter2 = 1", "line 2"),
            ("database = \"hunter2\"", "line 1"),
            ("hunter2", "line 1"),
            ("[database]\nurl = 'a'\nurl = 'hunter2'", "line 3"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("copydesk.toml");
            std::fs::write(&path, text).unwrap();
            let error = read(&path).unwrap_err();
            for said in [error.to_string(), format!("{error:?}")] {
                assert!(!said.contains("hunter2"), "{text}: {said}");
            }
            let said = error.to_string();
            assert!(said.contains(place), "{text}: {said}");
        }
    }

    #[test]
    fn a_misspelt_key_is_told_what_there_is() {
        let error = toml::from_str::<Config>("[kafka]\nbroker = 1").unwrap_err();
        let said = explain("[kafka]\nbroker = 1", &error);
        assert!(
            said.contains("unknown field") && said.contains("`brokers`"),
            "{said}"
        );
    }

    #[test]
    fn a_file_that_holds_no_url_is_not_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("url");
        for text in [
            "hunter2",
            "-----BEGIN PRIVATE KEY-----\nhunter2\n",
            "root:hunter2:19000:0\n",
            "host=db.example password=hunter2",
            "postgres://me:hunter2@db.example/x\npostgres://me:hunter2@db.example/y",
            "  \n",
        ] {
            std::fs::write(&path, text).unwrap();
            let said = database_url(&UrlFile(path.clone())).unwrap_err().to_string();
            assert!(
                said.contains("url") && !said.contains("hunter2"),
                "{text}: {said}"
            );
        }
        std::fs::write(&path, "postgres://me:hunter2@db.example/x\n").unwrap();
        let url = database_url(&UrlFile(path)).unwrap();
        assert_eq!(url.to_string(), "postgres://me:***@db.example/x");
    }

    #[test]
    fn a_url_in_place_of_a_path_is_not_quoted() {
        for text in [
            "postgres://me:hunter2@db.example/x",
            "jdbc:postgresql://db.example/hunter2",
            "host=db.example password=hunter2",
            "hunter2",
        ] {
            let file = UrlFile(text.into());
            let error = database_url(&file).unwrap_err();
            for said in [error.to_string(), format!("{error:?}"), file.to_string()] {
                assert!(!said.contains("hunter2"), "{text}: {said}");
            }
        }
        assert_eq!(
            UrlFile("/run/secrets/copydesk-url".into()).to_string(),
            "/run/secrets/copydesk-url"
        );
    }
}
