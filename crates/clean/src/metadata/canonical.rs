//! The canonical address of a page.

use ::url::Url;
use copydesk_article::address::twin_key;
use copydesk_article::{Metadata, MetadataSource, Sourced};

use super::facts::Facts;
use crate::url::{is_route, normalise_url, same_site, site_of};

/// `rel=canonical`, else `og:url`, where it is plausible: an address on the same site that is not its front page.
pub(super) fn canonical(m: &mut Metadata, facts: &Facts, og_url: Option<&str>) {
    let own = m.url.as_deref().and_then(|u| Url::parse(u).ok());
    let stated = [
        (facts.canonical.as_deref(), MetadataSource::Link),
        (og_url, MetadataSource::Meta),
    ];
    let found = stated
        .into_iter()
        .find_map(|(text, source)| Some((plausible(text?, own.as_ref())?, source)));
    let Some(((url, site), source)) = found else {
        return;
    };
    if m.site.is_none() {
        m.site = Some(Sourced::new(site, source));
    }
    let own = m.canonical_url.take().map(|own| own.value);
    m.own_url = own.filter(|own| twin_key(own) != twin_key(&url));
    m.canonical_url = Some(Sourced::new(url, source));
}

/// An address that a page states as its own, and its site.
fn plausible(text: &str, own: Option<&Url>) -> Option<(String, String)> {
    let text = text.trim();
    if is_template(text) {
        return None;
    }
    let absolute = match own {
        Some(own) => match with_scheme(text, own) {
            Some(url) => url,
            None if is_from_root(text, own) => own.join(&format!("/{text}")).ok()?,
            None => own.join(text).ok()?,
        },
        None => Url::parse(text)
            .or_else(|_| Url::parse(&format!("https:{text}")))
            .ok()?,
    };
    // The shell of a page that is drawn in the browser claims the same address for all of its routes.
    let route = |url: &Url| url.fragment().is_some_and(is_route);
    if own.is_some_and(route) && !route(&absolute) {
        return None;
    }
    let front = is_front_page(&absolute);
    let url = normalise_url(absolute.as_str())?;
    let site = site_of(&url)?;
    let foreign = own
        .and_then(|own| site_of(own.as_str()))
        .is_some_and(|own| !same_site(&own, &site));
    (!front && !foreign).then_some((url, site))
}

/// Whether a path without a slash at its start is written from the site's root: "sea/harbour" on /sea/harbour.
fn is_from_root(text: &str, own: &Url) -> bool {
    let first = text.split('/').next().filter(|f| !f.is_empty() && *f != text);
    first.is_some() && own.path_segments().and_then(|mut s| s.next()) == first
}

/// An address without its scheme: "news.example/a", which would be read as a path.
fn with_scheme(text: &str, own: &Url) -> Option<Url> {
    let host = text.split(['/', '?', '#']).next()?;
    let site = site_of(own.as_str())?;
    let is_host = host.contains('.') && same_site(&site, host.trim_start_matches("www."));
    is_host.then(|| Url::parse(&format!("{}://{text}", own.scheme())).ok())?
}

/// What a template leaves behind where a value was missing: "{{ url }}", "%post_id%", "undefined".
fn is_template(text: &str) -> bool {
    let lower: String = text.chars().flat_map(char::to_lowercase).collect();
    let missing = |part: &str| matches!(part, "undefined" | "null" | "none" | "nan" | "[object object]");
    text.is_empty()
        || text.contains("/:")
        || text.contains(['{', '}', '<', '>', '[', ']', '"', ' ', '\\'])
        || ["%7b", "%7d", "%5b", "%3c", "%22", "$("]
            .iter()
            .any(|t| lower.contains(t))
        || lower.split(['/', '?', '=', '&']).any(missing)
        || text
            .split('/')
            .any(|part| part.len() > 2 && part.starts_with('%') && part.ends_with('%'))
}

/// Whether an address is that of a whole site: its root, or that of a language.
fn is_front_page(url: &Url) -> bool {
    let path: Vec<&str> = url.path().split('/').filter(|p| !p.is_empty()).collect();
    url.query().is_none()
        && match path.as_slice() {
            [] => true,
            [one] => {
                one.len() == 2 && one.bytes().all(|b| b.is_ascii_alphabetic())
                    || matches!(
                        *one,
                        "index.html" | "index.php" | "index.htm" | "home" | "default.aspx"
                    )
            }
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_the_pages_own() {
        let own = Url::parse("https://www.news.example/sea/harbour?utm_source=x").unwrap();
        let read = |text: &str| plausible(text, Some(&own)).map(|(url, _)| url);
        for (text, expected) in [
            (
                "https://www.news.example/sea/harbour",
                Some("https://www.news.example/sea/harbour"),
            ),
            ("/sea/harbour", Some("https://www.news.example/sea/harbour")),
            (
                "//news.example/sea/harbour",
                Some("https://news.example/sea/harbour"),
            ),
            (
                "news.example/sea/harbour",
                Some("https://news.example/sea/harbour"),
            ),
            (
                "www.news.example/sea/harbour",
                Some("https://www.news.example/sea/harbour"),
            ),
            (
                "https://www.news.example/?p=12",
                Some("https://www.news.example/?p=12"),
            ),
            ("sea/harbour", Some("https://www.news.example/sea/harbour")),
            ("https://www.news.example/", None),
            ("https://www.news.example/en/", None),
            ("https://www.news.example/{{ slug }}", None),
            ("https://www.news.example/%7B%7Bslug%7D%7D", None),
            ("https://www.news.example/sea/undefined", None),
            ("https://www.news.example/%postname%/", None),
            ("https://other.test/sea/harbour", None),
            ("", None),
        ] {
            assert_eq!(read(text).as_deref(), expected, "{text}");
        }
        assert_eq!(
            plausible("https://news.example/a", None)
                .map(|(url, _)| url)
                .as_deref(),
            Some("https://news.example/a")
        );
        assert_eq!(plausible("/a", None), None);
    }
}
