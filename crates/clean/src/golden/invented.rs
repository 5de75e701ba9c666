//! Kinds of lines and pages that no rule was written for: a few of each, in many languages.

use super::*;

fn page(inner: &str) -> CleanArticle {
    html(&format!(
        "<html lang=en><head><title>Weir to close | The Brenmark Post</title></head><body>\
         <article><h1>Weir to close</h1>{inner}</article></body></html>"
    ))
}

/// A text with a line in its middle, and one with the line at its end.
fn around(line: &str) -> [CleanArticle; 2] {
    [
        text(&format!("{LEAD}\n\n{ONE}\n\n{line}\n\n{TWO}\n\n{THREE}")),
        text(&format!("{LEAD}\n\n{ONE}\n\n{TWO}\n\n{THREE}\n\n{line}")),
    ]
}

#[test]
fn lines_that_send_readers_on_go_in_many_languages() {
    for line in [
        "Bu habere de göz atın: Feribot gece yarısına kadar",
        "إقرأ أيضًا.. العبارة تعمل ليلا",
        "हे वाचलं का? नाव मध्यरात्रीपर्यंत",
        "ये भी प\u{95d}ें | नाव आधी रात तक",
        "Lesen Sie hierzu auch: Fähre fährt bis Mitternacht",
        "بیشتر بخوانید؛ کشتی تا نیمه‌شب",
        "Nota recomendada: El transbordador navega hasta medianoche",
        "【あわせて読む】渡し船、深夜まで",
        "คลิกอ่าน: เรือวิ่งถึงเที่ยงคืน",
        "আরও পড়ুন- ফেরি চলবে মাঝরাত পর্যন্ত",
        "இதையும் படிக்க: படகு நள்ளிரவு வரை",
        "یہ بھی پڑھیں: کشتی آدھی رات تک",
        "Notre dossier : le bac jusqu'à minuit",
        "Approfondimento: il traghetto fino a mezzanotte",
        "Relembre: balsa até a meia-noite",
        "СМ. ТАКЖЕ Паром до полуночи",
        "延伸阅读|渡轮至午夜",
        "▶ 함께 보면 좋은 기사: 나룻배 자정까지",
        "Zobacz koniecznie: prom do północy",
        "Read more > Ferry runs until midnight",
    ] {
        for clean in around(line) {
            assert_eq!(clean.body().matches(line).count(), 0, "{line}");
            assert!(clean.body().contains(THREE), "{line}: {}", clean.body());
        }
    }
}

#[test]
fn buttons_of_every_network_go() {
    for line in [
        "Share on Bluesky",
        "Auf Mastodon teilen",
        "Compartir en WhatsApp",
        "Telegram'da Paylaş",
        "شارك عبر فيسبوك",
        "व्हाट्सएप पर शेयर करें",
        "分享到微博",
        "카카오톡으로 공유",
    ] {
        let clean = text(&format!("Weir to close\n\n{line}\n\n{LEAD}\n\n{ONE}\n\n{TWO}"));
        assert_eq!(rule_of(&clean, line), "share", "{line}");
    }
}

#[test]
fn sentences_stay_that_only_sound_like_a_prompt() {
    for line in [
        "Watch the gates, the surveyor told the board, and then decide.",
        "Get the app working again, the harbour master wrote to the firm in March.",
        "You have read the plan, the mayor said, so vote.",
        "Your support is the only thing that keeps the weir up, the chairwoman told the volunteers.",
        "US officials in the WhatsApp channel were no help.",
        "Disclaimer or not, the firm is liable, a lawyer told the council.",
        "The views expressed at the hearing were those of three families.",
        "Voir aussi loin que possible était le métier du gardien.",
        "Więcej o kosztach gmina powie w maju.",
        "灯台の形のクッキーは完売した。",
        "구독하기 쉬운 소식지를 만들겠다고 시장은 말했다.",
        "اقرأ أيضا ما كتبه البحارة على الجدران، هكذا قال الدليل للزوار وهو يرفع المصباح.",
        "यह भी पढ़ें कि दीवार पर क्या लिखा है, गाइड ने आगंतुकों से कहा।",
    ] {
        for clean in around(line) {
            assert!(clean.body().contains(line), "{line}: {}", rule_of(&clean, line));
        }
    }
}

