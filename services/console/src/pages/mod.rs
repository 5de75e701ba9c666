//! The pages: each asks the store, and draws what it answers with.

mod article;
pub(crate) mod clean;
mod compare;
pub(crate) mod flow;
mod flow_remarks;
mod log;
pub(crate) mod message;
pub(crate) mod quarantine;
mod report;
mod search;
mod signs;
mod site;
mod sites;
mod stories;
mod story;
mod text_of;
mod versions;

pub(crate) use article::missing as article_missing;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Extension, RawPathParams, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderValue, Response};
use axum::routing::{MethodRouter, get, post};

use crate::answer::{Page, respond};
use crate::app::App;
use crate::ask::Ask;
use crate::changes::{
    quarantine as quarantine_changes, site as site_changes, story as story_changes, takedown,
};
use crate::problem::Problem;

/// Rows of a page.
pub(crate) const ROWS: u32 = 30;
/// What comes with the program may be kept until its next release is likely to be there.
const KEPT: HeaderValue = HeaderValue::from_static("max-age=3600");

/// All addresses. `assets/openapi.json` has the same; a test holds one to the other.
pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/", reads(async |_, _| Ok(Page::SeeOther("/stories".into()))))
        .route("/stories", reads(stories::show))
        .route("/stories/{story}", reads(story::show))
        .route("/articles/{article}", reads(article::show))
        .route("/articles/{article}/versions", reads(versions::show))
        .route("/articles/{article}/wrong", reads(report::ask_for))
        .route("/articles/{article}/report", reads(report::of_article))
        .route("/compare", reads(compare::show))
        .route("/search", reads(search::show))
        .route("/quarantine", reads(quarantine::show))
        .route("/quarantine/{topic}/{partition}/{offset}", reads(message::show))
        .route("/flow", reads(flow::show))
        .route("/sites", reads(sites::show))
        .route("/sites/{site}", reads(site::show))
        .route("/clean", reads(clean::ask_for).merge(changes(clean::show)))
        .route("/clean/report", changes(report::of_page))
        .route("/log", reads(log::show))
        .route("/stories/{story}/merge", changes(story_changes::merge))
        .route("/stories/{story}/split", changes(story_changes::split))
        .route("/events/{event}/undo", changes(story_changes::undo))
        .route("/clean-events/{event}/undo", changes(story_changes::undo_clean))
        .route("/quarantine/replay", changes(quarantine_changes::replay))
        .route("/quarantine/discard", changes(quarantine_changes::discard))
        .route("/sites/{site}/say", changes(site_changes::say))
        .route("/articles/{article}/takedown", changes(takedown::take_down))
        .route("/takedowns/{takedown}/lift", changes(takedown::lift))
        .route(
            "/openapi.json",
            asset("application/json", include_str!("../../assets/openapi.json")),
        )
        .route(
            "/style.css",
            asset("text/css; charset=utf-8", include_str!("../../assets/style.css")),
        )
        .route(
            "/times.js",
            asset(
                "text/javascript; charset=utf-8",
                include_str!("../../assets/times.js"),
            ),
        )
        .route(
            "/icon.svg",
            asset("image/svg+xml", include_str!("../../assets/icon.svg")),
        )
        .fallback(async |Extension(ask): Extension<Ask>| respond(&ask, Err(Problem::NoPage)))
        .method_not_allowed_fallback(async |Extension(ask): Extension<Ask>| {
            respond(&ask, Err(Problem::Method))
        })
        .with_state(app)
}

/// A page that is read: once more where a replica went away or ended a query.
fn reads<F, Fut>(page: F) -> MethodRouter<Arc<App>>
where
    F: Fn(Arc<App>, Ask) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<Page, Problem>> + Send + 'static,
{
    let page = move |app: Arc<App>, ask: Ask| {
        let page = page.clone();
        async move {
            let mut tries = 0;
            loop {
                match page(Arc::clone(&app), ask.clone()).await {
                    Err(Problem::Store(error)) => app.router.read_again(error, &mut tries).await?,
                    outcome => return outcome,
                }
            }
        }
    };
    get(move |State(app), Extension(ask), parts| run(page, app, ask, parts))
}

/// A change, or what is too long for an address.
fn changes<F, Fut>(page: F) -> MethodRouter<Arc<App>>
where
    F: Fn(Arc<App>, Ask) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<Page, Problem>> + Send + 'static,
{
    post(move |State(app), Extension(ask), parts| run(page, app, ask, parts))
}

async fn run<F, Fut>(page: F, app: Arc<App>, mut ask: Ask, parts: RawPathParams) -> Response<Body>
where
    F: Fn(Arc<App>, Ask) -> Fut,
    Fut: Future<Output = Result<Page, Problem>>,
{
    ask.parts = parts.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
    let outcome = page(app, ask.clone()).await;
    respond(&ask, outcome)
}

/// What comes with the program.
fn asset(kind: &'static str, bytes: &'static str) -> MethodRouter<Arc<App>> {
    get(async move |Extension(ask): Extension<Ask>| {
        let mut response = respond(&ask, Ok(Page::Asset(kind, bytes)));
        response.headers_mut().insert(CACHE_CONTROL, KEPT);
        response
    })
}
