//! C07, K05: an upstream that reads a path in its own way never finds itself on another route than the gateway did.

#![expect(clippy::expect_used, reason = "all of this is test code: stopping is how it fails")]

use countersign_core::domain::route::{Pattern, RouteAuth, RouteRule, RouteTable};
use countersign_core::domain::scope::ScopeSet;
use proptest::prelude::{Just, Strategy, prop_assert, prop_oneof, proptest};
use proptest::test_runner::Config;

fn table() -> RouteTable {
    let pattern = |text| Pattern::parse(text).expect("a pattern");
    let open = RouteRule { auth: RouteAuth::None, ..RouteRule::protected(0) };
    let admin = RouteRule { scope: ScopeSet::parse("admin").expect("a scope"), ..RouteRule::protected(0) };
    RouteTable::new([
        (pattern("/*"), RouteRule::protected(0)),
        (pattern("/assets/*"), open.clone()),
        (pattern("/hook"), open),
        (pattern("/admin/*"), admin),
    ])
}

/// How upstreams differ: how often they decode, whether path parameters count, whether empty segments do, and whether a
/// backslash is a slash. RFC 3986 §5.2.4 keeps empty segments, nginx does not.
#[derive(Clone, Copy, Debug)]
struct Reader {
    decodes: u8,
    drops_parameters: bool,
    merges_slashes: bool,
    backslash: bool,
}

impl Reader {
    fn all() -> impl Iterator<Item = Self> {
        (0..24_u8).map(|n| Self {
            decodes: n / 8,
            drops_parameters: n & 1 != 0,
            merges_slashes: n & 2 != 0,
            backslash: n & 4 != 0,
        })
    }

    fn read(self, raw: &str) -> String {
        let mut text = raw.to_owned();
        for _ in 0..self.decodes {
            text = percent_encoding::percent_decode_str(&text).decode_utf8_lossy().into_owned();
        }
        if self.backslash {
            text = text.replace('\\', "/");
        }
        let mut kept: Vec<&str> = Vec::new();
        let segments: Vec<&str> = text.split('/').skip(1).collect();
        let last = segments.len().saturating_sub(1);
        for (n, segment) in segments.into_iter().enumerate() {
            let name = if self.drops_parameters { segment.split(';').next().unwrap_or("") } else { segment };
            match name {
                "." | ".." => {
                    if name == ".." {
                        kept.pop();
                    }
                    if n == last {
                        kept.push("");
                    }
                }
                "" if self.merges_slashes && n != last => {}
                name => kept.push(name),
            }
        }
        format!("/{}", kept.join("/"))
    }
}

fn path() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => Just("/assets"), 3 => Just("/admin"), 1 => Just("/hook"), 4 => Just("/.."), 1 => Just("/."), 3 => Just("/"), 2 => Just("/%2e%2e"),
        2 => Just("/%252e%252e"), 2 => Just("/..;"), 1 => Just("/%2e%2e;x"), 1 => Just("%2f"), 1 => Just("\\"), 1 => Just("%5c.."),
        1 => Just("/x"), 1 => Just(";a"), 1 => Just("%61"),
        1 => Just("/ADMIN"), 1 => Just("/%41dmin"),
    ];
    proptest::collection::vec(piece, 1..7)
        .prop_map(|p| p.concat())
        .prop_filter("absolute", |p| p.starts_with('/'))
}

proptest! {
    #![proptest_config(Config { cases: 16 * Config::default().cases, ..Config::default() })]

    /// C07, K05: what passes as exempt is exempt for every reader, and what needs a scope for any reader needs it here.
    #[test]
    fn c07_k05_no_reader_finds_another_route(raw in path()) {
        let table = table();
        let found = table.find(&raw);
        if let Some(rule) = found.rule() {
            for reader in Reader::all() {
                let reading = reader.read(&raw);
                // Some frameworks ignore case.
                let admin = reading.to_ascii_lowercase().starts_with("/admin/");
                let open = reading.starts_with("/assets/") || reading == "/hook";
                prop_assert!(open || rule.auth != RouteAuth::None, "{raw} is exempt, {reader:?} reads {reading}");
                prop_assert!(!admin || !rule.scope.is_empty(), "{raw} needs no scope, {reader:?} reads {reading}");
            }
        }
    }
}

/// C07: two spellings that agree before and after normalisation, but not in between.
#[test]
fn c07_detours_through_a_protected_route() {
    for raw in [
        // RFC 3986 keeps the empty segment, so `..` takes only that away: /admin/assets/x.
        "/assets/../admin//../assets/x",
        // Only readers that drop parameters leave /admin again.
        "/assets/%2e%2e/admin/..;/assets/x",
        // Only readers that decode twice do.
        "/assets/%2e%2e/admin/%252e%252e/assets/x",
    ] {
        assert_eq!(table().find(raw).rule().map(|r| r.auth), None, "{raw}");
    }
    for ordinary in ["/assets/a%20b.css", "/assets/a;v=1.css", "/assets/.well-known/x", "/assets/100%25"] {
        assert_eq!(table().find(ordinary).rule().map(|r| r.auth), Some(RouteAuth::None), "{ordinary}");
    }
}
