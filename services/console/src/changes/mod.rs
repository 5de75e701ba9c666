//! Changes that people make: each asks once what it would do, is done by the login that writes, and is logged
//! with the user.

pub(crate) mod quarantine;
pub(crate) mod site;
pub(crate) mod story;
pub(crate) mod takedown;

use maud::{Markup, html};
use serde_json::json;

use crate::answer::Page;
use crate::ask::Ask;
use crate::layout::Section;
use crate::problem::Problem;

/// Of a reason, in characters.
const LONGEST_REASON: usize = 500;

/// The field that says that somebody was asked.
const SURE: &str = "sure";

/// Whether the form was sent from the page that asks.
fn is_sure(ask: &Ask) -> bool {
    ask.field(SURE) == Some("yes")
}

/// The page that asks: what would be done, and a form that sends all of it again.
fn ask_once(ask: &Ask, section: Section, title: &str, would: &Markup, button: &str) -> Result<Page, Problem> {
    let data = json!({"done": false, "asks": title, "mend": "send the same with sure=yes"});
    ask.page(section, title, &data, || {
        html! {
            h1 { (title) }
            (would)
            form method="post" action=(ask.path) {
                @for (name, value) in ask.fields().iter().filter(|(n, _)| n != SURE) {
                    input type="hidden" name=(name) value=(value);
                }
                input type="hidden" name=(SURE) value="yes";
                p { button.grave { (button) } }
            }
            p.quiet { "Or go back: nothing was changed yet. It will be on record as " bdi { (ask.user) } "." }
        }
    })
}

/// The reason that a person gave, with who it was: events have one field for both.
fn why(ask: &Ask) -> String {
    let reason: String = ask
        .field("why")
        .unwrap_or_default()
        .chars()
        // Postgres has no zero byte.
        .filter(|c| *c != '\0')
        .take(LONGEST_REASON)
        .collect();
    let signed = format!("{reason} ({}, console)", ask.user);
    signed.trim().to_owned()
}

/// Puts a change into the log of the program.
fn record(ask: &Ask, what: &str, of: &str) {
    tracing::info!(user = ask.user, what, of, "a person changed something");
}
