//! What stands before every page: the name it was asked for, the user, the page that a change comes from. And
//! the headers behind it.
//!
//! Changes are kept from other sites' pages as Go's `http.CrossOriginProtection` does it: by what the browser
//! itself says of a request (`Sec-Fetch-Site`, else `Origin`), without tokens and without cookies. A program
//! that is no browser sends neither, and no stranger's page can make it send anything.

use std::net::IpAddr;

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, ORIGIN, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

use crate::access::Access;
use crate::problem::Problem;

/// A page shows text and its own style sheet, runs the one script that turns times, sends forms to where it
/// came from, and does nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; \
    frame-ancestors 'none'; base-uri 'none'";

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The user where nobody names one: whoever has an account on this machine.
const LOCAL_USER: &str = "local";
/// Of a user's name, in characters.
const LONGEST_NAME: usize = 120;

/// Lets a request in and says who asks.
///
/// # Errors
/// The reason for the refusal.
pub(crate) fn admit(
    access: &Access,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    peer: IpAddr,
) -> Result<String, Problem> {
    // A request line with a whole address names the host there.
    let host = uri
        .authority()
        .map(axum::http::uri::Authority::as_str)
        .or_else(|| headers.get(HOST).and_then(|h| h.to_str().ok()))
        .unwrap_or_default();
    if !access.is_host(host) {
        return Err(Problem::WrongHost);
    }
    if !matches!(*method, Method::GET | Method::HEAD) && !is_same_origin(headers, host) {
        return Err(Problem::CrossOrigin);
    }
    user(access, headers, peer)
}

fn user(access: &Access, headers: &HeaderMap, peer: IpAddr) -> Result<String, Problem> {
    let Some(header) = access.user_header() else {
        return Ok(LOCAL_USER.to_owned());
    };
    if !access.is_proxy(peer) {
        return Err(Problem::NoProxy);
    }
    // Twice: one of them may be the browser's own.
    let mut named = headers.get_all(header).iter();
    let name = match (named.next(), named.next()) {
        (Some(name), None) => name.to_str().unwrap_or_default().trim(),
        _ => "",
    };
    if name.is_empty() || name.chars().count() > LONGEST_NAME {
        return Err(Problem::NoUser(header.as_str().to_owned()));
    }
    Ok(name.to_owned())
}

/// Whether a change comes from a page of this console, or from no page at all.
fn is_same_origin(headers: &HeaderMap, host: &str) -> bool {
    if let Some(site) = headers.get(SEC_FETCH_SITE) {
        return matches!(site.as_bytes(), b"same-origin" | b"none");
    }
    let Some(origin) = headers.get(ORIGIN) else {
        return true;
    };
    // The scheme may be the proxy's matter: https before it, http behind it.
    origin
        .to_str()
        .ok()
        .and_then(|o| o.split_once("://"))
        .is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host))
}

/// Adds what keeps a browser from doing more than showing the page.
pub(crate) fn harden(headers: &mut HeaderMap) {
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Not no-referrer: with it a browser says `Origin: null` of this console's own forms.
        (REFERRER_POLICY, "same-origin"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // What is shown is of this moment, and of this user.
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(*name, HeaderValue::from_static(value));
        }
        map
    }

    #[test]
    fn changes_come_from_this_console_or_from_no_browser() {
        for (pairs, allowed) in [
            (&[("sec-fetch-site", "same-origin")][..], true),
            (&[("sec-fetch-site", "none")], true),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site")], false),
            // The browser's own word counts more than the origin.
            (
                &[
                    ("sec-fetch-site", "cross-site"),
                    ("origin", "http://localhost:8088"),
                ],
                false,
            ),
            (&[("origin", "http://localhost:8088")], true),
            (&[("origin", "https://localhost:8088")], true),
            (&[("origin", "http://localhost:9999")], false),
            (&[("origin", "http://evil.example")], false),
            (&[("origin", "null")], false),
            (&[], true),
        ] {
            assert_eq!(
                is_same_origin(&headers(pairs), "localhost:8088"),
                allowed,
                "{pairs:?}"
            );
        }
    }

    #[test]
    fn the_user_is_whom_a_proxy_names() {
        let access = Access::new("127.0.0.1:1".parse().unwrap(), "x-user", "10.0.0.0/8", "").unwrap();
        let ask = |pairs: &[(&'static str, &'static str)], peer: &str| {
            user(&access, &headers(pairs), peer.parse().unwrap())
        };
        assert_eq!(ask(&[("x-user", "ada")], "10.1.1.1").unwrap(), "ada");
        assert!(matches!(
            ask(&[("x-user", "ada")], "127.0.0.1"),
            Err(Problem::NoProxy)
        ));
        assert!(matches!(ask(&[], "10.1.1.1"), Err(Problem::NoUser(_))));
        assert!(matches!(
            ask(&[("x-user", " ")], "10.1.1.1"),
            Err(Problem::NoUser(_))
        ));
        let twice = [("x-user", "ada"), ("x-user", "root")];
        assert!(matches!(ask(&twice, "10.1.1.1"), Err(Problem::NoUser(_))));
        let open = Access::new("127.0.0.1:1".parse().unwrap(), "", "", "").unwrap();
        let named = user(
            &open,
            &headers(&[("x-user", "root")]),
            "127.0.0.1".parse().unwrap(),
        );
        assert_eq!(named.unwrap(), "local");
    }

    #[test]
    fn a_name_that_is_not_ours_is_refused() {
        let access = Access::new("127.0.0.1:1".parse().unwrap(), "", "", "").unwrap();
        let ask = |host: &'static str| {
            admit(
                &access,
                &Method::GET,
                &Uri::from_static("/"),
                &headers(&[("host", host)]),
                "127.0.0.1".parse().unwrap(),
            )
        };
        assert!(ask("localhost:8088").is_ok());
        assert!(matches!(ask("rebound.example:8088"), Err(Problem::WrongHost)));
        let none = admit(
            &access,
            &Method::GET,
            &Uri::from_static("/"),
            &headers(&[]),
            "127.0.0.1".parse().unwrap(),
        );
        assert!(matches!(none, Err(Problem::WrongHost)));
    }
}
