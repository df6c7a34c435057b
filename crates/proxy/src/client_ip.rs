//! Who is asking: the first hop from the right that we have no reason to trust (K04).

use std::net::{IpAddr, SocketAddr};

use http::header::HeaderValue;
use ipnet::IpNet;

/// Whose word about the client's address counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Trusted {
    /// Nobody's: the peer is the client.
    #[default]
    Nobody,
    /// Loopback, link-local and private addresses (RFC 1918, RFC 4193).
    Private,
    /// These networks.
    Nets(Vec<IpNet>),
}

impl Trusted {
    /// Whether this address may speak for others. An IPv4 address mapped into IPv6 is judged as IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        match self {
            Self::Nobody => false,
            Self::Private => match address {
                IpAddr::V4(ip) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
                IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
            },
            Self::Nets(nets) => nets.iter().any(|net| net.contains(&address)),
        }
    }
}

/// The client's address, from the connection's peer and all values of the configured header in their order.
///
/// Goes from the right, and stops at the first address that is not trusted: everything to its left was
/// written by the client. What is no address stops the walk too, at the last address that a trusted hop
/// vouched for. Members may be bare, with a port, in brackets or quoted (`1.2.3.4:5`, `"[::1]:5"`).
pub fn resolve<'a, I>(peer: IpAddr, values: I, trusted: &Trusted) -> IpAddr
where
    I: IntoIterator<Item = &'a HeaderValue>,
    I::IntoIter: DoubleEndedIterator,
{
    let mut client = peer.to_canonical();
    if !trusted.contains(client) {
        return client;
    }
    for value in values.into_iter().rev() {
        let Ok(text) = value.to_str() else { return client };
        for member in text.rsplit(',') {
            let Some(address) = address(member) else { return client };
            client = address;
            if !trusted.contains(client) {
                return client;
            }
        }
    }
    client
}

fn address(member: &str) -> Option<IpAddr> {
    let member = member.trim();
    let member = member.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(member);
    member
        .parse::<IpAddr>()
        .ok()
        .or_else(|| member.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
        .or_else(|| member.strip_prefix('[')?.strip_suffix(']')?.parse().ok())
        .map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, lines: &[&str], trusted: &Trusted) -> String {
        let values: Vec<_> =
            lines.iter().map(|line| HeaderValue::from_bytes(line.as_bytes()).unwrap()).collect();
        resolve(peer.parse().unwrap(), &values, trusted).to_string()
    }

    fn nets(list: &[&str]) -> Trusted {
        Trusted::Nets(list.iter().map(|net| net.parse().unwrap()).collect())
    }

    /// K04: a client that forges the header gains nothing.
    #[test]
    fn k04_spoofed_chains_end_at_the_first_untrusted_hop() {
        let trusted = nets(&["10.0.0.0/8", "2001:db8::/32"]);
        for (peer, lines, expected) in [
            ("198.51.100.9", &["1.1.1.1"][..], "198.51.100.9"),
            ("10.0.0.1", &["1.1.1.1, 203.0.113.5"], "203.0.113.5"),
            ("10.0.0.1", &["1.1.1.1", "203.0.113.5"], "203.0.113.5"),
            ("10.0.0.1", &["1.1.1.1, 203.0.113.5, 10.2.3.4"], "203.0.113.5"),
            ("10.0.0.1", &["10.9.9.9, 203.0.113.5, 10.2.3.4"], "203.0.113.5"),
            ("10.0.0.1", &["10.3.3.3, 10.2.3.4"], "10.3.3.3"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("2001:db8::1", &["2001:db9::5, 2001:db8::7"], "2001:db9::5"),
        ] {
            assert_eq!(client(peer, lines, &trusted), expected, "{peer} {lines:?}");
        }
    }

    /// K04: every spelling of an address means the same address.
    #[test]
    fn k04_ports_brackets_quotes_and_mapped_addresses() {
        let trusted = nets(&["10.0.0.0/8"]);
        for (member, expected) in [
            ("203.0.113.5:4711", "203.0.113.5"),
            ("[2001:db8::5]:4711", "2001:db8::5"),
            ("[2001:db8::5]", "2001:db8::5"),
            ("2001:DB8::5", "2001:db8::5"),
            ("\"203.0.113.5\"", "203.0.113.5"),
            ("::ffff:203.0.113.5", "203.0.113.5"),
            (" 203.0.113.5\t", "203.0.113.5"),
        ] {
            assert_eq!(client("::ffff:10.0.0.1", &[member], &trusted), expected, "{member}");
        }
        assert_eq!(client("10.0.0.1", &["6.6.6.6, ::ffff:10.0.0.2"], &trusted), "6.6.6.6");
    }

    /// K04: garbage is not skipped, or a client could hide behind it what a trusted hop saw.
    #[test]
    fn k04_garbage_stops_the_walk_at_the_last_vouched_address() {
        let trusted = nets(&["10.0.0.0/8"]);
        for garbage in ["", "unknown", "_hidden", "1.2.3", "1.2.3.4.5", "fe80::1%eth0", "-", "10.0.0.300"] {
            let line = format!("6.6.6.6, {garbage}, 10.0.0.2");
            assert_eq!(client("10.0.0.1", &[&line], &trusted), "10.0.0.2", "{garbage}");
        }
        assert_eq!(client("10.0.0.1", &["6.6.6.6, \u{e9}, 10.0.0.2"], &trusted), "10.0.0.1");
    }

    #[test]
    fn private_means_every_address_that_is_not_on_the_internet() {
        for address in [
            "127.0.0.1",
            "10.1.1.1",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.0.1",
            "::1",
            "fd00::1",
            "fe80::1",
            "::ffff:10.0.0.1",
        ] {
            assert!(Trusted::Private.contains(address.parse().unwrap()), "{address}");
        }
        for address in ["8.8.8.8", "172.32.0.1", "2001:db8::1", "::ffff:8.8.8.8"] {
            assert!(!Trusted::Private.contains(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn nobody_is_trusted_by_default() {
        assert_eq!(client("127.0.0.1", &["6.6.6.6"], &Trusted::default()), "127.0.0.1");
    }
}
