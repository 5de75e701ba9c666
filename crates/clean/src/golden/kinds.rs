//! Kinds of page on which a single word, place or name once decided: one small page each.

use super::*;

fn page(inner: &str, behind: &str) -> CleanArticle {
    html(&format!(
        "<html lang=en><head><title>Weir to close | The Brenmark Post</title></head><body>\
         <article><h1>Weir to close</h1>{inner}</article>{behind}</body></html>"
    ))
}

fn kept(clean: &CleanArticle, text: &str) -> bool {
    clean.body().contains(text)
}

#[test]
fn the_own_name_of_a_first_or_last_paragraph_takes_it_not_out() {
    for class in ["popular", "js-share-text", "sponsor", "teaser", "paywall"] {
        let last = page(
            &format!("<p>{LEAD}</p><p>{ONE}</p><p>{TWO}</p><p class='{class}'>{THREE}</p>"),
            "",
        );
        assert!(kept(&last, THREE), "{class}");
        let boxed = page(
            &format!(
                "<p>{LEAD}</p><p>{ONE}</p><p>{TWO}</p><div class='{class}'><h4>More</h4><p>{THREE}</p></div>"
            ),
            "",
        );
        assert!(!kept(&boxed, THREE) || class != "teaser", "{class}");
    }
}

#[test]
fn tables_of_figures_stay_whatever_they_are_called() {
    let rows: String = [("Old lock", "41"), ("North lock", "77"), ("Sea lock", "12")]
        .map(|(lock, boats)| format!("<tr><td><a href=/l>{lock}</a><td>{boats}</tr>"))
        .concat();
    for name in ["player-stats", "scoreboard widget"] {
        let clean = page(
            &format!("<p>{LEAD}</p><p>{ONE}</p><div class='{name}'><table>{rows}</table></div>"),
            "",
        );
        assert!(kept(&clean, "North lock | 77"), "{name}: {}", clean.body());
    }
}

#[test]
fn a_list_of_links_stays_where_a_paragraph_announces_it() {
    let list = "<ul><li><a href=/a>The old lock museum</a><li><a href=/b>The ferry house</a></ul>";
    let announced = "These places are worth a visit while the weir of Halmark is closed to all boats:";
    let clean = page(
        &format!("<p>{LEAD}</p><p>{announced}</p>{list}<p>{ONE}</p><p>{TWO}</p>"),
        "",
    );
    assert!(kept(&clean, "The ferry house"));
    let clean = page(&format!("<p>{LEAD}</p><p>{ONE}</p>{list}<p>{TWO}</p>"), "");
    assert!(!kept(&clean, "The ferry house"));
}

#[test]
fn comments_are_told_by_their_form() {
    let entry = |name: &str, text: &str| {
        format!("<div class=e><b>{name}</b><span>3 hours ago</span><p>{text}</p></div>")
    };
    let entries = [
        entry(
            "walt42",
            "They should never have closed it, and whoever decided that should pay for the detour.",
        ),
        entry(
            "Marsh Hen",
            "My daughter works on the other bank, so I am glad that this nonsense is over at last.",
        ),
    ];
    let clean = page(
        &format!("<p>{LEAD}</p>"),
        &format!(
            "<div class=remarks><h3>What readers say</h3>{}</div>",
            entries.concat()
        ),
    );
    assert_eq!(clean.paragraphs().collect::<Vec<_>>(), [LEAD]);
    assert_eq!(rule_of(&clean, "whoever decided"), "comments-widget");
}

#[test]
fn popovers_and_text_off_the_screen_are_not_read() {
    for hidden in [
        "<span class=d-none>NOT SHOWN</span>",
        "<span style='position:absolute;left:-9999px'>NOT SHOWN</span>",
        "<span style='font-size:0'>NOT SHOWN</span>",
        "<span class=rollover-block><a href=/p>NOT SHOWN</a></span>",
    ] {
        let clean = page(&format!("<p>{LEAD} {hidden}</p><p>{ONE}</p><p>{TWO}</p>"), "");
        assert!(!kept(&clean, "NOT SHOWN") && kept(&clean, LEAD), "{hidden}");
    }
}

