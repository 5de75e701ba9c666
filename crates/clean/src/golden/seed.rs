use super::*;

/// The shape that the project was made for: headline, body, a caption twice (once with its agency credit),
/// and a "Check Also" block with headline and teaser at the end.
const SEED: &str = "Velmoran premier and Kestrian president end first day of canal talks as Ilmen rejects toll plan

Velmoran Prime Minister Ilse Marrick hosted Kestrian President Dorin Halvek at the Customs House in Port Aurel on Sunday for nearly five hours of talks, state radio reported. 

The two leaders are due to meet again on Tuesday morning, this time with their transport ministers at the table. 


“A plan that does not begin there is a way of buying time,” Renn said. “If we sign up to tolls before the locks are repaired, we pay twice.” 

Velmora and Kestria do not recognise the tribunal. 

Kestrian President Dorin Halvek arrives at the Customs House in Port Aurel, Velmora, March 15, 2026. 

Kestrian President Dorin Halvek arrives at the Customs House in Port Aurel, Velmora, March 15, 2026.  (Meridian/Anneke Solberg/Pool via NORTHWIRE)

Shipping firms will be watching on Tuesday to see whether the two governments set a date for the first tolls. 

“They are running out of money for the gates,” Oskarsen told Radio Lorne on Monday. 

Check Also

Brennish crews threaten harbour blockade over quota: ‘we have nothing left to lose’

Fishing crews on the Brennish coast are warning the ministry that they will not …2
";

#[test]
fn the_seed_article_comes_out_clean() {
    let clean = text(SEED);
    assert_eq!(
        clean.metadata.title.as_ref().map(|t| t.value.as_str()),
        Some(
            "Velmoran premier and Kestrian president end first day of canal talks as Ilmen rejects toll plan"
        )
    );
    let body = clean.body();
    assert!(body.starts_with("Velmoran Prime Minister Ilse Marrick hosted"));
    assert!(body.ends_with("Oskarsen told Radio Lorne on Monday."));
    assert_eq!(clean.paragraphs().count(), 6, "{body}");
    let captions: Vec<_> = clean.captions().collect();
    assert_eq!(captions.len(), 1);
    assert!(captions[0].ends_with("(Meridian/Anneke Solberg/Pool via NORTHWIRE)"));
    let removed: Vec<_> = clean.removed().map(|(_, _, r)| r.rule.as_str()).collect();
    assert_eq!(
        removed,
        [
            "repeated-caption",
            "related-marker",
            "related-item",
            "related-item"
        ]
    );
}

#[test]
fn the_same_glued_into_one_line_loses_only_its_tail() {
    let one_line = SEED.split_whitespace().collect::<Vec<_>>().join(" ");
    let clean = text(&one_line);
    let body = clean.body();
    assert!(body.ends_with("Oskarsen told Radio Lorne on Monday."), "{body}");
    for gone in [
        "Check Also",
        "Brennish crews",
        "(Meridian/Anneke",
        "arrives at the Customs House in Port Aurel, Velmora",
    ] {
        assert!(!body.contains(gone), "{gone} is still in: {body}");
    }
}

#[test]
fn a_text_of_nothing_but_boilerplate_is_refused() {
    for body in ["Check Also", "Advertisement\n\nShare\n\n12 comments", "***\n---"] {
        let raw = RawArticle::from_body(RawBody::Text(body.to_owned()));
        assert_eq!(
            cleaner().clean(&raw).unwrap_err().reason,
            Reason::NoArticle,
            "{body}"
        );
    }
}

#[test]
fn a_caption_keeps_its_kind_when_it_is_removed() {
    let clean = text(SEED);
    assert!(
        clean
            .blocks
            .iter()
            .any(|b| b.kind == BlockKind::Caption && !b.is_kept())
    );
}
