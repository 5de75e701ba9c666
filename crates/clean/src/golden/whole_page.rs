//! The text of a whole page, as a scraper without a parser leaves it.

use super::*;

const PARAGRAPHS: [&str; 4] = [
    "Seven ships that had been waiting off the Grey Bank came in at dawn, the harbour master said on the quay on Friday morning.",
    "Divers had searched the channel for a lost anchor chain until late on Thursday night, and found it under the northern light.",
    "The council will discuss a second tug at its meeting in April, although the two villages cannot agree on who is to pay for it.",
    "Until then the old one, built in 1961 and named after a saint nobody remembers, is to be seen at her berth by the fish market.",
];

fn page(between: &str, tail: &str) -> String {
    let menu = [
        "Home",
        "World",
        "Business",
        "Sport",
        "Opinion",
        "Log in",
        "Subscribe",
        "Weather",
        "Jobs",
        "Cars",
        "Homes",
        "Games",
    ]
    .join("\n");
    format!(
        "Harbour reopens after nine days | The Brenmark Post\n{menu}\nHarbour reopens after nine days\nBy Jane Doe\nMarch 20, 2026\nShare\n{}\n{between}\n{}\n{tail}\nAbout us\nContact\nPrivacy\nTerms\nImprint\nAdvertise\nCookie settings\nSite map\nHelp\nRSS\nNewsletters\n© 2026 The Brenmark Post",
        PARAGRAPHS[..2].join("\n"),
        PARAGRAPHS[2..].join("\n")
    )
}

#[test]
fn the_article_is_found_between_menu_and_footer() {
    let clean = text(&page("Advertisement", "Tags\nSea\nStorm"));
    assert_eq!(clean.paragraphs().collect::<Vec<_>>(), PARAGRAPHS);
    assert!(clean.warnings.contains(&"whole-page-text".to_owned()));
    let m = &clean.metadata;
    assert_eq!(m.title.as_ref().unwrap().value, "Harbour reopens after nine days");
    assert_eq!(m.authors, ["Jane Doe"]);
    assert_eq!(
        m.published_at.as_ref().unwrap().value.local_day().to_string(),
        "2026-03-20"
    );
}

#[test]
fn comments_after_a_heading_are_not_the_article() {
    let comment = "I have said for years that one tug is not enough for a harbour of this size, and nobody has listened to me so far.";
    let comments = format!(
        "Comments\nOld Salt\n{comment}\nGull\n{comment} Quite so, and the divers have said the same thing every single year since the war.\nOld Salt\n{comment} Thank you."
    );
    let clean = text(&page("Ferry fares to rise in May\nHerring is dear", &comments));
    assert_eq!(clean.paragraphs().collect::<Vec<_>>(), PARAGRAPHS);
    assert_eq!(rule_of(&clean, "Ferry fares"), "label-run");
    assert_eq!(rule_of(&clean, "Quite so"), "after-end");
}

#[test]
fn consent_text_is_no_article_however_long() {
    let consent = "This website uses cookies to improve your experience while you navigate through it, and we use cookies to measure how it is used.";
    let clean = text(&page("", &[consent; 9].join("\nAllow all\n")));
    assert_eq!(clean.paragraphs().collect::<Vec<_>>(), PARAGRAPHS);
}

#[test]
fn a_table_of_cookies_is_no_article_however_long() {
    let row = |name: &str| {
        format!(
            "{name} 11 months This cookie is set by the consent plug-in of the paper and remembers whether visitors have agreed to the ones in the category that it names, so that nobody is asked again on every page."
        )
    };
    let names = [
        "pl_consent",
        "_tide",
        "_harbour",
        "session_id",
        "lang",
        "_gull",
        "seen",
    ];
    let rows: Vec<String> = names.iter().map(|name| row(name)).collect();
    let clean = text(&page("", &rows.join("\nFunctional\n")));
    assert_eq!(clean.paragraphs().collect::<Vec<_>>(), PARAGRAPHS);
}

#[test]
fn a_recipe_for_cookies_is_an_article() {
    let last = "These cookies keep for two weeks in a tin, and the cookies are used up in one evening if the crew of the tug comes by.";
    let clean = text(&format!("{}\n{last}", PARAGRAPHS.join("\n")));
    assert!(clean.body().contains(last), "{}", rule_of(&clean, last));
}