#[test]
fn shadow_roots_are_opened_beside_other_templates() {
    let clean = html(&format!(
        "<html><body><x-a><template shadowrootmode=open><article><h1>Weir to close</h1><p>{LEAD}</p>\
         <template><p>card</p></template><p>{ONE}</p></article></template></x-a><template id=t><p>card</p></template></body></html>"
    ));
    assert_eq!(clean.paragraphs().collect::<Vec<_>>(), [LEAD, ONE]);
}

#[test]
fn text_that_react_sends_piece_by_piece_is_read() {
    let lines = [LEAD, ONE, TWO, THREE].map(|l| format!(r#"[\"$\",\"p\",null,{{\"children\":\"{l}\"}}]"#));
    let clean = html(&format!(
        "<html><body><div id=root></div><script>self.__next_f.push([1,\"5:[{}]\\n\"])</script></body></html>",
        lines.join(",")
    ));
    assert_eq!(clean.paragraphs().collect::<Vec<_>>(), [LEAD, ONE, TWO, THREE]);
}

#[test]
fn names_stand_behind_dates_and_before_roles() {
    for (line, name) in [
        ("Posted on September 21, 2020 by Jane Doe", "Jane Doe"),
        ("19.03.2026 18:40 Uhr von Jane Doe", "Jane Doe"),
        ("Jane Doe, Staff Writer", "Jane Doe"),
        ("Jane Doe, Content Marketing Coordinator", "Jane Doe"),
        ("By Jane Doe on 19 March 2026", "Jane Doe"),
    ] {
        let clean = page(&format!("<div class=i>{line}</div><p>{LEAD}</p><p>{ONE}</p>"), "");
        assert_eq!(clean.metadata.authors, [name], "{line}");
    }
    let clean = page(
        &format!("<p>{LEAD}</p><p>{ONE}</p><h3>Written by Jane Doe</h3>"),
        "",
    );
    assert_eq!(clean.metadata.authors, ["Jane Doe"]);
    let none: [&str; 0] = [];
    let clean = page(
        &format!("<div>Beaten 3-2 by Arsenal</div><p>{LEAD}</p><p>{ONE}</p>"),
        "",
    );
    assert_eq!(clean.metadata.authors, none);
}

#[test]
fn authors_of_other_stories_are_not_this_ones() {
    let card =
        |title: &str, name: &str| format!("<div><h4>{title}</h4><span class=author>{name}</span></div>");
    let cards = [
        card("Ring road late", "Jutta Ahlborg"),
        card("Ferry at night", "Rolf Emmer"),
    ]
    .concat();
    let clean = page(
        &format!("<p>{LEAD}</p><p>{ONE}</p><p>{TWO}</p>"),
        &format!("<section>{cards}</section>"),
    );
    assert!(clean.metadata.authors.is_empty(), "{:?}", clean.metadata.authors);
}

#[test]
fn days_that_a_sentence_or_another_story_names_are_not_the_articles() {
    let clean = page(
        &format!(
            "<p>The fair opens on <time datetime=2027-09-14>14 September</time>, the council said.</p><p>{LEAD}</p><p>{ONE}</p>"
        ),
        "<ul class=c><li><a href=/a><time datetime=2026-03-25>25 March</time> Ring road</a><li><a href=/b><time datetime=2026-03-24>24 March</time> Ferry</a></ul>",
    );
    // The address has a day of its own.
    assert_eq!(day(&clean).as_deref(), Some("2026-03-20"));
}

#[test]
fn papers_are_cut_from_titles() {
    let title = |title: &str| {
        let clean = html(&format!(
            "<html><head><title>{title}</title></head><body><p>{LEAD}</p><p>{ONE}</p></body></html>"
        ));
        clean.metadata.title.map(|t| t.value).unwrap_or_default()
    };
    for (stated, expected) in [
        (
            "Weir to close for nine weeks | The Brenmark Post",
            "Weir to close for nine weeks",
        ),
        (
            "Weir to close for nine weeks > The Brenmark Post",
            "Weir to close for nine weeks",
        ),
        (
            "哈尔马克石坝下周一起关闭_新闻_哈尔马克网",
            "哈尔马克石坝下周一起关闭",
        ),
        (
            "哈尔马克石坝下周一起关闭-哈尔马克日报",
            "哈尔马克石坝下周一起关闭",
        ),
        ("哈尔马克石坝-下周一起关闭", "哈尔马克石坝-下周一起关闭"),
    ] {
        assert_eq!(title(stated), expected, "{stated}");
    }
}

#[test]
fn tables_have_rows_in_common() {
    let plan = "<table><tr><td>Week<td>Monday<td>Tuesday<td>Wednesday<td>Thursday<td>Friday<td>Sunday</tr><tr><td>One<td>Rest<td>Six miles<td>Swim<td>Rest<td>Ten miles<td>Rest</tr></table>";
    let clean = page(&format!("<p>{LEAD}</p>{plan}<p>{ONE}</p>{plan}<p>{TWO}</p>"), "");
    assert_eq!(clean.body().matches("Week | Monday | Tuesday").count(), 2);
}

#[test]
fn a_heading_that_is_a_link_stays_beside_its_text() {
    let sections = |open: &str, close: &str| {
        [
            ("The old lock", ONE),
            ("The ferry house", TWO),
            ("The grey mill", THREE),
        ]
        .map(|(name, text)| format!("{open}<h3><a href=/p>{name}</a></h3><p>{text}</p>{close}"))
        .concat()
    };
    let clean = page(&format!("<p>{LEAD}</p>{}", sections("", "")), "");
    assert!(kept(&clean, "The ferry house"), "{}", clean.body());
    // Teasers of other articles stand in boxes of their own.
    let clean = page(
        &format!(
            "<p>{LEAD}</p><p>{ONE}</p><p>{TWO}</p>{}",
            sections("<div>", "</div>").replace(ONE, "Halmark.")
        ),
        "",
    );
    assert!(!kept(&clean, "The ferry house"), "{}", clean.body());
}

#[test]
fn an_entry_that_is_a_link_stays_among_entries_that_are_none() {
    let list =
        "<ul><li>Repairs to both gates<li><a href=/d>Divers on call</a><li>New pumps for the old lock</ul>";
    let clean = page(&format!("<p>{LEAD}</p><p>{ONE}</p>{list}<p>{TWO}</p>"), "");
    assert!(kept(&clean, "Divers on call"), "{}", clean.body());
    let links = "<ul><li>Repairs<li><a href=/d>Divers on call</a><li><a href=/p>New pumps</a></ul>";
    let clean = page(&format!("<p>{LEAD}</p><p>{ONE}</p>{links}<p>{TWO}</p>"), "");
    assert!(!kept(&clean, "Divers on call"), "{}", clean.body());
}

#[test]
fn a_long_standfirst_is_the_first_paragraph() {
    let long = [LEAD, ONE, TWO, THREE].join(" ");
    let rest: String = (1..12)
        .map(|n| format!("<p>At lock number {n} the keepers had counted more boats by Thursday than in all of last May.</p>"))
        .collect();
    let clean = page(&format!("<p class=intro>{long}</p>{rest}"), "");
    assert!(kept(&clean, &long));
    let clean = page(&format!("<p class=intro>{ONE}</p>{rest}"), "");
    assert!(!kept(&clean, ONE) && clean.blocks.iter().any(|b| b.kind == BlockKind::Dek));
}

#[test]
fn what_a_paper_earns_from_readers_is_not_the_article() {
    for note in [
        "Note: if you buy something through a link on this page, I may earn a commission without any cost to you.",
        "This post may contain affiliate links, see the full disclosure.",
    ] {
        let clean = page(&format!("<p>{LEAD}</p><p>{note}</p><p>{ONE}</p><p>{TWO}</p>"), "");
        assert_eq!(rule_of(&clean, note), "affiliate-note");
    }
    let trade = "Brokers earn a commission on each barge, and bloggers were told to mark affiliate links on their pages.";
    let clean = page(
        &format!("<p>{LEAD}</p><p>{trade}</p><p>{ONE}</p><p>{TWO}</p>"),
        "",
    );
    assert!(kept(&clean, trade));
}

#[test]
fn a_note_on_the_author_is_not_the_article() {
    let note = "Jane Doe has been reporting on the canals of the north for The Brenmark Post since 2019.";
    let text = format!("<p>{LEAD}</p><p>{ONE}</p><p>{TWO}</p><p>{THREE}</p><p>{note}</p>");
    let signed = page(&format!("<p class=byline>By Jane Doe</p>{text}"), "");
    assert_eq!(rule_of(&signed, note), "author-note");
    let by_another = page(&format!("<p class=byline>By John Roe</p>{text}"), "");
    assert!(kept(&by_another, note));
}
