//! What users of other tools complain of (research on their issue trackers): each class once, on pages of our
//! own writing.

use super::*;

const LEAD: &str = "The harbour of Brenmark reopened on Friday after a storm had kept it shut for nine days.";
const ONE: &str = "Seven ships that had been waiting off the Grey Bank came in at dawn, the harbour master said, \
    and the first of them was alongside before the fish market opened.";
const TWO: &str = "Divers had searched the channel for a lost anchor chain until late on Thursday night; it was \
    found under the northern light, where nobody had thought of looking for it.";
const THREE: &str = "The council will discuss a second tug at its meeting in April, although the island's two \
    villages cannot agree on who is to pay for it.";

fn page(head: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=en><head><title>Harbour reopens after nine days | The Brenmark Post</title>\
         <meta property='og:title' content='Harbour reopens after nine days'>\
         <meta property='og:site_name' content='The Brenmark Post'>{head}</head><body>\
         <nav><ul><li><a href=/>Home</a></li><li><a href=/sea>Sea</a></li></ul></nav>{body}\
         <footer><p>The Brenmark Post is published every day but Sunday by Post &amp; Sons.</p></footer></body></html>"
    )
}

fn article(inner: &str) -> String {
    page(
        "",
        &format!("<article><h1>Harbour reopens after nine days</h1>{inner}</article>"),
    )
}

#[test]
fn class_1_related_blocks_go_with_their_teasers() {
    let clean = html(&article(&format!(
        "<p>{LEAD}</p><p>{ONE}</p>\
         <div class='related-stories'><h3>Recommended stories</h3><ul><li><a href=/a>Ferry fares to rise in May</a></li></ul></div>\
         <p>{TWO}</p><p>Read more: <a href=/b>Island council splits over tug</a></p><p>{THREE}</p>\
         <div id=check-also-box><h4>Check Also</h4><p>Crews on the coast are warning that they will not wait any longer.</p></div>"
    )));
    assert_eq!(clean.paragraphs().collect::<Vec<_>>(), [LEAD, ONE, TWO, THREE]);
    assert_eq!(rule_of(&clean, "Ferry fares"), "related-widget");
    assert_eq!(rule_of(&clean, "Crews on the coast"), "related-widget");
}

#[test]
fn class_1_teaser_cards_go_and_linked_paragraphs_stay() {
    let linked = "All of the nine reports that the inspectors wrote about the storm are public since Monday.";
    let clean = html(&article(&format!(
        "<p>{LEAD}</p><p>{ONE}</p><p><a href=/r>{linked}</a></p>\
         <a href=/c><div><h3>Island council splits over tug</h3><p>The two villages cannot agree on who is to pay for it now.</p></div></a>\
         <p>{TWO}</p><p>{THREE}</p>"
    )));
    assert_eq!(
        clean.paragraphs().collect::<Vec<_>>(),
        [LEAD, ONE, linked, TWO, THREE]
    );
    assert_eq!(rule_of(&clean, "The two villages"), "teaser-card");
}

#[test]
fn class_2_an_article_cut_in_pieces_by_adverts_is_whole() {
    let piece = |text: &str| {
        format!(
            "<div class='body__container'><div class='article-body'><p>{text}</p><p>{text} Again, in other words, the same was said by the mayor.</p></div></div>"
        )
    };
    let clean = html(&article(&format!(
        "{}<div class='ad-slot'><p>Advertisement</p></div>{}<div class='ad-slot'><p>Buy boots at Olsen's, the boots that last.</p></div>{}",
        piece(ONE),
        piece(TWO),
        piece(THREE)
    )));
    assert_eq!(clean.paragraphs().count(), 6, "{}", clean.body());
    assert_eq!(rule_of(&clean, "Olsen"), "advert-widget");
}

