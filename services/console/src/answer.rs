//! A page or a problem as HTML, or as JSON for whoever asks for that.

use axum::body::Body;
use axum::http::header::{ACCEPT, CONTENT_DISPOSITION, CONTENT_TYPE, LOCATION, RETRY_AFTER, VARY};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use maud::{Markup, html};
use serde::Serialize;
use serde_json::json;

use crate::ask::Ask;
use crate::layout::{Section, whole};
use crate::problem::Problem;

/// What a page is answered with.
pub(crate) enum Page {
    /// A page, drawn already.
    Html(String),
    /// The same for programs.
    Json(String),
    /// A change was made: look there. Programs get what was changed.
    SeeOther(String),
    /// JSON for a file of this name, which a browser saves.
    File(String, String),
    /// Bytes of this kind that never change while this program runs.
    Asset(&'static str, &'static str),
}

impl Ask {
    /// The answer to it: `data` for a program, what `draw` draws for a person.
    pub(crate) fn page<T: Serialize>(
        &self,
        section: Section,
        title: &str,
        data: &T,
        draw: impl FnOnce() -> Markup,
    ) -> Result<Page, Problem> {
        if self.json {
            return to_json(data);
        }
        Ok(Page::Html(whole(self, section, title, &draw()).into_string()))
    }

    /// The answer to a change.
    pub(crate) fn changed<T: Serialize>(&self, data: &T, see: String) -> Result<Page, Problem> {
        if self.json {
            return to_json(data);
        }
        Ok(Page::SeeOther(see))
    }
}

fn to_json<T: Serialize>(data: &T) -> Result<Page, Problem> {
    serde_json::to_string_pretty(data)
        .map(Page::Json)
        .map_err(|e| Problem::Failed(format!("the answer cannot be written as JSON: {e}")))
}

/// Whether a program asks: JSON is named in Accept and HTML is not.
pub(crate) fn wants_json(headers: &HeaderMap) -> bool {
    let accept = headers
        .get(ACCEPT)
        .and_then(|a| a.to_str().ok())
        .unwrap_or_default();
    accept.contains("application/json") && !accept.contains("text/html")
}

/// The response to a request.
pub(crate) fn respond(ask: &Ask, outcome: Result<Page, Problem>) -> Response<Body> {
    let mut response = match outcome {
        Ok(page) => shown(page),
        Err(problem) => {
            let mut response = refused(ask, &problem);
            if let Some(seconds) = problem.retry_after() {
                response.headers_mut().insert(RETRY_AFTER, seconds.into());
            }
            response
        }
    };
    response
        .headers_mut()
        .insert(VARY, HeaderValue::from_static("accept"));
    response
}

fn shown(page: Page) -> Response<Body> {
    match page {
        Page::Html(html) => text(StatusCode::OK, "text/html; charset=utf-8", html),
        Page::Json(json) => text(StatusCode::OK, "application/json", json),
        Page::File(name, json) => {
            let mut response = text(StatusCode::OK, "application/json", json);
            if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
                response.headers_mut().insert(CONTENT_DISPOSITION, value);
            }
            response
        }
        Page::Asset(kind, bytes) => text(StatusCode::OK, kind, bytes),
        Page::SeeOther(address) => {
            let mut response = text(StatusCode::SEE_OTHER, "text/plain; charset=utf-8", "");
            if let Ok(address) = HeaderValue::from_str(&address) {
                response.headers_mut().insert(LOCATION, address);
            }
            response
        }
    }
}

fn refused(ask: &Ask, problem: &Problem) -> Response<Body> {
    let words = problem.words();
    if problem.is_fault() {
        tracing::warn!(
            path = ask.path,
            user = ask.user,
            why = words.what,
            "{}",
            words.title
        );
    }
    if ask.json {
        let said = json!({"error": words.title, "detail": words.what, "mend": words.mend});
        return text(words.status, "application/json", said.to_string());
    }
    let drawn = html! {
        h1 { (words.title) }
        @if !words.what.is_empty() { p dir="auto" { (words.what) } }
        p { (words.mend) }
    };
    let page = whole(ask, Section::None, words.title, &drawn);
    text(words.status, "text/html; charset=utf-8", page.into_string())
}

fn text(status: StatusCode, kind: &'static str, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
