//! The text of a fragment of HTML, as summaries hold it.

use quick_xml::escape::resolve_html5_entity;

/// Tags that end a line.
const BREAKS: [&str; 17] = [
    "p",
    "br",
    "div",
    "li",
    "ul",
    "ol",
    "tr",
    "table",
    "blockquote",
    "figure",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
];
/// The longest name of an entity, with room.
const ENTITY: usize = 40;

/// Without tags and with entities resolved; white space as one blank, blocks on lines of their own.
pub(super) fn plain(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((before, tag_on)) = rest.split_once('<') {
        resolve(before, &mut out);
        let opens = tag_on.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?'));
        let comment = tag_on.strip_prefix("!--");
        let after = if let Some(comment) = comment {
            comment.split_once("-->").map(|(_, after)| after)
        } else if opens {
            tag_on.split_once('>').map(|(tag, after)| {
                let name = tag.trim_start_matches('/');
                let end = name
                    .find(|c: char| !c.is_ascii_alphanumeric())
                    .unwrap_or(name.len());
                let name = name.get(..end).unwrap_or_default();
                if BREAKS.iter().any(|b| b.eq_ignore_ascii_case(name)) {
                    out.push('\n');
                }
                after
            })
        } else {
            out.push('<');
            Some(tag_on)
        };
        // A tag that is never closed is the end of the text.
        rest = after.unwrap_or_default();
    }
    resolve(rest, &mut out);
    let lines = out
        .lines()
        .map(|l| l.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.filter(|l| !l.is_empty()).collect::<Vec<_>>().join("\n\n")
}

/// Adds `text` with its entities resolved; line breaks in HTML are blanks.
fn resolve(text: &str, out: &mut String) {
    let push = |out: &mut String, text: &str| {
        out.extend(
            text.chars()
                .map(|c| if matches!(c, '\n' | '\r') { ' ' } else { c }),
        );
    };
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        push(out, before);
        rest = after;
        let Some((name, behind)) = after.split_once(';').filter(|(name, _)| name.len() <= ENTITY) else {
            out.push('&');
            continue;
        };
        let number = name
            .strip_prefix('#')
            .and_then(|n| match n.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok(),
                None => n.parse().ok(),
            });
        if let Some(character) = number.and_then(char::from_u32) {
            out.push(character);
            rest = behind;
        } else if let Some(text) = resolve_html5_entity(name) {
            out.push_str(text);
            rest = behind;
        } else {
            out.push('&');
        }
    }
    push(out, rest);
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn tags_go_and_text_stays() {
        for (html, text) in [
            (
                "<p>Ships &amp; boats&nbsp;came\nin.</p><p>All <b>day</b>.</p>",
                "Ships & boats came in.\n\nAll day.",
            ),
            (
                "5 < 7 & 8 > 6 &#8217;&#x2019; &unknown; &",
                "5 < 7 & 8 > 6 \u{2019}\u{2019} &unknown; &",
            ),
            ("a<!-- <p>no -->b<br/>c<img src=x", "ab\n\nc"),
            ("日本<p>語", "日本\n\n語"),
            ("", ""),
        ] {
            assert_eq!(plain(html), text, "{html}");
        }
    }
}