#[test]
fn class_3_leads_and_sub_headlines_stay() {
    let clean = html(&page(
        "",
        &format!(
            "<main><header><h1>Harbour reopens after nine days</h1><p>{LEAD}</p></header>\
             <div class=article-text><p>{ONE}</p><h2>A chain in the channel</h2><p>{TWO}</p><p>{THREE}</p></div></main>"
        ),
    ));
    assert_eq!(
        clean.paragraphs().collect::<Vec<_>>(),
        [LEAD, ONE, "A chain in the channel", TWO, THREE]
    );
    assert!(clean.blocks.iter().any(|b| b.kind == BlockKind::SubHeadline));
}

#[test]
fn class_3_the_dek_has_a_kind_of_its_own() {
    let clean = html(&article(&format!(
        "<p class=standfirst>Ships had waited for nine days off the bank</p><p>{LEAD}</p><p>{ONE}</p><p>{TWO}</p>"
    )));
    assert!(clean.blocks.iter().any(|b| b.is_kept()
        && b.kind == BlockKind::Dek
        && b.text == "Ships had waited for nine days off the bank"));
    assert!(clean.body().starts_with(LEAD));
}

#[test]
fn class_3_a_standfirst_that_is_called_a_teaser_stays() {
    let dek = "After nine days of storm the harbour of Brenmark is open again, and seven ships have come in.";
    let clean = html(&article(&format!(
        "<p class=teaser>{dek}</p><p>{ONE}</p><p>{TWO}</p><p>{THREE}</p>"
    )));
    assert!(clean.blocks.iter().any(|b| b.is_kept() && b.text == dek));
}

#[test]
fn class_4_nothing_is_glued_or_doubled() {
    let clean = html(&article(&format!(
        "<p>{ONE}</p><p>First line of a poem.<br>Second line of it.<br><br>A paragraph after two breaks, as old pages write them, long enough.</p>\
         <div>{TWO}<p>{THREE}</p></div><ul><li>One tug is not enough, said the first.</li><li>Two tugs are too dear, said the second.</li></ul>"
    )));
    let body = clean.body();
    assert!(
        body.contains("First line of a poem. Second line of it."),
        "{body}"
    );
    assert!(body.contains("\n\nA paragraph after two breaks"), "{body}");
    assert!(body.contains(&format!("{TWO}\n\n{THREE}")), "{body}");
    assert_eq!(body.matches("Seven ships").count(), 1);
    assert!(clean.blocks.iter().any(|b| b.kind == BlockKind::ListItem));
}

#[test]
fn class_5_consent_and_paywall_texts_are_not_the_article() {
    let consent = "We and our 873 partners store information on your device and process personal data, such as identifiers, to show you advertising that fits, and to measure what it does.";
    let clean = html(&page(
        "",
        &format!(
            "<div id=onetrust-consent-sdk><h2>Your privacy</h2><p>{consent}</p><p>{consent} You may change your mind at any time.</p></div>\
             <article><h1>Harbour reopens after nine days</h1><p>{ONE}</p><p>{TWO}</p><p>{THREE}</p>\
             <div class=paywall-offer><p>Subscribe now for a krone a week and read everything that we write.</p></div></article>"
        ),
    ));
    assert_eq!(clean.paragraphs().collect::<Vec<_>>(), [ONE, TWO, THREE]);
    assert_eq!(rule_of(&clean, "873 partners"), "consent-widget");
    assert_eq!(rule_of(&clean, "krone a week"), "paywall-widget");
}

#[test]
fn class_5_an_article_within_a_div_paywall_is_read() {
    let clean = html(&article(&format!(
        "<div class=paywall><p>{ONE}</p><p>{TWO}</p><p>{THREE}</p></div>"
    )));
    assert_eq!(clean.paragraphs().collect::<Vec<_>>(), [ONE, TWO, THREE]);
}

#[test]
fn class_6_newsletter_prose_goes_by_its_words() {
    let clean = html(&article(&format!(
        "<p>{ONE}</p><p>Sign up for The Tide Table and get the week's stories in your inbox every Friday.</p><p>{TWO}</p>\
         <p>CLICK HERE TO GET THE BRENMARK POST APP</p><p>{THREE}</p>"
    )));
    assert_eq!(clean.paragraphs().collect::<Vec<_>>(), [ONE, TWO, THREE]);
}

