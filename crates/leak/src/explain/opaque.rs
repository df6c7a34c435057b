//! Tokens that say nothing of themselves.

use super::flaw::{Flaw, Severity};
use super::radius::{BlastRadius, Reach};
use super::report::{Explanation, Kind};

/// Fewer random bits can be guessed (ASVS 7.2.3 asks for 128).
const FEWEST_BITS: u32 = 128;

/// A token that only its issuer can read.
pub(super) fn explain(token: &str) -> Explanation {
    let (title, hint) = family(token);
    let mut explanation = Explanation::bare(
        Kind::Opaque,
        title,
        BlastRadius {
            reach: Reach::Unknown,
            headline: "It says nothing of itself: whoever holds it can do what its owner may, until its issuer ends it.".into(),
            can: vec!["act as its owner wherever its issuer takes it".into()],
            cannot: vec!["read anything out of it".into()],
            noticed: "Only its issuer can tell.".into(),
            stop: hint.into(),
        },
    );
    let bits = most_bits(token);
    if bits < FEWEST_BITS {
        explanation.flaws.push(Flaw::new(
            "guessable",
            if bits < 64 { Severity::High } else { Severity::Medium },
            format!("Its {} characters hold {bits} random bits at the very most: it may be guessed without a theft.", token.chars().count()),
            "Make tokens of at least 128 random bits.",
        ));
    }
    explanation
}

/// A JWE: nobody but its reader knows more.
pub(super) fn encrypted() -> Explanation {
    Explanation::bare(
        Kind::Jwe,
        "Encrypted JSON Web Token (JWE)",
        BlastRadius {
            reach: Reach::Unknown,
            headline: "Only who holds the key can read it, but whoever holds the token can present it."
                .into(),
            can: vec![
                "act as its owner wherever it is accepted: encryption hides claims, it binds nothing".into(),
            ],
            cannot: vec!["read its claims".into()],
            noticed: "Only its issuer can tell.".into(),
            stop: "Ask who issued it. That it is encrypted says nothing of who made it (A07).".into(),
        },
    )
}

/// What some web frameworks put into a cookie: data, a time, and a signature.
pub(super) fn signed_cookie() -> Explanation {
    Explanation::bare(
        Kind::SignedCookie,
        "Signed cookie of a web framework (no JWT: its first part names no algorithm)",
        BlastRadius {
            reach: Reach::Unknown,
            headline: "Whoever holds it is its owner until it expires: the session is inside it, so signing out deletes only \
                       the browser's copy."
                .into(),
            can: vec!["act as its owner, from any machine, after a sign-out too".into(), "read what is in it".into()],
            cannot: vec!["change what is in it without the application's secret".into()],
            noticed: "No: the server keeps nothing that could differ.".into(),
            stop: "Only a new application secret, which signs everybody out.".into(),
        },
    )
}

/// What well-known beginnings say, and where such a one is ended.
fn family(token: &str) -> (&'static str, &'static str) {
    const FAMILIES: [(&str, &str, &str); 16] = [
        ("ghp_", "GitHub personal access token", "Delete it in GitHub's developer settings."),
        ("github_pat_", "GitHub personal access token", "Delete it in GitHub's developer settings."),
        ("gho_", "GitHub OAuth token", "Revoke the application's access in GitHub's settings."),
        ("ghs_", "GitHub server token", "It ends within an hour; look at who made it."),
        ("glpat-", "GitLab personal access token", "Revoke it in GitLab's user settings."),
        ("sk_live_", "Stripe secret key, live", "Roll the key in Stripe's dashboard."),
        ("sk_test_", "Stripe secret key, test", "Roll the key in Stripe's dashboard."),
        ("rk_live_", "Stripe restricted key, live", "Roll the key in Stripe's dashboard."),
        ("xoxb-", "Slack bot token", "Revoke it by Slack's auth.revoke, or in the application's settings."),
        ("xoxp-", "Slack user token", "Revoke it by Slack's auth.revoke, or in the application's settings."),
        ("AKIA", "AWS access key id", "Deactivate the key in IAM; the secret belongs to it."),
        ("npm_", "npm access token", "Revoke it by `npm token revoke`."),
        ("pypi-", "PyPI API token", "Delete it in PyPI's account settings."),
        ("v4.public.", "PASETO, signed", "Ask who issued it."),
        ("v4.local.", "PASETO, encrypted", "Ask who issued it."),
        ("s%3A", "Session cookie of Express, signed", "Destroy the session in the application's store."),
    ];
    FAMILIES
        .iter()
        .find(|(prefix, _, _)| token.starts_with(prefix))
        .map_or(("Opaque token", "Ask who issued it: signing out there may end it."), |(_, title, stop)| {
            (*title, *stop)
        })
}

/// How many random bits text of these characters can hold.
fn most_bits(token: &str) -> u32 {
    let has = |class: fn(&u8) -> bool| token.as_bytes().iter().any(class);
    let hex = token.bytes().filter(|b| *b != b'-').all(|b| b.is_ascii_hexdigit());
    let alphabet: u32 = if token.bytes().all(|b| b.is_ascii_digit()) {
        10
    } else if hex {
        16
    } else {
        [
            (u8::is_ascii_lowercase as fn(&u8) -> bool, 26),
            (u8::is_ascii_uppercase, 26),
            (u8::is_ascii_digit, 10),
        ]
        .iter()
        .filter(|(class, _)| has(*class))
        .map(|(_, size)| size)
        .sum::<u32>()
            + 2
    };
    let length =
        u32::try_from(token.bytes().filter(|b| b.is_ascii_alphanumeric() || matches!(b, b'_')).count())
            .unwrap_or(u32::MAX);
    // Hundredths of bits; rounded up, for "at the very most".
    let each = match alphabet {
        0..=10 => 333,
        11..=16 => 400,
        17..=28 => 481,
        29..=38 => 525,
        39..=54 => 576,
        _ => 600,
    };
    length.saturating_mul(each).div_ceil(100)
}
