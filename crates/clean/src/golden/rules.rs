//! Every rule of the built-in file takes out a line of its kind, in a text and where its zone lets it.

use super::*;

const PROSE: [&str; 5] = [
    "Seven ships that had been waiting off the Grey Bank came in at dawn, the harbour master said on the quay on Friday.",
    "Divers had searched the channel for a lost anchor chain until late on Thursday night, and found it under the light.",
    "The council will discuss a second tug at its meeting in April, although nobody on the island agrees who is to pay.",
    "Until then the old one, built in 1961 and named after a saint, is to be seen at her berth by the fish market there.",
    "Her engine, the third since she was built, will be looked at by a fitter from the mainland before the autumn gales.",
];

fn with(line: &str, at: usize) -> CleanArticle {
    let mut lines: Vec<&str> = PROSE.to_vec();
    lines.insert(at, line);
    text(&lines.join("\n\n"))
}

#[test]
fn lines_in_the_middle_go_by_their_rule() {
    for (line, rule) in [
        ("Advertisement", "advert"),
        (
            "Story continues below advertisement, please scroll",
            "advert-line",
        ),
        ("Lesen Sie auch: Fähre wird teurer", "related-line"),
        ("Lea también: Sube el precio del billete", "related-line"),
        ("Leia também: Bilhete fica mais caro", "related-line"),
        ("Lire aussi : le billet augmente", "related-line"),
        ("Czytaj także: Bilety drożeją", "related-line"),
        ("Читайте также: Билеты дорожают", "related-line"),
        ("Baca juga: Harga tiket naik", "related-line"),
        ("यह भी पढ़ें: टिकट महंगे हुए", "related-line"),
        ("اقرأ أيضا: ارتفاع أسعار التذاكر", "related-line"),
        ("Διαβάστε επίσης: Ακριβότερα εισιτήρια", "related-line"),
        ("Xem thêm: Giá vé tăng", "related-line"),
        ("Lees ook: Kaartjes worden duurder", "related-line"),
        ("Leggi anche: Biglietti più cari", "related-line"),
        ("Les også: Billettene blir dyrere", "related-line"),
        ("Sign up for our newsletter and never miss a tide", "newsletter"),
        (
            "The tide table comes straight to your inbox every Friday at noon",
            "newsletter-within",
        ),
        ("Download our app for the tide table", "app-prompt"),
        ("Share on Facebook", "share"),
        ("This site uses cookies, as every site does", "consent"),
        (
            "© 2026 The Brenmark Post. All rights reserved.",
            "rights-reserved",
        ),
        ("1.2K shares", "share-counter"),
        ("Image 3 of 12", "share-counter"),
        ("***", "no-words"),
    ] {
        let clean = with(line, 2);
        assert_eq!(rule_of(&clean, line), rule, "{line}");
        assert_eq!(clean.paragraphs().count(), 5, "{line}: {}", clean.body());
    }
}

#[test]
fn markers_in_many_languages_head_teasers_at_the_end() {
    for marker in [
        "Check Also",
        "Related Articles",
        "Das könnte Sie auch interessieren",
        "À lire aussi",
        "Te puede interesar",
        "Leia também",
        "Leggi anche",
        "Lees ook",
        "Läs också",
        "Lue myös",
        "Czytaj także",
        "Читайте также",
        "Читайте також",
        "Čtěte také",
        "Διαβάστε επίσης",
        "Bunlar da ilginizi çekebilir",
        "Baca juga",
        "Xem thêm",
        "اقرأ أيضا",
        "यह भी पढ़ें",
        "关联阅读".replace("关联", "相关").as_str(),
        "関連記事",
        "관련 기사",
    ] {
        let tail = format!(
            "{marker}\n\nFerry fares to rise in May\n\nThe line says that it has no choice, after a winter of …"
        );
        let clean = text(&format!("{}\n\n{tail}", PROSE.join("\n\n")));
        assert_eq!(clean.paragraphs().collect::<Vec<_>>(), PROSE, "{marker}");
    }
}

#[test]
fn a_sentence_with_a_rules_words_in_it_stays() {
    for sentence in [
        "He asked the reporters to share the story with anyone who had ever waited for a ferry in the rain on this island.",
        "The advertisement that the line had placed in the paper on Monday was read by nobody, to judge by the empty quay.",
        "More from the council than a promise is not to be had before the elections, said the skipper of the smaller boat.",
        "About the tug nothing was decided on Friday, and about the ferry even less, the minutes of the meeting say at the end.",
    ] {
        let clean = with(sentence, 3);
        assert!(clean.body().contains(sentence), "{}", rule_of(&clean, sentence));
    }
}
