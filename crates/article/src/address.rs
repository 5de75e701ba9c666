//! Which addresses are spellings of one: what a page's address is compared by.

/// Parameters that never say what a page is, whatever their value: AMP and share marks that the canonical form keeps.
const MARKS: &[&str] = &[
    "amp",
    "__twitter_impression",
    "wpisrc",
    "cmp",
    "cmpid",
    "icid",
    "gaa_at",
    "usqp",
    "amp_js_v",
    "amp_gsa",
];
/// Parameters that say where a reader came from, if their value is one of [`ORIGINS`]. Any other value may be a page.
const FROM: &[&str] = &[
    "ref", "from", "source", "src", "via", "referrer", "referer", "origin", "feature", "share", "medium",
    "platform", "partner",
];
const ORIGINS: &[&str] = &[
    "rss",
    "feed",
    "feeds",
    "atom",
    "twitter",
    "x",
    "facebook",
    "fb",
    "instagram",
    "linkedin",
    "whatsapp",
    "telegram",
    "reddit",
    "flipboard",
    "newsletter",
    "nl",
    "email",
    "mail",
    "push",
    "app",
    "share",
    "sharing",
    "social",
    "home",
    "homepage",
    "search",
    "google",
    "googlenews",
    "google-news",
    "msn",
    "yahoo",
    "apple-news",
    "applenews",
    "amp",
    "youtube",
    "mobile",
    "web",
    "sms",
    "messenger",
    "bluesky",
    "mastodon",
];

/// The form in which spellings of one address are the same, of an address in canonical form: without scheme,
/// `www.`, `m.`, `amp.` and `mobile.` before a whole host, without a slash, `index.html` or `/amp` at the
/// end, without parameters that say how the page was reached. A route behind `#!` or `#/` stays.
pub fn twin_key(address: &str) -> String {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (host, path) = place.split_once('/').unwrap_or((place, ""));
    let mut key = String::with_capacity(address.len());
    key.push_str(whole_host(host));
    for segment in ["amp/"]
        .into_iter()
        .find_map(|p| path.strip_prefix(p))
        .unwrap_or(path)
        .split('/')
    {
        if !segment.is_empty() {
            key.push('/');
            key.push_str(segment);
        }
    }
    for end in [
        "/index.html",
        "/index.htm",
        "/index.php",
        "/default.aspx",
        "/amp",
        "/amp.html",
    ] {
        if let Some(shorter) = key.strip_suffix(end)
            && shorter.contains('/')
        {
            key.truncate(shorter.len());
        }
    }
    if let Some(stem) = key.strip_suffix(".amp.html").map(str::len) {
        key.truncate(stem);
        key.push_str(".html");
    }
    let mut sign = '?';
    for parameter in query.split('&').filter(|p| !p.is_empty() && !is_mark(p)) {
        key.push(sign);
        key.push_str(parameter);
        sign = '&';
    }
    if fragment.starts_with(['!', '/']) {
        key.push('#');
        key.push_str(fragment);
    }
    key
}

/// A host without the label that names a form of the site. What is left must be a host itself.
fn whole_host(host: &str) -> &str {
    let stripped = ["www.", "m.", "amp.", "mobile."]
        .into_iter()
        .find_map(|p| host.strip_prefix(p));
    stripped.filter(|h| h.contains('.')).unwrap_or(host)
}

fn is_mark(parameter: &str) -> bool {
    let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
    let is_one_of = |list: &[&str], text: &str| list.iter().any(|one| one.eq_ignore_ascii_case(text));
    is_one_of(MARKS, name)
        || is_one_of(FROM, name) && is_one_of(ORIGINS, value)
        || is_one_of(&["output", "outputtype", "view", "mode"], name) && value.eq_ignore_ascii_case("amp")
        || name == "m" && value == "1"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_address_are_one() {
        let one = twin_key("https://news.example/2026/03/ferry");
        for twin in [
            "http://news.example/2026/03/ferry",
            "https://www.news.example/2026/03/ferry/",
            "https://m.news.example/2026/03/ferry",
            "https://amp.news.example/2026/03/ferry",
            "https://news.example/amp/2026/03/ferry",
            "https://news.example/2026/03/ferry/amp/",
            "https://news.example/2026/03/ferry/index.html",
            "https://news.example/2026/03/ferry?amp=1",
            "https://news.example/2026/03/ferry?outputType=amp",
            "https://news.example/2026/03/ferry?ref=rss",
            "https://news.example/2026/03/ferry?from=RSS&feature=share",
            "https://news.example/2026/03/ferry?cmp=RSS",
        ] {
            assert_eq!(twin_key(twin), one, "{twin}");
        }
    }

    #[test]
    fn two_pages_stay_two() {
        let pages = [
            "https://news.example/2026/03/ferry",
            "https://news.example/2026/03/ferry-2",
            "https://news.example/2026/03/ferry?page=2",
            "https://news.example/2026/03/ferry?ref=4711",
            "https://news.example/2026/03/ferry?from=lorne",
            "https://sport.news.example/2026/03/ferry",
            "https://news.example/2026/03/Ferry",
            "https://news.example/#!/2026/03/ferry",
            "https://news.example/#!/2026/03/bridge",
            "https://news.example/",
            "https://news.example/amp",
            "https://m.example/2026/03/ferry",
            "https://example/2026/03/ferry",
        ];
        let keys: std::collections::HashSet<_> = pages.iter().map(|p| twin_key(p)).collect();
        assert_eq!(keys.len(), pages.len(), "{keys:#?}");
    }
}
