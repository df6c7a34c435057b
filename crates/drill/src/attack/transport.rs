//! TLS, HSTS, and old versions of the protocol.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::Attacks;
use crate::check::Check;
use crate::client::{Ask, Device, From};
use crate::scene::{Broken, Scene};
use crate::verdict::{Evidence, Severity, Verdict};

const TLS: Check = Check::new(
    "tls",
    "nothing travels in the clear",
    "ASVS 12.2.1; NIST SP 800-63B §4",
    "Serve everything over HTTPS, and answer plain HTTP with a redirect at most.",
)
.severity(Severity::Critical);

const OLD: Check = Check::new(
    "tls-versions",
    "TLS 1.0 and 1.1 are off",
    "RFC 8996; ASVS 12.1.1",
    "Accept TLS 1.2 and 1.3 only.",
)
.severity(Severity::Medium);

const HSTS: Check = Check::new(
    "hsts",
    "browsers are told never to come back over plain HTTP",
    "RFC 6797; ASVS 3.4.1; J02",
    "Send Strict-Transport-Security: max-age=31536000 with every answer, errors too.",
)
.severity(Severity::Medium);

pub(super) const ATTACKS: Attacks = &[
    (TLS, |scene| Box::pin(tls(scene))),
    (OLD, |scene| Box::pin(old(scene))),
    (HSTS, |scene| Box::pin(hsts(scene))),
];

const LOCAL: &str = "on this machine: judge it where it is deployed";

async fn tls(scene: &Scene) -> Result<Verdict, Broken> {
    Ok(match (scene.target.is_https(), scene.target.is_local()) {
        (true, _) => Verdict::pass("HTTPS, with a certificate that was accepted"),
        (false, true) => Verdict::not_applicable(LOCAL),
        (false, false) => TLS.finding(Evidence::new("passwords and tokens travel in the clear")),
    })
}

/// One year in seconds.
const YEAR: u64 = 31_536_000;

async fn hsts(scene: &Scene) -> Result<Verdict, Broken> {
    if scene.target.is_local() {
        return Ok(Verdict::not_applicable("HSTS on localhost would catch every other port of it"));
    }
    if !scene.target.is_https() {
        return Ok(Verdict::not_applicable("there is no HTTPS"));
    }
    let agent = scene.agent(Device::Own);
    let missing = scene.target.join("/drill-no-such-page");
    let mut wrong = Vec::new();
    for url in std::iter::once(scene.target.base().clone()).chain(missing) {
        let answer = agent.send_apart(Ask::get(url).from(From::Bar)).await?;
        let header = answer.header("strict-transport-security").unwrap_or_default().to_ascii_lowercase();
        let age = header
            .split(';')
            .find_map(|part| part.trim().strip_prefix("max-age=")?.trim_matches('"').parse::<u64>().ok());
        if age.is_none_or(|age| age < YEAR) {
            wrong.push(format!(
                "{}: Strict-Transport-Security: {}",
                answer.line(),
                if header.is_empty() { "(none)" } else { &header }
            ));
        }
    }
    Ok(if wrong.is_empty() {
        Verdict::pass("a year or more, on errors too")
    } else {
        HSTS.finding(Evidence::new("a first visit over plain HTTP can be caught").steps(wrong))
    })
}

/// A ClientHello of an old version, with the ciphers of its time: what the server says to it tells whether it is on.
fn hello(version: u8) -> Vec<u8> {
    let mut body = vec![3, version];
    body.extend_from_slice(&[0x42; 32]);
    body.push(0);
    // ECDHE and RSA with AES-CBC, which every such server has.
    body.extend_from_slice(&[0, 10, 0xc0, 0x14, 0xc0, 0x13, 0xc0, 0x0a, 0xc0, 0x09, 0, 0x2f]);
    body.extend_from_slice(&[1, 0]);
    // supported_groups: x25519, secp256r1; ec_point_formats: uncompressed.
    let extensions = [0, 10, 0, 6, 0, 4, 0, 29, 0, 23, 0, 11, 0, 2, 1, 0];
    body.extend_from_slice(&u16::try_from(extensions.len()).unwrap_or_default().to_be_bytes());
    body.extend_from_slice(&extensions);
    let length = u32::try_from(body.len()).unwrap_or_default().to_be_bytes();
    let mut shake = vec![1];
    shake.extend_from_slice(length.get(1..).unwrap_or_default());
    shake.extend(body);
    let mut record = vec![0x16, 3, 1];
    record.extend_from_slice(&u16::try_from(shake.len()).unwrap_or_default().to_be_bytes());
    record.extend(shake);
    record
}

async fn old(scene: &Scene) -> Result<Verdict, Broken> {
    if !scene.target.is_https() {
        return Ok(Verdict::not_applicable("there is no HTTPS"));
    }
    let mut on = Vec::new();
    for (version, name) in [(1, "TLS 1.0"), (2, "TLS 1.1")] {
        let mut stream = scene.net().tcp(scene.target.base()).await?;
        let asked = async {
            stream.write_all(&hello(version)).await?;
            let mut head = [0; 11];
            stream.read_exact(&mut head).await?;
            Ok::<_, std::io::Error>(head)
        };
        // A ServerHello of the asked version; an alert, or the end of the connection, is a refusal.
        if let Ok(Ok([0x16, _, _, _, _, 2, _, _, _, 3, said])) = timeout(Duration::from_secs(5), asked).await
            && said == version
        {
            on.push(name);
        }
    }
    Ok(if on.is_empty() {
        Verdict::pass("TLS 1.0 and 1.1 are refused")
    } else {
        OLD.finding(Evidence::new(format!("the server agrees to {}", on.join(" and "))))
    })
}
