//! What stands around every page.

use maud::{DOCTYPE, Markup, html};

use crate::ask::Ask;

/// The pages of the bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Stories,
    Search,
    Quarantine,
    Flow,
    Sites,
    Clean,
    Log,
    None,
}

const BAR: [(Section, &str, &str); 7] = [
    (Section::Stories, "/stories", "Stories"),
    (Section::Search, "/search", "Search"),
    (Section::Quarantine, "/quarantine", "Quarantine"),
    (Section::Flow, "/flow", "Flow"),
    (Section::Sites, "/sites", "Sites"),
    (Section::Clean, "/clean", "Clean"),
    (Section::Log, "/log", "Log"),
];

/// The whole page.
pub(crate) fn whole(ask: &Ask, section: Section, title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · copydesk" }
                link rel="stylesheet" href="/style.css";
                link rel="icon" href="/icon.svg" type="image/svg+xml";
                script src="/times.js" defer {}
            }
            body {
                a.skip href="#main" { "Skip to the page" }
                header {
                    a.name href="/stories" { "copydesk" }
                    nav aria-label="Pages" {
                        @for (here, address, name) in BAR {
                            a href=(address) aria-current=[(here == section).then_some("page")] { (name) }
                        }
                    }
                }
                main id="main" { (body) }
                footer {
                    "copydesk " (env!("CARGO_PKG_VERSION"))
                    " · " span id="zone" { "times are in UTC" }
                    @if !ask.user.is_empty() { " · user " bdi { (ask.user) } }
                    " · " @if ask.can_write { "changes are on" } @else { "changes are off" }
                    " · " a href="/openapi.json" { "for programs" }
                }
            }
        }
    }
}
