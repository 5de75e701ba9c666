//! The extraction engines behind one trait.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// What an engine says of a page: the text that it would keep, in any form that can be searched.
pub(crate) trait Engine {
    /// The engine's name, for warnings.
    fn name(&self) -> &'static str;

    /// The text of the article, or `None` if the engine finds none.
    fn extract(&self, html: &str) -> Option<String>;
}

/// `trafilatura`: the best single engine on news.
#[derive(Debug)]
pub(crate) struct Trafilatura;

impl Engine for Trafilatura {
    fn name(&self) -> &'static str {
        "trafilatura"
    }

    fn extract(&self, html: &str) -> Option<String> {
        let mut options = trafilatura::Options::default();
        options.enable_fallback = true;
        options.exclude_comments = true;
        options.html_date_mode = trafilatura::HtmlDateMode::Disabled;
        trafilatura::extract(html, &options).ok().map(|r| r.content_text)
    }
}

/// `dom_smoothie`: the port of Readability.
#[derive(Debug)]
pub(crate) struct Smoothie;

impl Engine for Smoothie {
    fn name(&self) -> &'static str {
        "dom_smoothie"
    }

    fn extract(&self, html: &str) -> Option<String> {
        let config = dom_smoothie::Config {
            disable_json_ld: true,
            ..dom_smoothie::Config::default()
        };
        let mut readability = dom_smoothie::Readability::new(html, None, Some(config)).ok()?;
        readability.parse().ok().map(|a| a.text_content.to_string())
    }
}

/// What became of an engine's run.
#[derive(Debug)]
pub(crate) enum Outcome {
    Text(String),
    Nothing,
    Panicked,
}

/// Runs an engine; its panic costs its answer and nothing else.
pub(crate) fn run(engine: &dyn Engine, html: &str) -> Outcome {
    match catch_unwind(AssertUnwindSafe(|| engine.extract(html))) {
        Ok(Some(text)) => Outcome::Text(text),
        Ok(None) => Outcome::Nothing,
        Err(_) => Outcome::Panicked,
    }
}
