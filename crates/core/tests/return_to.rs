//! K08: where a `return_to` can lead, however it is spelled.

use countersign_core::domain::return_to::ReturnTo;
use proptest::prelude::{Just, Strategy, prop_assert, prop_assert_eq, prop_oneof, proptest};

const PUBLIC: &str = "https://app.example.com";

fn parse(text: &str) -> ReturnTo {
    ReturnTo::parse(text, PUBLIC)
}

/// What open-redirect payloads are made of.
fn payload() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => Just("/"), 2 => Just("//"), 1 => Just("\\"), 3 => Just(".."), 2 => Just("."), 2 => Just("%2e"), 2 => Just("%2E%2e"),
        2 => Just("%2f"), 1 => Just("%5C"), 1 => Just("%09"), 1 => Just("\t"), 1 => Just("%0d%0a"), 1 => Just("@"), 1 => Just(":"),
        1 => Just("https:"), 1 => Just("javascript:"), 2 => Just("evil.example"), 2 => Just("a"), 1 => Just("?x=1"), 1 => Just("#f"),
        1 => Just(";"), 1 => Just("ü"), 1 => Just("\u{ff0f}"), 1 => Just("\u{2028}"), 1 => Just("%00"), 1 => Just(" "),
    ];
    proptest::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat())
}

proptest! {
    /// K08: a browser that follows the result stays on our origin, and so does one that follows it after a proxy decoded it.
    #[test]
    fn k08_never_leaves_our_origin(text in prop_oneof![payload(), payload().prop_map(|t| format!("/{t}"))]) {
        let result = parse(&text);
        let out = result.as_str();
        prop_assert!(out.starts_with('/') && out.is_ascii() && !out.contains('\\'), "{out:?}");
        prop_assert!(out.bytes().all(|b| b > b' ' && b != 0x7f), "{out:?} would split a header");
        let public = url::Url::parse(PUBLIC).expect("an origin");
        let decoded = percent_encoding::percent_decode_str(out).decode_utf8_lossy().into_owned();
        for reading in [out, decoded.as_str()] {
            let url = public.join(reading).expect("a URL");
            prop_assert_eq!(url.origin(), public.origin(), "{:?} read as {:?}", out, reading);
        }
    }

    /// K08: what one pass lets through, a second one does too, unchanged: dot segments cannot hide what is refused in the open.
    #[test]
    fn k08_is_idempotent(text in prop_oneof![payload(), payload().prop_map(|t| format!("/{t}"))]) {
        let once = parse(&text);
        prop_assert_eq!(&parse(once.as_str()), &once, "from {:?}", text);
    }
}

/// A pathless origin, a port and a path all stay what they are.
#[test]
fn ordinary_targets_survive() {
    for good in ["/", "/a", "/a/", "/a/b?c=d", "/a?next=https://x.example/#f", "/a//b", "/a:b@c", "/%C3%BC"] {
        assert_eq!(parse(good).as_str(), good);
        assert_eq!(ReturnTo::parse(good, "https://localhost:8443").as_str(), good);
    }
    assert_eq!(parse(&format!("/{}", "x".repeat(4096))).as_str(), "/");
}

/// K08: the cap is on what goes into `Location`: encoding makes three bytes of one.
#[test]
fn k08_the_cap_is_after_encoding() {
    let of = |piece: &str, length: usize| format!("/{}", piece.repeat((length - 1) / piece.len()));
    assert_eq!(parse(&of("x", 2048)).as_str().len(), 2048);
    assert_eq!(parse(&of("x", 2049)).as_str(), "/");
    assert!(parse(&of("\u{fc}", 600)).as_str().len() > 1700);
    assert_eq!(parse(&of("\u{fc}", 1000)).as_str(), "/");
    assert_eq!(parse(&format!("/?q={}", "\u{fc}".repeat(500))).as_str(), "/");
}
