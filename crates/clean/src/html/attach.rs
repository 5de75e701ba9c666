//! Links and pictures: which of the page's are the article's, with addresses that are whole and of the web.

use std::collections::HashSet;
use std::ops::Range;

use copydesk_article::{BlockKind, Image, Link, Markup, safe_address};
use url::Url;

use super::page::Elem;
use super::pictures::PageImage;
use super::tags::{Flags, Tag};
use crate::draft::Draft;
use crate::metadata::web_address;

/// The most pictures that an article has.
const MOST_OF_ARTICLE: usize = 100;

/// What the addresses of a page are relative to: what it says itself, else its own address.
pub(super) fn base(stated: Option<&str>, url: Option<&str>) -> Option<Url> {
    let own = url.and_then(|u| Url::parse(u).ok());
    match (stated, own) {
        (Some(stated), Some(own)) => own.join(stated).ok().or(Some(own)),
        (Some(stated), None) => Url::parse(stated).ok(),
        (None, own) => own,
    }
}

fn absolute(address: &str, base: Option<&Url>) -> Option<String> {
    safe_address(&web_address(address, base)?)
}

/// What blocks were, and their links: of those that are the article's.
pub(super) fn mark_up(draft: &mut Draft, tag: Tag, links: Vec<Link>, base: Option<&Url>) {
    if !draft.is_kept() || !draft.kind.is_body() {
        return;
    }
    let level = match tag {
        Tag::H(level) => level,
        _ => 0,
    };
    let is_row = tag == Tag::Row && draft.text.contains(" | ");
    let links: Vec<Link> = links
        .into_iter()
        .filter_map(|link| {
            let url = absolute(&link.url, base)?;
            Some(Link { url, ..link })
        })
        .collect();
    if level > 0 || is_row || !links.is_empty() {
        draft.markup = Some(Box::new(Markup {
            level,
            is_row,
            links,
            images: Vec::new(),
        }));
    }
}

/// Gives the article's pictures to the blocks before which they stand. `within`: the blocks from the headline to the end of
/// the region.
pub(super) fn place_images(
    drafts: &mut [Draft],
    images: Vec<PageImage>,
    elems: &[Elem],
    within: Range<usize>,
    base: Option<&Url>,
) {
    let apart = Flags::NAV
        .union(Flags::ASIDE)
        .union(Flags::FORM)
        .union(Flags::BUTTON)
        .union(Flags::CARD)
        .union(Flags::HIDDEN)
        .union(Flags::FOOTER);
    let mut seen = HashSet::new();
    // Nothing behind the last paragraph but its own picture is the article's.
    let end = drafts.iter().rposition(Draft::is_kept).map_or(0, |i| i + 1);
    for image in images {
        let own = elems
            .get(image.elem)
            .is_some_and(|e| e.widget.is_none() && !e.flags.has(apart));
        if !own || !within.contains(&image.at) || image.at > end || seen.len() >= MOST_OF_ARTICLE {
            continue;
        }
        let Some(url) = absolute(&image.url, base).filter(|u| seen.insert(u.clone())) else {
            continue;
        };
        let caption = drafts.get(image.at).filter(|d| d.kind == BlockKind::Caption);
        let caption = caption.map(|d| d.text.clone());
        if let Some(draft) = drafts.get_mut(image.at) {
            let markup = draft.markup.get_or_insert_default();
            markup.images.push(Image {
                url,
                alt: image.alt,
                caption,
            });
        }
    }
}
