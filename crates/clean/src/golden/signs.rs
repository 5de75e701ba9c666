//! Sentences go by two signs or more, never by a single phrase or name; tables, lists and hidden text are read as a reader
//! sees them.

use super::*;

const LEAD: &str = "The harbour of Brenmark reopened on Friday after a storm had kept it shut for nine days.";
const ONE: &str = "Seven ships that had been waiting off the Grey Bank came in at dawn, the harbour master said on the quay.";
const TWO: &str = "Divers had searched the channel for a lost anchor chain until late on Thursday night, and found it there.";
const THREE: &str = "The council will discuss a second tug at its meeting in April, although nobody agrees who is to pay for it.";

fn page(inner: &str) -> CleanArticle {
    html(&format!(
        "<!doctype html><html lang=en><head><title>Harbour reopens after nine days</title></head><body>\
         <article><h1>Harbour reopens after nine days</h1>{inner}</article></body></html>"
    ))
}

fn between(inner: &str) -> CleanArticle {
    page(&format!(
        "<p>{LEAD}</p><p>{ONE}</p>{inner}<p>{TWO}</p><p>{THREE}</p>"
    ))
}

fn kept(clean: &CleanArticle, text: &str) -> bool {
    clean.body().contains(text)
}

#[test]
fn a_phrase_alone_takes_no_sentence_out() {
    for sentence in [
        "Начальник порта сообщил об этом в Telegram.",
        "Die App der Reederei zeigt die Abfahrten seit Montag wieder an.",
        "Der Newsletter der Gemeinde hatte vor dem Sturm gewarnt.",
        "Google News had not shown the paper's report on the storm for two days.",
        "The cookie policy of the ferry line is three pages long, the inspector wrote.",
        "港のクッキーは観光客に人気がある。",
    ] {
        let clean = text(&[LEAD, ONE, sentence, TWO, THREE].join("\n\n"));
        assert!(
            kept(&clean, sentence),
            "{sentence}: {}",
            rule_of(&clean, sentence)
        );
    }
    // And each of its sentences may have one.
    let all = text(
        "Google News has not shown the Brenmark Post for nine days, its publisher said on Friday.\n\n\
         Half of the readers used to come from Google News, and most of them found no other way.\n\n\
         Google News wrote to the paper that a machine had made the decision.",
    );
    assert_eq!(all.paragraphs().count(), 3, "{}", all.body());
}

#[test]
fn a_phrase_that_speaks_to_the_reader_goes() {
    for sentence in [
        "Follow the Brenmark Post on Google News.",
        "Download the app of the Post and read the tide table wherever it is needed.",
        "Подписывайтесь на канал газеты в Telegram.",
        "We use cookies to make our pages better for you.",
    ] {
        let clean = text(&[LEAD, ONE, sentence, TWO, THREE].join("\n\n"));
        assert!(!kept(&clean, sentence), "{sentence}");
    }
    let clean = text(&[LEAD, ONE, "Follow the Brenmark Post on Google News.", TWO, THREE].join("\n\n"));
    let (.., removal) = clean.removed().next().unwrap();
    assert!(
        removal
            .evidence
            .as_deref()
            .unwrap_or_default()
            .contains("request")
    );
}

#[test]
fn a_name_alone_takes_no_sentence_out() {
    let sentence = "The inspectors will come back in a fortnight to look at the wall again, the mayor said.";
    for name in ["ratings", "share", "popular", "weather", "promo"] {
        let clean = between(&format!("<div class='{name}'><p>{sentence}</p></div>"));
        assert!(kept(&clean, sentence), "{name}: {}", rule_of(&clean, sentence));
    }
    for class in [
        "has-large-font-size",
        "cmp-text",
        "gdpr-paragraph",
        "text--with-ad",
        "no-comments",
    ] {
        let clean = between(&format!("<p class='{class}'>{sentence}</p>"));
        assert!(kept(&clean, sentence), "{class}: {}", rule_of(&clean, sentence));
    }
    let id = between(&format!(
        "<div id=a-similar-storm-forty-years-ago><p>{sentence}</p></div>"
    ));
    assert!(kept(&id, sentence));
}

#[test]
fn a_name_and_a_box_of_links_take_a_teaser_out() {
    let teaser = "Crews on the coast are warning that they will not wait any longer for the new tug.";
    let clean = between(&format!(
        "<div class=popular><h3><a href=/a>Ferry fares to rise in May after all</a></h3>\
         <h3><a href=/b>Island council splits over the tug again</a></h3><p>{teaser}</p></div>"
    ));
    assert_eq!(rule_of(&clean, teaser), "related-widget");
    let (.., removal) = clean.removed().find(|(_, b, _)| b.text == teaser).unwrap();
    assert_eq!(removal.evidence.as_deref(), Some("name, box-links, box-title"));
    // The same without links is a part of the article.
    let clean = between(&format!("<div class=popular><p>{teaser}</p></div>"));
    assert!(kept(&clean, teaser));
}

#[test]
fn a_row_of_a_table_is_a_line_and_a_table_at_the_end_stays() {
    let table = "<table><tr><th>Boat</th><th>Hours</th></tr><tr><td>Old tug</td><td>12</td></tr>\
                 <tr class=player><td>New <b>tug</b></td><td>7</td></tr></table>";
    for clean in [
        between(table),
        page(&format!("<p>{LEAD}</p><p>{ONE}</p><p>{TWO}</p>{table}")),
    ] {
        for row in ["Boat | Hours", "Old tug | 12", "New tug | 7"] {
            assert!(clean.paragraphs().any(|p| p == row), "{row}: {}", clean.body());
        }
    }
    // Tables that lay out a page are no rows.
    let layout = page(&format!(
        "<table><tr><td><p>{LEAD}</p><p>{ONE}</p></td><td><p>{TWO}</p></td></tr></table>"
    ));
    assert_eq!(layout.paragraphs().count(), 3, "{}", layout.body());
}

