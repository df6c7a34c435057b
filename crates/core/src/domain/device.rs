//! What is remembered of the device that holds a session: for the user's own list, and to notice a new place.

use std::net::IpAddr;

/// Address and user agent as seen on a request. Never a reason to refuse (K06), only to tell.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Device {
    /// The resolved client address.
    pub ip: Option<IpAddr>,
    /// `User-Agent`, control characters removed, at most 256 characters.
    pub user_agent: Box<str>,
}

impl Device {
    /// Cleans a raw user agent (I04: no control characters, capped).
    #[must_use]
    pub fn new(ip: Option<IpAddr>, user_agent: &str) -> Self {
        // On every request: what browsers send is clean already.
        if user_agent.len() <= 256 && user_agent.bytes().all(|b| matches!(b, b' '..=b'~')) {
            return Self { ip, user_agent: user_agent.into() };
        }
        let user_agent: String = user_agent.chars().filter(|c| !c.is_control()).take(256).collect();
        Self { ip, user_agent: user_agent.into() }
    }

    /// The network an address belongs to: /24 for IPv4, /48 for IPv6.
    #[must_use]
    pub fn network(&self) -> Option<IpAddr> {
        self.ip.map(|ip| match ip.to_canonical() {
            IpAddr::V4(v4) => {
                let [a, b, c, _] = v4.octets();
                IpAddr::from([a, b, c, 0])
            }
            IpAddr::V6(v6) => {
                let [a, b, c, ..] = v6.segments();
                IpAddr::from([a, b, c, 0, 0, 0, 0, 0])
            }
        })
    }

    /// Whether `other` looks like another place: a different network or user agent.
    #[must_use]
    pub fn differs(&self, other: &Self) -> bool {
        self.network() != other.network() || self.user_agent != other.user_agent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_network_same_agent_is_the_same_place() {
        let a = Device::new("192.0.2.1".parse().ok(), "x");
        assert!(!a.differs(&Device::new("192.0.2.77".parse().ok(), "x")));
        assert!(a.differs(&Device::new("192.0.3.1".parse().ok(), "x")));
        assert!(a.differs(&Device::new("192.0.2.1".parse().ok(), "y")));
    }

    /// I04: control characters and length.
    #[test]
    fn i04_user_agent_is_cleaned() {
        let d = Device::new(None, &format!("a\r\n\u{1b}[31mb{}", "c".repeat(999)));
        assert!(d.user_agent.starts_with("a[31mb"));
        assert_eq!(d.user_agent.chars().count(), 256);
    }
}
