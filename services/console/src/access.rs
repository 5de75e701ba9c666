//! Who may come, by settings: where it listens, which proxies name the user, under which names it is asked.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderName;

/// The settings cannot be meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// Anybody could look, and nobody would be on record.
    #[error(
        "console.listen is {0}, which others can reach, and nothing says who they are. Put a proxy before \
            it that signs people in, and set \
         console.user_header (the header in which it names them), console.proxies (its network, as
             10.0.0.0/8) and console.hosts (the names \
         that people ask for); or listen at 127.0.0.1 and reach it through ssh -L"
    )]
    OpenAddress(SocketAddr),
    /// A header that anybody can send.
    #[error(
        "console.user_header is set and console.proxies is empty: anybody could send that header. Name the \
            network of the proxy, as 127.0.0.1/32"
    )]
    NoProxies,
    /// The name of the header is none.
    #[error("console.user_header ({0:?}) is no name of a header; it looks like X-Forwarded-User")]
    BadHeader(String),
    /// A network that cannot be read.
    #[error("console.proxies: {0:?} is no network; write it as 10.0.0.0/8, fd00::/8 or 192.0.2.7")]
    BadNetwork(String),
}

/// Addresses with a common beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Some(most), |b| b.parse().ok())?;
        (bits <= most).then_some(Self { address, bits })
    }

    fn contains(&self, other: IpAddr) -> bool {
        match (self.address, other) {
            (IpAddr::V4(mine), IpAddr::V4(other)) => {
                let shift = 32 - u32::from(self.bits);
                mine.to_bits().checked_shr(shift) == other.to_bits().checked_shr(shift)
            }
            (IpAddr::V6(mine), IpAddr::V6(other)) => {
                let shift = 128 - u32::from(self.bits);
                mine.to_bits().checked_shr(shift) == other.to_bits().checked_shr(shift)
            }
            _ => false,
        }
    }
}

/// Who may come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    user_header: Option<HeaderName>,
    proxies: Vec<Network>,
    /// Names in lower case, without a port.
    hosts: Vec<String>,
}

impl Access {
    /// Reads the settings; lists have commas between.
    ///
    /// # Errors
    /// An address that others can reach without a proxy that names them; a header that anybody could send;
    /// what cannot be read.
    pub fn new(
        listen: SocketAddr,
        user_header: &str,
        proxies: &str,
        hosts: &str,
    ) -> Result<Self, AccessError> {
        let user_header = match user_header.trim() {
            "" => None,
            name => Some(
                HeaderName::from_bytes(name.as_bytes())
                    .map_err(|_| AccessError::BadHeader(name.to_owned()))?,
            ),
        };
        let proxies: Vec<Network> = parts(proxies)
            .map(|p| Network::parse(p).ok_or_else(|| AccessError::BadNetwork(p.to_owned())))
            .collect::<Result<_, _>>()?;
        let hosts: Vec<String> = parts(hosts).map(str::to_lowercase).collect();
        if user_header.is_some() && proxies.is_empty() {
            return Err(AccessError::NoProxies);
        }
        if !listen.ip().is_loopback() && (user_header.is_none() || hosts.is_empty()) {
            return Err(AccessError::OpenAddress(listen));
        }
        Ok(Self {
            user_header,
            proxies,
            hosts,
        })
    }

    /// The header in which a proxy names the user. `None`: whoever can reach the loopback address is the user
    /// of this machine.
    pub(crate) const fn user_header(&self) -> Option<&HeaderName> {
        self.user_header.as_ref()
    }

    /// Whether a peer is a proxy that may name a user.
    pub(crate) fn is_proxy(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.proxies.iter().any(|n| n.contains(peer))
    }

    /// Whether it may be asked for under this name: the port is of no matter, the name keeps a page elsewhere
    /// from being this one (DNS rebinding).
    pub(crate) fn is_host(&self, host: &str) -> bool {
        let name = without_port(host).to_lowercase();
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        name == "localhost"
            || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
            || self.hosts.contains(&name)
    }
}

fn parts(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|p| !p.is_empty())
}

/// `name:port` or `[::1]:port` without the port.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port))
            if port.bytes().all(|b| b.is_ascii_digit()) && (!name.contains(':') || name.ends_with(']')) =>
        {
            name
        }
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(listen: &str, header: &str, proxies: &str, hosts: &str) -> Result<Access, AccessError> {
        Access::new(listen.parse().unwrap(), header, proxies, hosts)
    }

    #[test]
    fn an_address_that_others_reach_needs_a_proxy_that_names_them() {
        for listen in ["0.0.0.0:8088", "10.1.2.3:8088", "[::]:8088"] {
            let error = access(listen, "", "", "").unwrap_err();
            assert!(matches!(error, AccessError::OpenAddress(_)), "{error}");
            assert!(error.to_string().contains("console.user_header"));
            assert_eq!(
                access(listen, "X-User", "", "desk.example"),
                Err(AccessError::NoProxies)
            );
            let no_names = access(listen, "X-User", "10.0.0.0/8", "");
            assert!(matches!(no_names, Err(AccessError::OpenAddress(_))));
            assert!(access(listen, "X-User", "10.0.0.0/8, fd00::/8", "desk.example").is_ok());
        }
        assert!(access("127.0.0.1:8088", "", "", "").is_ok());
        assert!(access("[::1]:8088", "", "", "").is_ok());
        assert_eq!(
            access("127.0.0.1:1", "X-User", "", ""),
            Err(AccessError::NoProxies)
        );
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for bad in ["10.0.0.0/33", "proxy.example", "10.0.0.0/", "::/129"] {
            let error = access("127.0.0.1:1", "X-User", bad, "").unwrap_err();
            assert_eq!(error, AccessError::BadNetwork(bad.to_owned()));
        }
        assert!(matches!(
            access("127.0.0.1:1", "X User", "::1", ""),
            Err(AccessError::BadHeader(_))
        ));
    }

    #[test]
    fn networks_contain_their_own() {
        let access = access("127.0.0.1:1", "X-User", "10.1.0.0/16, fd00::/8, 192.0.2.7", "").unwrap();
        for (peer, is) in [
            ("10.1.200.3", true),
            ("10.2.0.1", false),
            ("::ffff:10.1.0.1", true),
            ("fd12::1", true),
            ("fe80::1", false),
            ("192.0.2.7", true),
            ("192.0.2.8", false),
        ] {
            assert_eq!(access.is_proxy(peer.parse().unwrap()), is, "{peer}");
        }
        let all = Access::new("127.0.0.1:1".parse().unwrap(), "X-User", "0.0.0.0/0", "").unwrap();
        assert!(all.is_proxy("203.0.113.9".parse().unwrap()));
    }

    #[test]
    fn hosts_are_checked_by_name() {
        let access = access("127.0.0.1:1", "", "", "Desk.example").unwrap();
        for host in [
            "localhost",
            "localhost:8088",
            "127.0.0.1:8088",
            "[::1]:8088",
            "[::1]",
            "desk.example",
            "DESK.example:443",
        ] {
            assert!(access.is_host(host), "{host}");
        }
        for host in [
            "evil.example",
            "desk.example.evil.example",
            "",
            "localhost.evil.example",
            "10.0.0.1",
            "127.0.0.1.evil.example:8088",
        ] {
            assert!(!access.is_host(host), "{host}");
        }
    }
}
