//! `copydesk story`: what is in a story, and why.

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum StoryCommand {
    /// Show a story: its articles, what ties them together, what changed it
    #[command(
        after_help = "Example: copydesk story show 4711\n\nThe number is a story_id, or the article_id of \
            any article in it."
    )]
    Show {
        /// The story, or an article of it
        story: i64,
        /// As one JSON record
        #[arg(long)]
        json: bool,
    },
    /// Show why an article is in its story, and decide again from the stored evidence
    #[command(
        after_help = "Example: copydesk story explain 4712\n\nExit 3 if the decision made again differs from \
            the recorded one."
    )]
    Explain {
        /// The article
        article: i64,
        /// As one JSON record
        #[arg(long)]
        json: bool,
    },
    /// Make two stories one
    #[command(after_help = "Example: copydesk story merge 4720 4711 --why 'same speech, two wires'")]
    Merge {
        /// The story that ends
        from: i64,
        /// The story that its articles join
        into: i64,
        /// The reason, kept with the event
        #[arg(long, value_name = "TEXT", default_value = "")]
        why: String,
    },
    /// Take articles out of their story, with everything that is linked to them
    #[command(after_help = "Example: copydesk story split 4712 4713 --why 'another speech'")]
    Split {
        /// The articles; the lowest number names the new story
        #[arg(required = true)]
        articles: Vec<i64>,
        /// The reason, kept with the event
        #[arg(long, value_name = "TEXT", default_value = "")]
        why: String,
    },
    /// Take a merge, split or re-link back
    #[command(after_help = "Example: copydesk story undo 17")]
    Undo {
        /// Number of the event, as `story show` lists it
        event: i64,
    },
}
