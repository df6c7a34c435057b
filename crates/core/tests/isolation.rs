//! C01, C05, K10: every combination of what a browser can say about a request, against the sentences of design §7.

use countersign_core::domain::isolation::{Isolation, Origins, Provenance};

const PUBLIC: &str = "https://app.example.com";
const ALLOWED: &str = "https://admin.example.com:8443";

/// The sentences of the contract, one after the other.
fn by_the_book(method: &str, p: &Provenance<'_>) -> Isolation {
    let origin_passes = matches!(p.origin, Some(PUBLIC | ALLOWED));
    if p.websocket {
        return if origin_passes { Isolation::Identity } else { Isolation::Refused };
    }
    match p.site {
        Some("same-origin" | "none") => return Isolation::Identity,
        _ if origin_passes => return Isolation::Identity,
        _ => {}
    }
    let safe = ["GET", "HEAD", "OPTIONS"].contains(&method);
    let top_level = method == "GET"
        && p.mode == Some("navigate")
        && (p.dest == Some("document") || p.dest == Some("empty"));
    match (safe, p.site, p.origin) {
        (false, _, _) => Isolation::Refused,
        (true, None, None) => Isolation::Identity,
        (true, _, _) if top_level => Isolation::Identity,
        (true, _, _) => Isolation::WithoutIdentity,
    }
}

#[test]
fn c01_c05_every_combination() {
    let origins = Origins::new(PUBLIC, [ALLOWED.to_owned()]);
    let sites = [
        None,
        Some("same-origin"),
        Some("none"),
        Some("same-site"),
        Some("cross-site"),
        Some("Same-Origin"),
        Some(""),
    ];
    let modes =
        [None, Some("navigate"), Some("cors"), Some("no-cors"), Some("websocket"), Some("nested-navigate")];
    let dests =
        [None, Some("document"), Some("empty"), Some("iframe"), Some("embed"), Some("object"), Some("image")];
    let from = [
        None,
        Some(PUBLIC),
        Some(ALLOWED),
        Some("null"),
        Some("https://app.example.com.evil.example"),
        Some(""),
    ];
    let mut seen = [0_usize; 3];
    for method in ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"] {
        for (site, mode) in sites.iter().flat_map(|s| modes.iter().map(move |m| (*s, *m))) {
            for (dest, origin) in dests.iter().flat_map(|d| from.iter().map(move |o| (*d, *o))) {
                for websocket in [false, true] {
                    let safe_method = matches!(method, "GET" | "HEAD" | "OPTIONS");
                    let p =
                        Provenance { safe_method, get: method == "GET", site, mode, dest, origin, websocket };
                    let verdict = p.isolate(&origins);
                    assert_eq!(verdict, by_the_book(method, &p), "{method} {p:?}");
                    seen[verdict as usize] += 1;
                }
            }
        }
    }
    assert!(seen.iter().all(|n| *n > 100), "{seen:?}");
}

/// C01, C12: no page of another site gets an unsafe request of ours through, whatever it makes the browser send.
#[test]
fn c12_another_site_never_writes() {
    let origins = Origins::new(PUBLIC, []);
    for site in [Some("cross-site"), Some("same-site"), None] {
        for origin in
            [None, Some("null"), Some("https://evil.example"), Some(ALLOWED), Some("http://app.example.com")]
        {
            for mode in ["navigate", "cors", "no-cors"] {
                let p = Provenance {
                    site,
                    origin,
                    mode: Some(mode),
                    dest: Some("document"),
                    ..Provenance::default()
                };
                assert_eq!(p.isolate(&origins), Isolation::Refused, "{p:?}");
            }
        }
    }
}
