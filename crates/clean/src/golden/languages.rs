//! What papers put around their articles, and sentences of articles that sound like it: `languages.txt`.

use super::*;

/// The lines of a section: what goes from the middle of an article and from its end, what goes from its end, what stays.
fn lines(section: &str) -> impl Iterator<Item = &'static str> {
    let all = include_str!("languages.txt").lines().map(str::trim);
    let from = all.skip_while({
        let heading = format!("[{section}]");
        move |l| *l != heading
    });
    from.skip(1)
        .take_while(|l| !(l.starts_with('[') && l.ends_with(']') && l.is_ascii()))
        .filter(|l| !l.is_empty())
}

fn fails(lines: impl Iterator<Item = &'static str>, all_places: bool, goes: bool) -> Vec<String> {
    let mut out = Vec::new();
    for line in lines {
        let middle = text(&format!("{LEAD}\n\n{ONE}\n\n{line}\n\n{TWO}\n\n{THREE}"));
        let end = text(&format!("{LEAD}\n\n{ONE}\n\n{TWO}\n\n{THREE}\n\n{line}"));
        let page = html(&format!(
            "<html lang=en><body><article><h1>Weir to close</h1><p>{LEAD}</p><p>{ONE}</p><p>{TWO}</p><p>{THREE}</p><p>{line}</p></article></body></html>"
        ));
        let places = [("middle", middle), ("end", end), ("page", page)];
        for (place, clean) in places.iter().skip(usize::from(!all_places)) {
            let whole = [LEAD, ONE, TWO, THREE].iter().all(|p| clean.body().contains(p));
            if !whole || clean.body().contains(line) == goes {
                out.push(format!("{place}: {line} ({})", rule_of(clean, line)));
            }
        }
    }
    out
}

#[test]
fn lines_of_the_paper_go() {
    let mut failed = fails(lines("anywhere"), true, true);
    failed.extend(fails(lines("end"), false, true));
    assert!(failed.is_empty(), "{}\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn sentences_of_the_article_stay() {
    let failed = fails(lines("stay"), true, false);
    assert!(failed.is_empty(), "{}\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn elements_of_comments_are_known_by_their_names() {
    let remark =
        "They should have thought of that before they closed the road, and who pays for my ferry now?";
    for class in [
        "comments-widget",
        "article-comments__list",
        "CommentsSection",
        "fb-comments",
        "comment-thread",
        "reader-comments",
    ] {
        for place in ["<article>@</article>", "<article></article><div>@</div>"] {
            let comments =
                format!("<div class='{class}'><p>{remark}</p><p>{remark} Well, I do not.</p></div>");
            let article = format!("<h1>Weir to close</h1><p>{LEAD}</p><p>{ONE}</p><p>{TWO}</p>{comments}");
            let clean = html(&format!(
                "<html lang=en><body>{}</body></html>",
                place.replace('@', &article)
            ));
            assert!(!clean.body().contains(remark), "{class} in {place}");
            assert!(clean.body().contains(TWO), "{class} in {place}");
        }
    }
}

#[test]
fn marks_of_a_cut_go_and_the_words_before_them_stay() {
    for (mark, words) in [
        (
            "Barges on the northern canal will use the old lock, which adds … [+1234 chars]",
            "which adds",
        ),
        (
            "Barges on the northern canal will use the old lock, which adds...[+123 chars]",
            "which adds",
        ),
        (
            "Barges on the northern canal will use the old lock, which adds […]",
            "which adds",
        ),
        (
            "Barges on the northern canal will use the old lock, which adds [...]",
            "which adds",
        ),
        (
            "Barges on the northern canal will use the old lock, which adds [&hellip;]",
            "which adds",
        ),
    ] {
        let clean = text(&format!("{LEAD}\n\n{ONE}\n\n{mark}"));
        let page = html(&format!(
            "<html lang=en><body><article><h1>Weir to close</h1><p>{LEAD}</p><p>{ONE}</p><p>{mark}</p></article></body></html>"
        ));
        for clean in [clean, page] {
            let body = clean.body();
            assert!(body.contains(words) && !body.contains("chars]"), "{mark}: {body}");
            assert!(!body.contains('['), "{mark}: {body}");
        }
    }
    // Within a text it stands for what somebody left out.
    let quoted = "“The gates [...] will be repaired,” the letter says, “and the lock […] opened again.”";
    assert!(
        text(&format!("{LEAD}\n\n{quoted}\n\n{ONE}"))
            .body()
            .contains(quoted)
    );
}

#[test]
fn comments_go_from_behind_a_short_article() {
    for (heading, words) in [
        (
            "Comments",
            "Good that somebody looks after the old weir at last, I say.",
        ),
        (
            "Kommentare",
            "Endlich kümmert sich jemand um das alte Wehr, das wurde Zeit.",
        ),
        (
            "About the author",
            "She has covered canals and harbours of the north since 2011.",
        ),
        (
            "Sobre el autor",
            "Cubre los canales y puertos del norte desde el año 2011.",
        ),
    ] {
        for clean in [
            text(&format!("{LEAD}\n\n{ONE}\n\n{TWO}\n\n{heading}\n\n{words}")),
            html(&format!(
                "<html lang=en><body><article><h1>Weir to close</h1><p>{LEAD}</p><p>{ONE}</p><p>{TWO}</p><h3>{heading}</h3><p>{words}</p></article></body></html>"
            )),
        ] {
            assert!(
                !clean.body().contains(heading) && !clean.body().contains(words),
                "{heading}: {}",
                clean.body()
            );
        }
    }
    // A section of the article is not left without its heading.
    for heading in ["Discussion", "Diskussion", "Topics"] {
        let clean = text(&format!("{LEAD}\n\n{ONE}\n\n{heading}\n\n{TWO}\n\n{THREE}"));
        assert!(
            clean.body().contains(heading) && clean.body().contains(TWO),
            "{heading}: {}",
            clean.body()
        );
    }
}
