//! The canonical form of an article's address.

use ::url::Url;

/// The longest address that is kept, in bytes.
const LONGEST: usize = 2048;

/// Query parameters that say where a reader came from and not what the page is. One that ends in `*`
/// stands for every name that begins so.
const TRACKING: &[&str] = &[
    "utm_*",
    "fbclid",
    "gclid",
    "dclid",
    "gbraid",
    "wbraid",
    "gclsrc",
    "msclkid",
    "yclid",
    "twclid",
    "ttclid",
    "igshid",
    "igsh",
    "mc_cid",
    "mc_eid",
    "mkt_tok",
    "_hsenc",
    "_hsmi",
    "hsa_*",
    "ga_*",
    "_ga",
    "_gl",
    "pk_*",
    "piwik_*",
    "mtm_*",
    "matomo_*",
    "vero_id",
    "vero_conv",
    "oly_anon_id",
    "oly_enc_id",
    "_openstat",
    "wickedid",
    "s_cid",
    "s_kwcid",
    "icid",
    "ncid",
    "cmpid",
    "cmp",
    "ito",
    "at_*",
    "xtor",
    "ns_*",
    "spm",
    "scm",
    "soc_src",
    "soc_trk",
    "sc_campaign",
    "sc_channel",
    "sc_content",
    "sc_medium",
    "sc_outcome",
    "sc_geo",
    "sc_country",
    "guccounter",
    "guce_*",
    "tblci",
    "taid",
    "trk",
    "trkcampaign",
    "rb_clickid",
    "ref_src",
    "ref_url",
    "smid",
    "smtyp",
    "partner_id_tracking",
    "outputtype",
    "ocid",
    "cvid",
    "wt_mc",
    "wt.mc_id",
    "wt_zmc",
    "fb_action_ids",
    "fb_action_types",
    "fb_source",
    "fb_ref",
    "algo_*",
    "srsltid",
    "sfnsn",
    "share_id",
    "sharetype",
    "traffic_source",
];

/// The canonical form of an `http(s)` address: lower-case scheme and host, no default port, no user, no
/// fragment but a route (`#!/…`), no tracking parameters; the order of the other parameters kept, an empty query dropped. A slash
/// at the end of the path is kept as it is, because servers may answer differently with and without it; the
/// path of a bare host is `/`. `None` for anything that is no web address, or longer than 2,048 bytes.
pub fn normalise_url(text: &str) -> Option<String> {
    let text = text.trim();
    (text.len() <= LONGEST_RAW)
        .then(|| parse(text))?
        .and_then(normalised)
}

/// [`normalise_url`] and [`site_of`] an address, which is read once.
pub(crate) fn normalised_and_site(text: &str) -> (Option<String>, Option<String>) {
    let text = text.trim();
    let Some(url) = parse(text) else {
        return (None, None);
    };
    let site = site_of_url(&url);
    let normalised = (text.len() <= LONGEST_RAW).then(|| normalised(url)).flatten();
    (normalised, site)
}

/// A longer address is not looked at, in bytes.
const LONGEST_RAW: usize = 4 * LONGEST;

/// Whether a text is the whole address of something on the web.
pub(crate) fn is_web_address(text: &str) -> bool {
    text.len() <= LONGEST_RAW && parse(text).is_some_and(|u| u.host_str().is_some_and(|h| !h.is_empty()))
}

/// A web address.
fn parse(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    matches!(url.scheme(), "http" | "https").then_some(url)
}

fn normalised(mut url: Url) -> Option<String> {
    if url.host_str().is_none_or(str::is_empty) {
        return None;
    }
    if !url.fragment().is_some_and(is_route) {
        url.set_fragment(None);
    }
    // Both fail only for addresses that cannot have a user, which http addresses can.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    if let Some(query) = url.query() {
        let kept: Vec<&str> = query
            .split('&')
            .filter(|p| !p.is_empty() && !is_tracking(p))
            .collect();
        let kept = kept.join("&");
        url.set_query((!kept.is_empty()).then_some(kept.as_str()));
    }
    let out = String::from(url);
    (out.len() <= LONGEST).then_some(out)
}

/// Whether a fragment is the route of a page that is drawn in the browser: `#!/…`, `#/…`.
pub(crate) fn is_route(fragment: &str) -> bool {
    fragment.starts_with(['!', '/']) && fragment.len() > 1
}

fn is_tracking(parameter: &str) -> bool {
    let name = parameter.split('=').next().unwrap_or(parameter);
    let name: String = name.chars().flat_map(char::to_lowercase).collect();
    TRACKING.iter().any(|t| match t.strip_suffix('*') {
        Some(stem) => name.starts_with(stem),
        None => *t == name,
    })
}

/// The site of an address: its host without `www.` (and `www2.`, `amp.`, `m.` in front of a full host).
pub(crate) fn site_of(url: &str) -> Option<String> {
    site_of_url(&parse(url.trim())?)
}

fn site_of_url(url: &Url) -> Option<String> {
    Some(site_of_host(url.host_str()?)).filter(|s| !s.is_empty())
}

/// The site of a host name, or of something a producer wrote for one.
pub(crate) fn site_of_host(host: &str) -> String {
    let host = host.trim().trim_end_matches('.');
    let host: String = if host.is_ascii() {
        let mut host = host.to_owned();
        host.make_ascii_lowercase();
        host
    } else {
        host.chars().flat_map(char::to_lowercase).collect()
    };
    host.strip_prefix("www.").unwrap_or(&host).to_owned()
}

/// Whether two sites belong together: equal, or one a subdomain of the other, or sharing their last two
/// labels (three where the second but last is a short one, as in `co.uk`).
pub(crate) fn same_site(a: &str, b: &str) -> bool {
    a == b || registrable(a) == registrable(b)
}

fn registrable(site: &str) -> String {
    let labels: Vec<&str> = site.split('.').collect();
    let short = labels.len() >= 3 && labels.get(labels.len() - 2).is_some_and(|l| l.len() <= 3);
    let keep = if short { 3 } else { 2 };
    labels
        .get(labels.len().saturating_sub(keep)..)
        .unwrap_or(&labels)
        .join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tracking_goes_and_the_rest_stays() {
        let form = |u: &str| normalise_url(u).unwrap_or_default();
        assert_eq!(
            form("HTTPS://News.Example:443/a/?utm_source=x&id=7&fbclid=1&b=2#top"),
            "https://news.example/a/?id=7&b=2"
        );
        assert_eq!(
            form("http://news.example?UTM_Medium=mail"),
            "http://news.example/"
        );
        assert_eq!(form("https://user:pw@news.example/x"), "https://news.example/x");
        for bad in [
            "ftp://news.example/",
            "javascript:alert(1)",
            "/relative",
            "",
            "https://",
        ] {
            assert_eq!(normalise_url(bad), None, "{bad}");
        }
        assert_eq!(
            normalise_url(&format!("https://news.example/{}", "a".repeat(3000))),
            None
        );
    }

    #[test]
    fn normalising_twice_changes_nothing() {
        for url in [
            "https://news.example/ä?q=ü&&x",
            "https://bücher.example/%7Ea",
            "http://news.example:8080/?a",
        ] {
            let once = normalise_url(url).unwrap();
            assert_eq!(normalise_url(&once), Some(once));
        }
    }

    #[test]
    fn sites_belong_together() {
        assert_eq!(
            site_of("https://www.News.example/x").as_deref(),
            Some("news.example")
        );
        assert!(same_site("news.example.co.uk", "example.co.uk"));
        assert!(!same_site("one.example", "two.test"));
    }
}
