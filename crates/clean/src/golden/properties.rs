//! What holds for every input.

use super::*;
use proptest::prelude::*;

/// Fragments of pages and texts, the odd ones among them.
fn fragment() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z]{2,9}( [a-z]{2,9}){4,18}\\.",
        2 => "[A-Z][a-z]{2,9}( [a-z]{2,9}){1,5}",
        1 => prop::sample::select(vec![
            "Check Also", "Advertisement", "By Jane Doe", "March 20, 2026", "12 comments", "Photo: Maren Toft", "…", "***", "\u{0}", "\u{feff}",
            "Lesen Sie auch", "© 2026 Post", "港が再開した。船は夜明けに入った。", "مرحبا بالعالم اليوم.", "\u{202e}x", "e\u{301}", "Image 1 of 5", "| - –", "Comments",
        ]).prop_map(str::to_owned),
        1 => "\\PC{0,40}",
    ]
}

fn a_text() -> impl Strategy<Value = String> {
    prop::collection::vec(fragment(), 1..40).prop_map(|f| f.join("\n"))
}

fn a_page() -> impl Strategy<Value = String> {
    let tag = prop::sample::select(vec![
        "p",
        "div",
        "h2",
        "li",
        "span",
        "a",
        "figcaption",
        "blockquote",
        "td",
        "aside",
        "article",
        "br",
        "script",
        "b",
        "pre",
        "button",
    ]);
    let class = prop::sample::select(vec![
        "",
        "related",
        "article-body",
        "paywall",
        "caption",
        "dek",
        "byline",
        "x",
    ]);
    prop::collection::vec((tag, class, fragment(), any::<bool>()), 1..40).prop_map(|parts| {
        let mut page = "<html><body><h1>Harbour reopens after nine days</h1>".to_owned();
        for (tag, class, text, closed) in parts {
            page.push_str(&format!("<{tag} class='{class}'>{text}"));
            if closed {
                page.push_str(&format!("</{tag}>"));
            }
        }
        page
    })
}

fn check(clean: &CleanArticle, input: &str) {
    let kept: usize = clean.blocks.iter().map(|b| b.text.len()).sum();
    assert!(
        kept <= 3 * input.len() + 200,
        "{kept} bytes out of {}",
        input.len()
    );
    for block in &clean.blocks {
        assert!(!block.text.contains('\0') && !block.text.is_empty());
        assert_eq!(block.text.trim(), block.text);
        assert!(block.is_kept() || !block.kind.is_body(), "{block:?}");
        assert!(
            block.kind != BlockKind::Boilerplate || block.removed.is_some(),
            "{block:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn texts_come_out_sound(input in a_text()) {
        let raw = RawArticle::from_body(RawBody::Text(input.clone()));
        if let Ok(clean) = cleaner().clean(&raw) {
            check(&clean, &input);
            prop_assert_eq!(cleaner().clean(&raw).unwrap(), clean);
        }
    }

    #[test]
    fn pages_come_out_sound(input in a_page()) {
        let raw = RawArticle::from_body(RawBody::Html(input.clone()));
        if let Ok(clean) = cleaner().clean(&raw) {
            check(&clean, &input);
        }
    }

    #[test]
    fn cleaning_a_cleaned_text_changes_nothing(input in a_text()) {
        let clean = |t: &str, title: Option<String>| {
            let mut raw = RawArticle::from_body(RawBody::Text(t.to_owned()));
            raw.title = title;
            cleaner().clean(&raw).ok().map(|c| (c.body(), c.metadata.title.map(|t| t.value)))
        };
        if let Some((once, title)) = clean(&input, None) {
            let title = title.or_else(|| Some("Untitled".to_owned()));
            if let Some((twice, _)) = clean(&once, title) {
                prop_assert_eq!(twice, once);
            }
        }
    }
}

/// Inputs that make careless code quadratic. The limit is generous for a slow machine without optimisation;
/// what it catches takes hours.
#[test]
fn hostile_inputs_take_no_longer_than_others() {
    let start = std::time::Instant::now();
    let stated = "word ".repeat(20_000);
    for html in [
        "<div class=author>".repeat(400) + &"<p>x</p>".repeat(4_000),
        format!(
            "<script type='application/ld+json'>{{\"@type\":\"NewsArticle\",\"articleBody\":\"{stated}\"}}</script>{}",
            "<p>word word word word word word word word word word word.</p>".repeat(2_000)
        ),
        format!("<script>{}</script>", "\"\\u003cp ".repeat(6_000)),
        "<noscript><div></noscript>".repeat(300) + &"a ".repeat(40_000),
        "<a><p>teaser</p>".repeat(300),
        "&lt;".repeat(40_000),
    ] {
        let _ = cleaner().clean(&RawArticle::from_body(RawBody::Html(html)));
    }
    for text in [
        "a.".repeat(40_000),
        "(".repeat(40_000),
        "Abb. 1 x y z w\n".repeat(3_000),
        "Check Also\nHeadline here\n".repeat(3_000),
        "Harbour reopens again now\n".repeat(3_000) + &"Home\nLog in\nShare\n".repeat(3_000),
        "One sentence that is long enough to be prose, by any measure.\nLabel\n".repeat(5_000),
        "\u{c3}\u{a4}".repeat(20_000),
    ] {
        let _ = cleaner().clean(&RawArticle::from_body(RawBody::Text(text)));
    }
    assert!(start.elapsed().as_secs() < 240, "{:?}", start.elapsed());
}
