//! Why a page cannot be shown or a change not be made, and what to do about it.

use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use copydesk_store::{RetryClass, StoreError};

/// Why not.
#[derive(Debug)]
pub(crate) enum Problem {
    /// There is nothing of that name or number.
    NotFound(String),
    /// The question cannot be read.
    Bad(String),
    /// No page has this address.
    NoPage,
    /// The page has no such method.
    Method,
    /// The request is too large.
    TooLarge,
    /// It was asked for under a name that is not this console's.
    WrongHost,
    /// A change that a page elsewhere asks for.
    CrossOrigin,
    /// The peer is not the proxy that names users.
    NoProxy,
    /// The proxy names no user, or two, in this header.
    NoUser(String),
    /// Changes are off.
    ReadOnly,
    /// The login that writes may not do this.
    NeedsOwner,
    /// The article was taken down.
    TakenDown {
        /// Its number.
        article: i64,
        /// The takedown.
        takedown: i64,
        /// When.
        at: DateTime<Utc>,
    },
    /// Too many do the same at this moment.
    Busy,
    /// The store failed.
    Store(StoreError),
    /// Anything else, in words.
    Failed(String),
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What is shown of a problem.
pub(crate) struct Words {
    pub(crate) status: StatusCode,
    pub(crate) title: &'static str,
    pub(crate) what: String,
    pub(crate) mend: &'static str,
}

impl Problem {
    /// A table of more than 80 lines: what people read of each problem, at one place.
    pub(crate) fn words(&self) -> Words {
        let (status, title, mend) = match self {
            Self::NotFound(_) => (
                StatusCode::NOT_FOUND,
                "Not found",
                "Check the number or the name. Where retention is on (janitor.retention_days), old articles \
                    are dropped.",
            ),
            Self::Bad(_) => (
                StatusCode::BAD_REQUEST,
                "That question cannot be read",
                "Go back and correct it.",
            ),
            Self::NoPage => (
                StatusCode::NOT_FOUND,
                "No such page",
                "The pages are in the bar above; /openapi.json lists them for programs.",
            ),
            Self::Method => (
                StatusCode::METHOD_NOT_ALLOWED,
                "Not this way",
                "Pages are read with GET; changes are forms of their pages.",
            ),
            Self::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "Too large",
                "A message has at most 8 MiB; `copydesk clean FILE` reads it from a file.",
            ),
            Self::WrongHost => (
                StatusCode::MISDIRECTED_REQUEST,
                "Not under this name",
                "Ask for http://localhost with the port, or add the name to console.hosts.",
            ),
            Self::CrossOrigin => (
                StatusCode::FORBIDDEN,
                "This change came from another site's page",
                "Open the console itself and make the change there. Behind a proxy, let it pass on Host and \
                    Origin as they came.",
            ),
            Self::NoProxy => (
                StatusCode::FORBIDDEN,
                "Come through the proxy",
                "Only a proxy of console.proxies may say who asks.",
            ),
            Self::NoUser(_) => (
                StatusCode::FORBIDDEN,
                "Nobody is signed in",
                "Sign in at the proxy; it must set the header once, and take away one that the browser sent.",
            ),
            Self::ReadOnly => (
                StatusCode::FORBIDDEN,
                "Changes are off",
                "Set console.write_url to a login with copydesk_writer to switch them on; or use the \
                    copydesk command.",
            ),
            Self::NeedsOwner => (
                StatusCode::FORBIDDEN,
                "The login that writes may not do that",
                "Lifting a takedown needs the role copydesk_owner: give it to the login of console.write_url, or use \
                    `copydesk takedown --lift`.",
            ),
            Self::TakenDown { .. } => (
                StatusCode::GONE,
                "Taken down",
                "The log says why. `copydesk takedown --lift` and the log can lift it; the text does not \
                    come back by itself.",
            ),
            Self::Busy => (
                StatusCode::SERVICE_UNAVAILABLE,
                "Busy",
                "Others are having pages cleaned at this moment. Try again in a few seconds.",
            ),
            Self::Failed(_) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "That did not work",
                "The log of the console says more.",
            ),
            Self::Store(error) => of_store(error),
        };
        Words {
            status,
            title,
            what: self.what(),
            mend,
        }
    }

    fn what(&self) -> String {
        match self {
            Self::NotFound(what) | Self::Bad(what) | Self::Failed(what) => what.clone(),
            Self::NoUser(header) => format!("The header {header} names no user, or more than one."),
            Self::Store(error) => error.to_string(),
            Self::TakenDown {
                article,
                takedown,
                at,
            } => format!(
                "Article {article} was taken down on {} (takedown {takedown}).",
                at.format("%Y-%m-%d")
            ),
            _ => String::new(),
        }
    }

    /// Seconds after which the same may go well.
    pub(crate) const fn retry_after(&self) -> Option<u32> {
        match self {
            Self::Busy => Some(3),
            _ => None,
        }
    }

    /// Whether somebody should be told who runs the console.
    pub(crate) fn is_fault(&self) -> bool {
        self.words().status.is_server_error() && !matches!(self, Self::Busy)
    }
}

/// Whether a login lacks a right to what it asked for.
pub(crate) fn is_forbidden(error: &StoreError) -> bool {
    error.sqlstate().as_deref() == Some("42501")
}

fn of_store(error: &StoreError) -> (StatusCode, &'static str, &'static str) {
    let away = StatusCode::SERVICE_UNAVAILABLE;
    if matches!(error, StoreError::NotPossible(_)) {
        return (
            StatusCode::CONFLICT,
            "That cannot be done",
            "Look at the page again: somebody may have changed it meanwhile.",
        );
    }
    if matches!(error, StoreError::ReplicaAway(_)) {
        return (
            away,
            "The replica is away",
            "Start it, or set database.read_fallback to true. This page works again by itself.",
        );
    }
    if error.is_recovery_conflict() {
        return (
            away,
            "The replica ended the query",
            "Try again. hot_standby_feedback = on, on the replica, avoids it (docs/operations.md).",
        );
    }
    match error.sqlstate().as_deref() {
        Some("42P01" | "42703" | "42883") => (
            away,
            "The database has another schema",
            "If it is older, run `copydesk migrate` as its owner; if it is newer, start the console of that \
                release.",
        ),
        Some("42501") => (
            StatusCode::FORBIDDEN,
            "This login may not read that",
            "Give it the role: GRANT copydesk_reader TO its name. What only a writer may see needs \
                console.write_url.",
        ),
        Some("57014") => (
            away,
            "That took too long",
            "Narrow it down: fewer days, one site, one language. console.statement_timeout_ms gives it more \
                time.",
        ),
        Some("28P01" | "28000" | "3D000") => (
            away,
            "The database does not let the console in",
            "See to console.url: user, password, name of the database. `copydesk doctor` says more.",
        ),
        _ if error.class() == RetryClass::WaitForDatabase => (
            away,
            "The database is away",
            "Nothing is lost: workers wait for it too. See whether Postgres runs and whether console.url \
                names it; `copydesk doctor` says more. This page works again by itself.",
        ),
        _ if error.class() == RetryClass::RetryNow => (away, "Another change was in the way", "Try again."),
        _ => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "The database refused that",
            "`copydesk doctor` looks at the set-up; the log of the console has this error.",
        ),
    }
}
