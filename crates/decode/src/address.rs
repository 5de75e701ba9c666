//! The URL of an article: an http(s) address that can be stored, indexed and shown.

use copydesk_article::{Reason, Reject};
use url::{Host, Url};

use crate::{Limits, reject};

/// Reads an address, or says what is wrong with it (never quoting it: it may hold a password).
pub(crate) fn parse(address: &str, limits: &Limits) -> Result<Url, Reject> {
    let refuse = |detail: String| Err(reject(Reason::BadUrl, detail));
    if address.len() > limits.max_url_bytes {
        return refuse(format!(
            "the url has {} bytes, the limit is {}",
            address.len(),
            limits.max_url_bytes
        ));
    }
    let url = match Url::parse(address) {
        Ok(url) => url,
        Err(url::ParseError::RelativeUrlWithoutBase) => {
            return refuse("the url has no scheme: it must start with http:// or https://".into());
        }
        Err(e) => return refuse(format!("the url cannot be read: {e}")),
    };
    if !matches!(url.scheme(), "http" | "https") {
        return refuse(format!(
            "the url's scheme is {}, not http or https",
            safe_scheme(url.scheme())
        ));
    }
    Ok(url)
}

/// The address without user and password, if it has any: they are whoever fetched it, not the article's, and
/// no reader's business.
pub(crate) fn without_login(mut url: Url) -> Option<String> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    // Neither fails for an address that has them.
    let _ = (url.set_username(""), url.set_password(None));
    Some(url.into())
}

/// A scheme of a usual length is worth showing; anything longer is somebody's text.
fn safe_scheme(scheme: &str) -> &str {
    if scheme.len() <= 20 {
        scheme
    } else {
        "something else"
    }
}

/// The last label of the host ("ru" of `news.example.ru`): a hint for guessing a charset.
pub(crate) fn top_level_domain(url: &Url) -> Option<&str> {
    match url.host()? {
        Host::Domain(_) => url.host_str()?.trim_end_matches('.').rsplit('.').next(),
        Host::Ipv4(_) | Host::Ipv6(_) => None,
    }
}