#[test]
fn figures_alone_are_counters_beside_share_buttons_only() {
    let clean = text(&[LEAD, ONE, "12", TWO, THREE].join("\n\n"));
    assert!(clean.paragraphs().any(|p| p == "12"));
    let clean = text(&[LEAD, ONE, "Share on Facebook", "12", TWO, THREE].join("\n\n"));
    assert_eq!(rule_of(&clean, "12"), "share-counter");
}

#[test]
fn text_that_is_not_shown_is_not_read() {
    for hidden in [
        "<span style='display:none'>NOTE TO DESK</span>",
        "<span class=sr-only>NOTE TO DESK</span>",
        "<span style='position:absolute; clip: rect(0,0,0,0)'>NOTE TO DESK</span>",
        "<span role=tooltip>NOTE TO DESK</span>",
    ] {
        let clean = between(&format!(
            "<p>The line said{hidden} that the ferry would sail again on Monday.</p>"
        ));
        assert!(
            kept(&clean, "The line said that the ferry would sail again on Monday."),
            "{hidden}: {}",
            clean.body()
        );
    }
}

#[test]
fn the_rest_of_an_article_behind_a_button_is_read() {
    let clean = page(&format!(
        "<p>{LEAD}</p><p>{ONE}</p><div style='display:none'><p>{TWO}</p><p>{THREE}</p></div><button>Read on</button>"
    ));
    assert_eq!(clean.paragraphs().collect::<Vec<_>>(), [LEAD, ONE, TWO, THREE]);
}

#[test]
fn short_articles_lose_their_tail_lines_as_long_ones_do() {
    for line in [
        "The post Harbour reopens appeared first on The Brenmark Post.",
        "The views expressed here are those of the writer.",
        "Copyright 2026 The Brenmark Post, all of it.",
    ] {
        let clean = text(&[LEAD, ONE, TWO, line].join("\n\n"));
        assert_eq!(clean.paragraphs().count(), 3, "{line}: {}", clean.body());
    }
}

#[test]
fn a_second_copy_is_taken_out() {
    let clean = page(&format!(
        "<p>{LEAD}</p><p>{ONE}</p><p>{TWO}</p><p>{THREE}</p><div>{LEAD} {ONE} {TWO} {THREE}</div>"
    ));
    assert_eq!(clean.paragraphs().count(), 4, "{}", clean.body());
    assert!(clean.removed().any(|(.., r)| r.rule.as_str() == "repeated-text"));
}

#[test]
fn articles_that_are_only_data_are_read() {
    let body = format!("{LEAD}\\n\\n{ONE}\\n\\n{TWO}\\n\\n{THREE}");
    let stated = html(&format!(
        "<html><head><title>Harbour reopens</title><script type='application/ld+json'>\
         {{\"@type\":\"NewsArticle\",\"headline\":\"Harbour reopens\",\"articleBody\":\"{body}\"}}</script></head>\
         <body><div id=app></div></body></html>"
    ));
    assert_eq!(stated.paragraphs().collect::<Vec<_>>(), [LEAD, ONE, TWO, THREE]);
    let blog = html(&format!(
        "<html><head><title>Storm, live</title><script type='application/ld+json'>{{\"@type\":\"LiveBlogPosting\",\
         \"headline\":\"Storm, live\",\"liveBlogUpdate\":[{{\"@type\":\"BlogPosting\",\"articleBody\":\"{ONE}\"}},\
         {{\"@type\":\"BlogPosting\",\"articleBody\":\"{TWO}\"}}]}}</script></head><body><div id=app></div></body></html>"
    ));
    assert_eq!(blog.paragraphs().collect::<Vec<_>>(), [ONE, TWO]);
    let shadow = html(&format!(
        "<html><head><title>Harbour reopens</title></head><body><news-story><template shadowrootmode=open>\
         <h1>Harbour reopens</h1><p>{LEAD}</p><p>{ONE}</p><p>{TWO}</p></template></news-story></body></html>"
    ));
    assert_eq!(shadow.paragraphs().collect::<Vec<_>>(), [LEAD, ONE, TWO]);
}

#[test]
fn rules_of_the_code_and_signs_can_be_switched_off() {
    let with = |file: &str, lines: &[&str]| {
        let cleaner = Cleaner::new(Rules::from_toml(file).unwrap(), Budget::default());
        cleaner
            .clean(&RawArticle::from_body(RawBody::Text(lines.join("\n\n"))))
            .unwrap()
    };
    let lines = [LEAD, ONE, "***", TWO, THREE];
    assert_eq!(with("", &lines).paragraphs().count(), 4);
    assert_eq!(with("disable = [\"no-words\"]", &lines).paragraphs().count(), 5);
    let prompt = [LEAD, ONE, "Follow the Brenmark Post on Google News.", TWO, THREE];
    assert_eq!(with("", &prompt).paragraphs().count(), 4);
    let without = with("disable = [\"request\", \"short\"]", &prompt);
    assert_eq!(without.paragraphs().count(), 5);
    let error = Rules::from_toml("disable = [\"dangling-headings\"]")
        .unwrap_err()
        .to_string();
    assert!(error.contains("dangling-heading\""), "{error}");
}

#[test]
fn a_wrapper_with_the_name_of_an_advert_does_not_take_the_article() {
    let clean = page(&format!(
        "<div class=ad-container><p>{LEAD}</p><p>{ONE}</p><p>{TWO}</p><p>{THREE}</p></div>"
    ));
    assert_eq!(clean.paragraphs().count(), 4, "{}", clean.body());
}
