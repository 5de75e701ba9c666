//! Pictures and links as the page has them.

use dom_query::Element;

use super::tags::attr;
use crate::normalise::fold_space;

/// A picture of the page.
#[derive(Debug)]
pub(crate) struct PageImage {
    /// Its element.
    pub(crate) elem: usize,
    /// The block before which it stands.
    pub(crate) at: usize,
    /// Its address, as the page has it.
    pub(crate) url: String,
    pub(crate) alt: Option<String>,
}

/// The most pictures of a page that are looked at, and of links in a block.
pub(super) const MOST_IMAGES: usize = 300;
pub(super) const MOST_LINKS: usize = 200;
/// The longest address, in bytes.
const LONGEST: usize = 2048;
/// The longest text of a picture, in characters.
const LONGEST_ALT: usize = 500;
/// A picture that is said to be smaller than this, in pixels, is a sign or a counter.
const SMALLEST: u32 = 100;

/// Whether an address leads away from the page.
pub(super) fn is_link(href: &str) -> bool {
    let href = href.trim_start();
    !href.is_empty() && !href.starts_with('#') && href.len() <= LONGEST
}

/// The address of a picture and its text, unless it is one that is drawn beside text. What is loaded late has its address in
/// another attribute.
pub(super) fn picture(element: &Element) -> Option<(String, Option<String>)> {
    const LATE: [&str; 5] = ["data-src", "data-original", "data-lazy-src", "data-image", "src"];
    let small = |name: &str| {
        let size = attr(element, name).and_then(|s| s.trim_end_matches("px").trim().parse::<u32>().ok());
        size.is_some_and(|s| s < SMALLEST)
    };
    if small("width") || small("height") {
        return None;
    }
    let whole = |url: &&str| !url.is_empty() && url.len() <= LONGEST && !url.starts_with("data:");
    let url = LATE
        .iter()
        .filter_map(|name| attr(element, name))
        .map(str::trim)
        .find(whole)
        .or_else(|| {
            largest(attr(element, "srcset").or_else(|| attr(element, "data-srcset"))?).filter(whole)
        })?;
    let alt = attr(element, "alt").map(fold_space);
    let alt = alt.filter(|a| !a.is_empty() && a.chars().count() <= LONGEST_ALT);
    Some((url.to_owned(), alt))
}

/// The last address of a list of sizes: the largest, as they are usually given.
fn largest(sizes: &str) -> Option<&str> {
    sizes.rsplit(", ").next()?.split_whitespace().next()
}
