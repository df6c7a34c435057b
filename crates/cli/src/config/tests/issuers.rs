//! `[[issuer]]`: whose tokens are accepted beside ours.

use super::{Sources, read};

const OTHER: &str = "[[issuer]]\nissuer = \"https://login.example.com\"\njwks_file = \"other.json\"\n";

fn faults(text: &str) -> Vec<String> {
    let text = format!("environment = \"development\"\n{text}");
    match read(&Sources::from_text("test.toml", &text).unwrap()) {
        Ok(_) => Vec::new(),
        Err(faults) => vec![format!("{faults:?}")],
    }
}

/// A04: an issuer is an origin, compared exactly, and comes once; ours is not another.
#[test]
fn a04_issuers() {
    let text = format!("environment = \"development\"\n{OTHER}");
    let checked = read(&Sources::from_text("test.toml", &text).unwrap()).unwrap();
    let issuers = &checked.inspect().issuers;
    assert_eq!((issuers.len(), &*issuers[0].issuer), (1, "https://login.example.com"));
    for bad in [
        format!("{OTHER}{OTHER}"),
        OTHER.replace("login.example.com", "localhost:8443"),
        OTHER.replace("login.example.com", "login.example.com/path"),
        OTHER.replace("jwks_file = \"other.json\"\n", ""),
        OTHER.replace("issuer = ", "isuer = "),
    ] {
        assert!(faults(&bad).iter().any(|text| text.contains("issuer")), "{bad}");
    }
}