#[test]
fn class_7_captions_are_a_field() {
    let clean = html(&article(&format!(
        "<figure><img src=a.jpg><figcaption>The northern light at dawn. Photo: Maren Toft</figcaption></figure><p>{ONE}</p>\
         <p>The chain on the quay on Thursday. (Meridian/Anneke Solberg/Pool via NORTHWIRE Photo)</p><p>{TWO}</p><p>Bild: Jon Rask</p><p>{THREE}</p>"
    )));
    assert_eq!(clean.paragraphs().collect::<Vec<_>>(), [ONE, TWO, THREE]);
    assert!(clean.captions().any(|c| c.starts_with("The northern light")));
    assert!(clean.captions().any(|c| c == "Bild: Jon Rask"));
}

#[test]
fn class_8_dates_and_authors_are_those_of_the_article() {
    let ld = r#"<script type="application/ld+json">{"@context":"https://schema.org","@graph":[{"@type":"WebSite","name":"The Brenmark Post"},
        {"@type":"NewsArticle","headline":"Harbour reopens after nine days","datePublished":"2026-03-20T18:05:00+01:00","dateModified":"2026-03-22T09:00:00+01:00",
        "author":[{"@type":"Person","name":"Jane Doe (jdo)"},{"@type":"Person","name":"By John Roe"}],"articleSection":"Sea","isAccessibleForFree":false}]}</script>"#;
    let clean = html(&page(
        ld,
        &format!(
            "<article><h1>Harbour reopens after nine days</h1><p class=byline>Somebody Else</p><time datetime=2026-03-22>Updated 22 March</time>\
             <p>{ONE}</p><p>{TWO}</p></article>"
        ),
    ));
    let m = &clean.metadata;
    assert_eq!(m.authors, ["Jane Doe", "John Roe"]);
    assert_eq!(m.authors_source, Some(MetadataSource::JsonLd));
    assert_eq!(
        m.published_at.as_ref().unwrap().value.local_day().to_string(),
        "2026-03-20"
    );
    assert_eq!(
        m.modified_at.as_ref().unwrap().value.local_day().to_string(),
        "2026-03-22"
    );
    assert_eq!(m.section.as_ref().unwrap().value, "Sea");
    assert_eq!(m.paywalled, Some(true));
    assert_eq!(m.language.as_ref().unwrap().value, "en");
}

#[test]
fn class_9_the_same_page_gives_the_same_on_every_thread() {
    let page = article(&format!(
        "<p>{LEAD}</p><p>{ONE}</p><aside><p>{TWO}</p></aside><p>{THREE}</p>"
    ));
    let cleaner = cleaner();
    let raw = RawArticle::from_body(RawBody::Html(page));
    let first = cleaner.clean(&raw).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..5 {
                    assert_eq!(cleaner.clean(&raw).unwrap(), first);
                }
            });
        }
    });
}

#[test]
fn class_10_the_title_is_not_repeated_in_the_body() {
    let clean = html(&article(&format!(
        "<p>Harbour reopens after nine days</p><p>{ONE}</p><p>{TWO}</p><p>{THREE}</p>"
    )));
    assert_eq!(clean.paragraphs().collect::<Vec<_>>(), [ONE, TWO, THREE]);
    assert_eq!(
        clean.metadata.title.as_ref().unwrap().value,
        "Harbour reopens after nine days"
    );
    assert_eq!(
        clean.metadata.title.as_ref().unwrap().source,
        MetadataSource::Vote
    );
}

#[test]
fn of_two_articles_on_a_page_the_one_with_the_headline_is_read() {
    let other = "A whole other article follows below, about the price of herring, as pages that scroll without an end have it.";
    let clean = html(&page(
        "",
        &format!(
            "<main><article><h1>Harbour reopens after nine days</h1><p>{ONE}</p><p>{TWO}</p></article>\
             <article><h2>Herring is dear</h2><p>{other}</p><p>{other} Yes.</p><p>{other} No.</p><p>{other} Perhaps.</p></article></main>"
        ),
    ));
    assert_eq!(clean.paragraphs().collect::<Vec<_>>(), [ONE, TWO]);
}

