//! `[[issuer]]`: whose tokens are accepted beside ours.

use super::{Sources, read};

const FETCHED: &str = "[[issuer]]\nissuer = \"https://login.example.com\"\njwks_url = \"https://login.example.com/.well-known/jwks.json\"\n";
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

/// H09, A03: keys come over https, or from this machine; from one place.
#[test]
fn h09_where_keys_come_from() {
    assert_eq!(faults(FETCHED), Vec::<String>::new());
    assert_eq!(
        faults(&FETCHED.replace("https://login.example.com/.well", "http://127.0.0.1:8080/.well")),
        Vec::<String>::new()
    );
    for bad in [
        FETCHED.replace("https://login.example.com/.well", "http://login.example.com/.well"),
        FETCHED.replace("https://login.example.com/.well", "https://user:word@login.example.com/.well"),
        FETCHED.replace("https://login.example.com/.well-known/jwks.json", "/.well-known/jwks.json"),
        format!("{FETCHED}jwks_file = \"other.json\"\n"),
    ] {
        assert!(faults(&bad).iter().any(|text| text.contains("jwks_url")), "{bad}");
    }
    let hardened = super::HARDENED.to_owned()
        + &FETCHED.replace("https://login.example.com/.well", "http://localhost:8080/.well");
    let checked = super::readable(&hardened, &[]);
    let found = super::about(&checked, "issuer[https://login.example.com].jwks_url");
    assert!(found.len() == 1 && found[0].level == super::Level::Warning, "{found:?}");
}
