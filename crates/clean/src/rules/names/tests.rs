//! Names that are components, and names that only look like one.

use super::*;

fn parts_of(name: &str) -> Vec<String> {
    let mut scratch = Scratch::default();
    split(name, &mut scratch);
    scratch
        .ends
        .iter()
        .filter_map(|(a, b)| scratch.joined.get(*a..*b))
        .map(str::to_owned)
        .collect()
}

#[test]
fn names_fall_into_parts() {
    assert_eq!(
        parts_of("relatedStories__list-2"),
        ["related", "stories", "list", "2"]
    );
    assert_eq!(parts_of("ArticleBody"), ["article", "body"]);
    assert_eq!(parts_of("--x--"), ["x"]);
}

#[test]
fn parts_in_a_row_are_found() {
    let mut names = Names::default();
    names.add_widget("read-next", 3, false, false);
    names.add_hints(&super::super::file::Hint {
        body: vec!["article-body".to_owned()],
        ..Default::default()
    });
    let read = |text: &str| {
        let mut hints = NameHints::default();
        names.read(text, Attribute::Class, &mut Scratch::default(), &mut hints);
        hints
    };
    assert_eq!(read("box readNext-2").claim, Some(0));
    assert_eq!(read("read more next").claim, None);
    assert!(read("c-articleBody__inner").body);
}

#[test]
fn modifiers_utilities_and_headings_name_no_widget() {
    let mut names = Names::default();
    for (widget, part) in ["ad", "comments", "promo", "podcast", "sidebar", "font-size"]
        .iter()
        .enumerate()
    {
        names.add_widget(part, u16::try_from(widget).unwrap(), false, false);
    }
    let claim = |text: &str, kind: Attribute| {
        let mut hints = NameHints::default();
        names.read(text, kind, &mut Scratch::default(), &mut hints);
        hints.claim
    };
    for name in [
        "text--with-ad",
        "article__body--promo",
        "no-comments",
        "page-with-sidebar",
        "promo-free",
        "promo-enabled",
        "has-large-font-size",
        "md:sidebar",
        "xAdKq",
    ] {
        assert_eq!(claim(name, Attribute::Class), None, "{name}");
    }
    assert_eq!(claim("a-podcast-about-the-sea", Attribute::Id), None);
    assert_eq!(claim("podcast", Attribute::HeadingId), None);
    for name in [
        "ad",
        "AdSlot",
        "topAd-1",
        "story__sidebar",
        "article-comments--open",
        "promo",
    ] {
        assert!(claim(name, Attribute::Class).is_some(), "{name}");
    }
    assert!(claim("podcast-box", Attribute::Id).is_some());
}
