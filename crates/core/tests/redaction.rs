//! I01: no token and no value of a secret name survives the log's second line of defence, wherever it stands.

#![expect(clippy::expect_used, reason = "all of this is test code: stopping is how it fails")]

use std::borrow::Cow;

use countersign_core::domain::environment::Environment;
use countersign_core::domain::id::{Generation, KeyId, Sid};
use countersign_core::domain::key::Keyring;
use countersign_core::domain::recognise::{TokenShape, redact, shape};
use countersign_core::domain::secret::SecretArray;
use countersign_core::domain::token::refresh::derive;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};

fn refresh(environment: &str, sid: [u8; 16]) -> String {
    let environment = Environment::parse(environment).expect("a label");
    let secret = std::array::from_fn(|n| u8::try_from(n).expect("small"));
    let ring = Keyring::new(environment, [(KeyId(1), SecretArray::new(secret))]).expect("a key ring");
    derive(&ring, KeyId(1), Sid::from_bytes(sid), &[3; 16], Generation(9))
        .expect("a token")
        .expose()
        .to_owned()
}

const JWT: &str =
    "eyJhbGciOiJFZERTQSIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiJ1XzEifQ.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg";

fn tokens() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<[u8; 16]>().prop_map(|sid| refresh("production", sid)),
        any::<[u8; 16]>().prop_map(|sid| refresh("development", sid)),
        Just(JWT.to_owned()),
    ]
}

/// What stands beside a token in logs: URLs, quotes, JSON, encodings, the end of a sentence.
fn beside() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just(" "),
        Just("/"),
        Just("https://h.example/reset/"),
        Just("."),
        Just(","),
        Just("\""),
        Just("%22"),
        Just("%3D"),
        Just("="),
        Just("token="),
        Just("@"),
        Just("!"),
        Just("+"),
        Just("~"),
        Just("\n"),
        Just("("),
        Just("\\\""),
        Just("é"),
        Just("Some("),
        Just("eyJ.a."),
        Just(": "),
    ]
}

proptest! {
    /// I01, G10: tokens are found wherever they stand.
    #[test]
    fn i01_tokens_are_found_between_anything(token in tokens(), before in beside(), after in beside().prop_filter("ends the token", |b| !b.starts_with(|c: char| c.is_alphanumeric()))) {
        let redacted = redact(&format!("got {before}{token}{after} there")).into_owned();
        prop_assert!(!redacted.contains(&token), "{redacted}");
        // Not even a piece of it: a JWT's payload and signature, without the header that everybody knows, are as good as all of it.
        for at in 0..=token.len() - 24 {
            let piece = token.get(at..at + 24).expect("ASCII");
            prop_assert!(!redacted.contains(piece), "{redacted}");
        }
        prop_assert!(redacted.starts_with("got") && redacted.contains("[redacted "), "{redacted}");
    }

    /// I01, F01: a quoted value goes as a whole, spaces and signs included.
    #[test]
    fn i01_quoted_values_go_whole(value in "[a-z0-9 #;,:&=!?*<>(){}]{1,40}Zq7x[a-z0-9 #,&]{0,20}") {
        for text in [
            format!(r#"{{"password":"{value}","email":"a@b.example"}}"#),
            format!(r#"{{"password": "{value}"}}"#),
            format!(r#"Login {{ password: "{value}", email: "a@b.example" }}"#),
        ] {
            let redacted = redact(&text).into_owned();
            prop_assert!(!redacted.contains("Zq7x"), "{redacted}");
            prop_assert_eq!(redacted.contains("a@b.example"), text.contains("a@b.example"), "{}", redacted);
        }
    }

    /// I01: a form field goes up to the next field.
    #[test]
    fn i01_form_values_go_whole(value in "[a-z0-9%+.*!'()#~@/-]{0,20}Zq7x[a-z0-9%+.*!~@/-]{0,20}") {
        let redacted = redact(&format!("email=a&password={value}&remember=on")).into_owned();
        prop_assert!(!redacted.contains("Zq7x") && redacted.contains("remember=on"), "{redacted}");
    }

    /// Text without secrets is returned as it is, and nothing panics.
    #[test]
    fn harmless_text_is_untouched(text in "[a-zäß0-9 .,/-]{0,80}") {
        prop_assert!(matches!(redact(&text), Cow::Borrowed(same) if same == text));
    }

    #[test]
    fn any_text_is_accepted(text in any::<String>()) {
        let once = redact(&text).into_owned();
        prop_assert!(!once.is_empty() || text.is_empty());
    }
}

/// I01, D08: in the middle of a word too: columns of a row, or a careless `format!`, leave nothing between a token and its neighbours.
#[test]
fn i01_tokens_inside_words_are_found() {
    for token in [refresh("production", [7; 16]), refresh("development", [0; 16]), JWT.to_owned()] {
        for before in ["first", "x", "7", "_", "-", "created", "csr_", "csk_production_", "ey", "eyJ", "c"] {
            let redacted = redact(&format!("{before}{token}")).into_owned();
            let half = token.get(token.len() / 2..).expect("ASCII");
            assert!(!redacted.contains(half), "{before}: {redacted}");
        }
        // A refresh token is as long as it is, whatever letters follow; a JWT takes them along.
        let redacted = redact(&format!("first{token}word and more")).into_owned();
        assert!(!redacted.contains(&token) && redacted.ends_with(" and more"), "{redacted}");
    }
}

/// I01: headers go to the end of their line, and only their line.
#[test]
fn i01_headers() {
    for name in ["Cookie", "set-cookie", "Authorization", "Proxy-Authorization", "DPoP"] {
        let redacted = redact(&format!("{name}: a=Zq7x; b=\"Zq7x\" Zq7x\r\nHost: h.example")).into_owned();
        assert!(!redacted.contains("Zq7x") && redacted.contains("Host: h.example"), "{redacted}");
    }
}

/// The retrofit's placeholder is no token, on its own or in a sentence.
#[test]
fn the_placeholder_stays() {
    let placeholder = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1XzEifQ.countersign";
    assert_eq!(shape(placeholder), None);
    assert_eq!(redact(placeholder), placeholder);
    assert_eq!(shape(JWT), Some(TokenShape::Jwt));
}