#[test]
fn a_heading_stays_above_its_paragraph() {
    for heading in [
        "Why Google News forgot the town",
        "About the costs",
        "Der Newsletter als Waffe",
        "Über die Kosten",
    ] {
        let early = page(&format!(
            "<p>{LEAD}</p><h2>{heading}</h2><p>{ONE}</p><p>{TWO}</p>"
        ));
        assert!(early.body().contains(heading), "{heading}");
        let more = [LEAD, ONE, TWO, THREE]
            .map(|p| {
                format!(
                    "<p>{p}</p><p>{p} Again, in other words, the board said the same of the old lock.</p>"
                )
            })
            .concat();
        let costs = "The board puts the costs at two million crowns, a third of it for the gates.";
        let late = page(&format!("{more}<h2>{heading}</h2><p>{costs}</p>"));
        assert!(
            late.body().contains(heading) && late.body().contains(costs),
            "{heading}"
        );
    }
}

#[test]
fn a_short_line_announces_a_list_of_links() {
    let list = "<ul><li><a href=/a>Grey Head</a><li><a href=/b>Kelp Rock</a></ul>";
    let clean = page(&format!(
        "<p>{LEAD}</p><p>Two locks on this coast may still be used:</p>{list}<p>{ONE}</p><p>{TWO}</p>"
    ));
    assert!(clean.body().contains("Kelp Rock"), "{}", clean.body());
    let clean = page(&format!(
        "<p>{LEAD}</p><p>You may also be interested in:</p>{list}<p>{ONE}</p><p>{TWO}</p>"
    ));
    assert!(!clean.body().contains("Kelp Rock"), "{}", clean.body());
}

#[test]
fn a_paragraph_that_its_author_repeats_stays() {
    let others: Vec<String> = (1..16)
        .map(|n| {
            format!(
                "At lock number {n} the keepers had counted more boats by Thursday than in all of last May."
            )
        })
        .collect();
    let again = text(&format!("{LEAD}\n\n{}\n\n{LEAD}\n\n{ONE}", others.join("\n\n")));
    assert_eq!(again.body().matches(LEAD).count(), 2);
    let excerpt = text(&format!("{LEAD}\n\n{ONE}\n\n{LEAD}\n\n{}", others.join("\n\n")));
    assert_eq!(excerpt.body().matches(LEAD).count(), 1);
}

#[test]
fn a_role_is_nobody() {
    let none: [&str; 0] = [];
    for role in ["Staff Reporter", "Our Special Correspondent", "undefined"] {
        let clean = page(&format!("<p class=byline>By {role}</p><p>{LEAD}</p><p>{ONE}</p>"));
        assert_eq!(clean.metadata.authors, none, "{role}");
    }
    for somebody in ["Lifestyle Desk", "Our Editors"] {
        let clean = page(&format!(
            "<p class=byline>By {somebody}</p><p>{LEAD}</p><p>{ONE}</p>"
        ));
        assert_eq!(clean.metadata.authors, [somebody]);
    }
    let clean = page(&format!(
        "<p class=byline>Por Jane Doe, da redação</p><p>{LEAD}</p><p>{ONE}</p>"
    ));
    assert_eq!(clean.metadata.authors, ["Jane Doe"]);
}

#[test]
fn papers_are_cut_from_titles_in_scripts_with_spaces() {
    for (stated, title) in [
        ("옛 등대 9주간 모두 폐쇄 - 해안일보", "옛 등대 9주간 모두 폐쇄"),
        ("पुराना बांध नौ सप्ताह बंद - तट समाचार", "पुराना बांध नौ सप्ताह बंद"),
    ] {
        let clean = html(&format!(
            "<html><head><title>{stated}</title></head><body><p>{LEAD}</p><p>{ONE}</p></body></html>"
        ));
        assert_eq!(clean.metadata.title.unwrap().value, title);
    }
}
