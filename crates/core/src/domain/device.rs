//! What is remembered of the device that holds a session: for the user's own list, and to notice a new place.

use std::net::IpAddr;

use super::recognise::redact_and_cut;

/// Bytes of a user agent that are kept. It is stored and shown: a token that somebody sends there must be neither.
const LONGEST_AGENT: usize = 256;
/// Characters that are cleaned: more than are looked at for what is kept.
const LONGEST_CLEANED: usize = 2048;

/// Address and user agent as seen on a request. Never a reason to refuse (K06), only to tell.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Device {
    /// The resolved client address.
    pub ip: Option<IpAddr>,
    /// `User-Agent`, control characters and secrets removed, at most 256 bytes.
    pub user_agent: Box<str>,
}

impl Device {
    /// Cleans a raw user agent (I04: no control characters, capped).
    #[must_use]
    pub fn new(ip: Option<IpAddr>, user_agent: &str) -> Self {
        // On every request: what browsers send is clean already.
        if user_agent.bytes().all(|b| matches!(b, b' '..=b'~')) {
            return Self { ip, user_agent: redact_and_cut(user_agent, LONGEST_AGENT).into() };
        }
        // First these: between the letters of a token they would hide it.
        let plain: String = user_agent.chars().filter(|c| !c.is_control()).take(LONGEST_CLEANED).collect();
        Self { ip, user_agent: redact_and_cut(&plain, LONGEST_AGENT).into() }
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
        assert_eq!(d.user_agent.len(), 256);
        let token = format!("eyJhbGciOiJFZERTQSJ9.{}.c2ln", "QUJD".repeat(100));
        let d = Device::new(None, &format!("app/{token}"));
        assert!(!d.user_agent.contains("QUJD"), "{}", d.user_agent);
        // However far away a token's end is, and whatever was taken out before it.
        let long = format!("eyJhbGciOiJFZERTQSJ9.{}.c2ln", "QUJD".repeat(2000));
        for before in ["", "\u{1}", "password=hunter2hunter2hunter2&a/"] {
            let d = Device::new(None, &format!("{before}{}{long}", "app/".repeat(50)));
            assert!(!d.user_agent.contains("QUJD") && !d.user_agent.contains("eyJ"), "{}", d.user_agent);
        }
    }
}