#[test]
fn the_pages_own_statement_settles_paragraphs() {
    let foreign =
        "A box that no name gives away says something about the price of herring, in a whole sentence.";
    let ld = format!(
        r#"<script type="application/ld+json">{{"@type":"NewsArticle","headline":"Harbour reopens after nine days","articleBody":"{ONE} {TWO} {THREE}"}}</script>"#
    );
    let clean = html(&page(
        &ld,
        &format!(
            "<article><h1>Harbour reopens after nine days</h1><div><p>{ONE}</p><p>{TWO}</p><p>{foreign}</p><p>{THREE}</p></div></article>"
        ),
    ));
    assert_eq!(clean.paragraphs().collect::<Vec<_>>(), [ONE, TWO, THREE]);
    assert_eq!(rule_of(&clean, "herring"), "not-in-stated-body");
}

#[test]
fn an_article_in_a_script_is_read() {
    let json = format!(
        "{{\"id\":7,\"contentHtml\":\"\\u003cp\\u003e{ONE}\\u003c/p\\u003e\\u003cp\\u003e{TWO}\\u003c/p\\u003e\\u003cp\\u003e{THREE}\\u003c/p\\u003e\"}}"
    );
    let clean = html(&page(
        "",
        &format!("<div id=root></div><script>window.__STATE__ = {json};</script>"),
    ));
    assert_eq!(clean.paragraphs().collect::<Vec<_>>(), [ONE, TWO, THREE]);
    assert!(clean.warnings.contains(&"article-in-script".to_owned()));
}

#[test]
fn an_element_left_open_in_noscript_does_not_swallow_the_page() {
    let clean = html(&page(
        "",
        &format!(
            "<noscript><div id=nojs></noscript><article><h1>Harbour reopens after nine days</h1><p>{ONE}</p><p>{TWO}</p><p>{THREE}</p>\
             <p>{LEAD} {ONE} {TWO} {THREE} {LEAD} {ONE}</p></article>"
        ),
    ));
    assert_eq!(clean.paragraphs().count(), 4, "{}", clean.body());
}

#[test]
fn limits_refuse_with_their_reason() {
    let refuse = |body: String, budget: Budget| {
        Cleaner::new(Rules::builtin(), budget)
            .clean(&RawArticle::from_body(RawBody::Html(body)))
            .unwrap_err()
            .reason
    };
    let small = Budget {
        max_html_bytes: 100,
        ..Budget::default()
    };
    assert_eq!(refuse("x".repeat(101), small), Reason::TooLarge);
    let few = Budget {
        max_nodes: 50,
        ..Budget::default()
    };
    assert_eq!(refuse("<p>a</p>".repeat(100), few), Reason::TooManyNodes);
    let deep = "<div>".repeat(600);
    assert_eq!(refuse(deep, Budget::default()), Reason::TooDeep);
    let hasty = Budget {
        cpu_time: std::time::Duration::ZERO,
        ..Budget::default()
    };
    assert_eq!(refuse("<p>a</p>".to_owned(), hasty), Reason::TooSlow);
}

#[test]
fn garbled_letters_are_mended_and_the_article_marked() {
    let clean = text(
        "Der Hafen von Brenmark ist wieder offen, sagte Hafenmeister MÃ¼ller am Freitag den Reportern auf der BrÃ¼cke.\n\n\
         Die Taucher hatten den Anker bis spÃ¤t in die Nacht gesucht, er lag unter dem nÃ¶rdlichen Licht im Schlick.",
    );
    assert!(clean.body().contains("Müller am Freitag"));
    assert!(clean.body().contains("spät in die Nacht"));
    assert_eq!(clean.warnings, ["mojibake-repaired"]);
    assert_eq!(clean.metadata.language.unwrap().value, "de");
}
