//! The last look at metadata, wherever it comes from: addresses that lead to the web and hold no password, lines that are
//! lines.

use ::url::Url;
use copydesk_article::{Metadata, Sourced};

use crate::normalise::fold_space;

/// The longest image address that is kept, in bytes.
const LONGEST: usize = 2048;

/// Makes every field what its name says, or empties it.
pub(crate) fn harmless(m: &mut Metadata) {
    if let Some(url) = m.url.as_deref().and_then(without_login) {
        m.url = Some(url);
    }
    m.image_url = m.image_url.take().and_then(|image| {
        let base = m.url.as_deref().and_then(|u| Url::parse(u).ok());
        let value = web_address(&image.value, base.as_ref())?;
        Some(Sourced { value, ..image })
    });
    // A host has no white space; what a producer wrote for one may.
    for field in [
        &mut m.site,
        &mut m.site_name,
        &mut m.title,
        &mut m.dek,
        &mut m.language,
        &mut m.section,
        &mut m.agency,
    ] {
        if let Some(text) = field.as_ref().and_then(|f| mended(&f.value)) {
            *field = field
                .take()
                .filter(|_| !text.is_empty())
                .map(|f| Sourced { value: text, ..f });
        }
    }
    for list in [&mut m.authors, &mut m.tags] {
        for text in list.iter_mut() {
            if let Some(mended) = mended(text) {
                *text = mended;
            }
        }
        list.retain(|t| !t.is_empty());
    }
    if m.authors.is_empty() {
        m.authors_source = None;
    }
}

/// The address without user and password, if it has any.
fn without_login(address: &str) -> Option<String> {
    // Most addresses have no @, and reading one takes longer than looking for it.
    let mut url = address.contains('@').then(|| Url::parse(address).ok())??;
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    // Neither fails for an address that has them.
    let _ = (url.set_username(""), url.set_password(None));
    Some(url.into())
}

/// An address of the web, whole and without user and password. Whoever shows it makes a link of it: any other scheme
/// could run a script or read a file there.
pub(crate) fn web_address(text: &str, base: Option<&Url>) -> Option<String> {
    let text = text.trim();
    if text.len() > LONGEST {
        return None;
    }
    let mut url = match Url::parse(text) {
        Err(::url::ParseError::RelativeUrlWithoutBase) => base?.join(text).ok()?,
        other => other.ok()?,
    };
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return None;
    }
    let _ = (url.set_username(""), url.set_password(None));
    let address = String::from(url);
    (address.len() <= LONGEST).then_some(address)
}

/// A line of text without line ends, control characters and what turns the order of a line around; `None`: it is
/// one already.
fn mended(text: &str) -> Option<String> {
    // Most lines have no other bytes than these, which are looked at many at once.
    if text.bytes().fold(true, |all, b| all & (b' '..=b'~').contains(&b)) {
        return None;
    }
    let bad = |c: char| is_override(c) || c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    text.chars().any(bad).then(|| {
        let kept: String = text.chars().filter(|c| !is_override(*c)).collect();
        fold_space(&kept)
    })
}

/// Embeddings, overrides and isolates of direction: unclosed, they turn around whatever stands behind the field.
const fn is_override(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use copydesk_article::MetadataSource;

    use super::*;

    fn with(set: impl FnOnce(&mut Metadata)) -> Metadata {
        let mut m = Metadata {
            url: Some("https://news.example/a/b".into()),
            ..Metadata::default()
        };
        set(&mut m);
        harmless(&mut m);
        m
    }

    fn meta(text: &str) -> Option<Sourced<String>> {
        Some(Sourced::new(text.to_owned(), MetadataSource::Meta))
    }

    #[test]
    fn images_are_addresses_of_the_web() {
        let image = |text: &str| with(|m| m.image_url = meta(text)).image_url.map(|i| i.value);
        for bad in [
            "javascript:alert(1)",
            " JavaScript:alert(1)",
            "java\nscript:alert(1)",
            "data:text/html,<script>alert(1)</script>",
            "file:///etc/passwd",
            "vbscript:x",
            "ftp://img.example/a.jpg",
            "blob:https://img.example/a",
            "http://",
            &format!("https://img.example/{}", "a".repeat(3_000)),
        ] {
            assert_eq!(image(bad), None, "{bad}");
        }
        for (text, kept) in [
            ("https://img.example/a.jpg?w=1", "https://img.example/a.jpg?w=1"),
            ("HTTP://img.example/a.jpg", "http://img.example/a.jpg"),
            (
                "https://me:hunter2@img.example/a.jpg",
                "https://img.example/a.jpg",
            ),
            ("//img.example/a.jpg", "https://img.example/a.jpg"),
            ("/img/a.jpg", "https://news.example/img/a.jpg"),
            ("c.jpg", "https://news.example/a/c.jpg"),
            (
                "https://img.example/\u{202e}gpj.a\"onerror",
                "https://img.example/%E2%80%AEgpj.a%22onerror",
            ),
        ] {
            assert_eq!(image(text).as_deref(), Some(kept));
        }
        let nowhere = with(|m| {
            m.url = None;
            m.image_url = meta("/img/a.jpg");
        });
        assert_eq!(nowhere.image_url, None);
    }

    #[test]
    fn addresses_lose_user_and_password() {
        for (url, kept) in [
            ("https://me:hunter2@news.example/a", "https://news.example/a"),
            ("https://hunter2@news.example/a@b", "https://news.example/a@b"),
            ("https://news.example/@me/a", "https://news.example/@me/a"),
        ] {
            assert_eq!(with(|m| m.url = Some(url.into())).url.as_deref(), Some(kept));
        }
    }

    #[test]
    fn fields_are_lines_that_read_from_one_end() {
        let dirty = "news\u{202e}.example\r\nok\u{9b}  \u{1b}[2J\u{2066}x\u{2028}y\u{0}";
        let clean = "news.example ok [2Jx y";
        let m = with(|m| {
            for field in [
                &mut m.site,
                &mut m.site_name,
                &mut m.title,
                &mut m.dek,
                &mut m.section,
            ] {
                *field = meta(dirty);
            }
            m.authors = vec![dirty.into(), "\u{202e}".into()];
            m.tags = vec!["plain".into(), dirty.into()];
            m.agency = meta("\u{7}");
        });
        for field in [m.site, m.site_name, m.title, m.dek, m.section] {
            assert_eq!(field.map(|f| f.value).as_deref(), Some(clean));
        }
        assert_eq!(
            (m.authors, m.tags),
            (vec![clean.to_owned()], vec!["plain".to_owned(), clean.into()])
        );
        assert_eq!(m.agency, None);
        // Marks that Persian and Hebrew need stay.
        let title = "می\u{200c}خواهم \u{200f}x";
        assert_eq!(
            with(|m| m.title = meta(title)).title.map(|t| t.value).as_deref(),
            Some(title)
        );
    }
}
