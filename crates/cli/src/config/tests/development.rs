//! `dev`: no file, one command.

use crate::config::{
    Development, DevelopmentUpstream, LogFormat, Settings, Signup, Sources, StoreLocation, Transport, read,
};
use std::path::Path;

#[test]
fn no_file_is_enough() {
    let settings = Settings::development(&Development::default()).unwrap();
    assert_eq!(settings.environment.as_str(), "development");
    assert_eq!(settings.public_url.as_str(), "https://localhost:8443/");
    assert_eq!(settings.listen.address.to_string(), "127.0.0.1:8443");
    assert_eq!(settings.tls.transport, Transport::LocalCa);
    assert!(
        matches!(&settings.store, StoreLocation::Sqlite(path) if path == Path::new(".countersign/countersign.db"))
    );
    assert_eq!(settings.keys.master_key_file.as_deref(), Some(Path::new(".countersign/master.key")));
    assert_eq!((settings.accounts.signup, settings.log.format), (Signup::Open, LogFormat::Pretty));
    assert!(settings.upstreams.is_empty() && settings.routes.is_empty());
}

#[test]
fn flags_are_obeyed() {
    let dev = Development {
        upstreams: ["http://127.0.0.1:3000", "/api=http://127.0.0.1:4000"]
            .map(DevelopmentUpstream::parse)
            .into(),
        plain_http: true,
        public_url: Some("http://localhost:9000".into()),
    };
    let settings = Settings::development(&dev).unwrap();
    assert_eq!(settings.tls.transport, Transport::Off);
    assert_eq!(settings.listen.address.to_string(), "127.0.0.1:9000");
    let routes: Vec<_> =
        settings.routes.iter().map(|route| (route.path.to_string(), route.upstream.as_str())).collect();
    let expected = [("/api", "app2"), ("/api/*", "app2"), ("/*", "app")];
    assert_eq!(routes, expected.map(|(path, upstream)| (path.to_owned(), upstream)));
    let plain = Development { plain_http: true, ..Development::default() };
    assert_eq!(Settings::development(&plain).unwrap().public_url.as_str(), "http://localhost:8443/");
}

/// B14: development cannot be talked into serving others, and a variable cannot turn `dev` into something else.
#[test]
fn stays_on_this_machine() {
    let dev = Development { public_url: Some("https://app.example.com".into()), ..Development::default() };
    let refused = Settings::development(&dev).unwrap_err();
    assert_eq!(refused.problems()[0].key, "public_url");
    let variables = [
        ("COUNTERSIGN_ENVIRONMENT".to_owned(), "production".to_owned()),
        ("COUNTERSIGN_LISTEN__ADDRESS".to_owned(), "0.0.0.0:8443".to_owned()),
    ];
    let sources = Sources::development(&Development::default()).with_variables(variables);
    let refused = read(&sources).unwrap().start().unwrap_err();
    assert_eq!(refused.problems()[0].key, "listen.address");
}

/// `--upstream` replaces the upstreams of a file.
#[test]
fn upstreams_replace_the_files() {
    let file = "[[upstream]]\nname = \"old\"\nurl = \"http://127.0.0.1:1\"\n[[route]]\npath = \"/old\"\n";
    let dev = Development {
        upstreams: vec![DevelopmentUpstream::parse("http://127.0.0.1:3000")],
        ..Development::default()
    };
    let checked =
        read(&Sources::from_text("countersign.toml", file).unwrap().with_development(&dev)).unwrap();
    let names: Vec<_> = checked.inspect().upstreams.iter().map(|upstream| upstream.name.as_str()).collect();
    assert_eq!(names, ["app"]);
    assert_eq!(checked.inspect().routes.len(), 1);
}

#[test]
fn malformed_upstreams_are_refused() {
    for text in [
        "127.0.0.1:3000",
        "https://127.0.0.1:3000",
        "/a/../b=http://127.0.0.1:3000",
        "/auth=http://127.0.0.1:3000",
    ] {
        let dev = Development { upstreams: vec![DevelopmentUpstream::parse(text)], ..Development::default() };
        assert!(Settings::development(&dev).is_err(), "{text}");
    }
}

/// A production file would be served with weaker rules, on its own store.
#[test]
fn a_file_of_another_environment_is_seen() {
    for (file, says) in [
        ("", None),
        ("[tokens]\naccess_ttl = \"5m\"", None),
        ("environment = \"development\"\npublic_url = \"https://app.example.com\"", None),
        ("public_url = \"https://shop.localhost:8443\"", None),
        ("public_url = \"https://app.example.com\"", Some("public_url = \"https://app.example.com\"")),
        ("environment = \"staging\"", Some("environment = \"staging\"")),
    ] {
        let sources = Sources::from_text("countersign.toml", file).unwrap();
        let expected = says.map(|says| ("countersign.toml", says.to_owned()));
        assert_eq!(sources.contradicts_development(), expected, "{file}");
    }
    assert_eq!(Sources::default().contradicts_development(), None);
}

#[test]
fn paths_may_be_left_over() {
    let leaves = |upstreams: &[&str]| {
        let upstreams = upstreams.iter().map(|text| DevelopmentUpstream::parse(text)).collect();
        Development { upstreams, ..Development::default() }.leaves_paths()
    };
    assert!(leaves(&["/api=http://127.0.0.1:4000"]));
    for whole in
        [&[][..], &["http://127.0.0.1:3000"], &["/api=http://127.0.0.1:4000", "/=http://127.0.0.1:3000"]]
    {
        assert!(!leaves(whole), "{whole:?}");
    }
}

/// What is suggested to somebody who named an application is an application.
#[test]
fn remedies_for_upstreams_name_an_application() {
    for text in ["localhost:3000", "https://127.0.0.1:3000", "http://localhost:3000/path", "3000"] {
        let dev = Development { upstreams: vec![DevelopmentUpstream::parse(text)], ..Development::default() };
        let refused = Settings::development(&dev).unwrap_err().to_string();
        assert!(
            refused.contains("http://localhost:3000") && !refused.contains("app.example.com"),
            "{refused}"
        );
    }
}
