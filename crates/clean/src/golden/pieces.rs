//! What belongs to an article though it stands apart, and what stands in it and does not: one small page a kind.

use super::*;

fn site(body: &str) -> CleanArticle {
    html(&format!(
        "<html lang=en><head><title>Weir to close | The Brenmark Post</title></head><body>{body}</body></html>"
    ))
}

fn page(inner: &str) -> CleanArticle {
    site(&format!("<article><h1>Weir to close</h1>{inner}</article>"))
}

fn paragraphs(clean: &CleanArticle) -> Vec<&str> {
    clean.paragraphs().collect()
}

#[test]
fn several_articles_are_pieces_of_one() {
    let pieces = site(&format!(
        "<main><article><h1>Weir to close</h1><p>{LEAD}</p><p>{ONE}</p></article>\
         <article><p>{TWO}</p></article><article><p>{THREE}</p></article></main>"
    ));
    assert_eq!(paragraphs(&pieces), [LEAD, ONE, TWO, THREE]);
    // Its steps stand deeper than its intro, with a heading of their own.
    let steps = site(&format!(
        "<main><section><div><article><h1>Weir to close</h1><p>{LEAD}</p></article></div></section>\
         <section><article><h2>What to do</h2><p>{ONE}</p><p>{TWO}</p><p>{THREE}</p></article></section></main>"
    ));
    assert_eq!(paragraphs(&steps), [LEAD, "What to do", ONE, TWO, THREE]);
    let posts = site(&format!(
        "<main><article><h1>Weir to close</h1><p>{LEAD}</p></article>\
         <article><h3>18.40</h3><p>{ONE}</p></article><article><h3>18.05</h3><p>{TWO}</p></article></main>"
    ));
    assert_eq!(paragraphs(&posts), [LEAD, "18.40", ONE, "18.05", TWO]);
}

#[test]
fn a_headline_with_its_excerpt_and_a_link_to_read_on_is_another_article() {
    let card = |to: &str, title: &str, text: &str| {
        format!("<div><h2><a href={to}>{title}</a></h2><p>{text} <a href={to}>Read on</a></p></div>")
    };
    let cards = [
        card(
            "/x",
            "Ring road late again",
            "The ring road will not open before the autumn, the county said, because asphalt is lacking.",
        ),
        card(
            "/y",
            "Ferry runs at night",
            "From May the ferry runs at night again, the line said on Friday in the harbour of the town.",
        ),
    ]
    .concat();
    let clean = page(&format!("<p>{LEAD}</p><p>{ONE}</p><p>{TWO}</p>{cards}"));
    assert_eq!(paragraphs(&clean), [LEAD, ONE, TWO]);
    // Between paragraphs it is a section of the article that leads to what it is about.
    let inn = card(
        "/inn",
        "The old ferry house",
        "Rooms look over the weir, and breakfast is served on the quay from six in the morning.",
    );
    let clean = page(&format!(
        "<p>{LEAD}</p><p>{ONE}</p>{inn}<p>{TWO}</p><p>{THREE}</p>"
    ));
    assert!(clean.body().contains("breakfast is served"), "{}", clean.body());
}

#[test]
fn a_standfirst_that_is_the_first_paragraph_again_is_in_the_text_once() {
    let clean = page(&format!(
        "<p class=intro>{LEAD}</p><p>{LEAD}</p><p>{ONE}</p><p>{TWO}</p><p>{THREE}</p>"
    ));
    assert_eq!(paragraphs(&clean), [LEAD, ONE, TWO, THREE]);
}

#[test]
fn the_last_of_two_lines_is_the_tail() {
    for last in [
        "The views and opinions expressed in this article are those of the author.",
        "The post first appeared on The Brenmark Post, as all its other notes do.",
        "This story was originally published by The Brenmark Post on its own page.",
    ] {
        let clean = page(&format!("<p>{LEAD}</p><p>{last}</p>"));
        assert_eq!(paragraphs(&clean), [LEAD], "{last}");
    }
}

#[test]
fn requests_that_an_article_makes_stay() {
    let advice = "Sign up for the swim across the harbour, the club tells everybody who comes to the quay on a Friday.";
    let map = "Download the map before you go, because there is no signal on the marsh, the guides of the club say.";
    let clean = page(&format!(
        "<p>{LEAD}</p><p>{advice}</p><p>{map}</p><p>{ONE}</p><p>{TWO}</p>"
    ));
    assert_eq!(paragraphs(&clean), [LEAD, advice, map, ONE, TWO]);
    let prompt =
        "Sign up for our newsletter and you will have the stories of the week before everybody else does.";
    let clean = page(&format!("<p>{LEAD}</p><p>{prompt}</p><p>{ONE}</p><p>{TWO}</p>"));
    assert_eq!(rule_of(&clean, prompt), "newsletter");
}

#[test]
fn a_plea_for_gifts_is_not_the_article() {
    let plea = "Our readers pay for what we do. If everybody who reads this gave three crowns, we would be done by noon.";
    let clean = page(&format!(
        "<p>{LEAD}</p><p>{ONE}</p><div><p>{plea}</p></div><p>{TWO}</p>"
    ));
    assert_eq!(rule_of(&clean, plea), "newsletter-within");
}

#[test]
fn a_long_paragraph_among_others_stays_whatever_it_is_called() {
    let long = format!("{ONE} {TWO}");
    for class in ["popup", "comment-text", "lightbox-enabled"] {
        let clean = page(&format!("<p>{LEAD}</p><p class={class}>{long}</p><p>{THREE}</p>"));
        assert!(clean.body().contains(&long), "{class}: {}", clean.body());
    }
    let clean = page(&format!("<p>{LEAD}</p><p class=sr-only>{long}</p><p>{THREE}</p>"));
    assert_eq!(rule_of(&clean, &long), "unseen");
}

#[test]
fn text_for_screen_readers_is_not_read() {
    for hidden in [
        "<span popover>NOTE</span>",
        "<span class=show-for-sr>NOTE</span>",
        "<span style='position:absolute;top:-9999px'>NOTE</span>",
    ] {
        let clean = page(&format!("<p>{LEAD}{hidden} It was seen at noon.</p><p>{ONE}</p>"));
        assert!(!clean.body().contains("NOTE"), "{hidden}");
        assert!(clean.body().contains("It was seen at noon."), "{hidden}");
    }
}
