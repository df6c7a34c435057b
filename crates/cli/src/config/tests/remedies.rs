//! Remedies that lead somewhere: what is wrong, the words of the remedy, and the same with the remedy followed.

use super::{DEVELOPMENT, with};

const APP: &str = "[[upstream]]\nname = \"app\"\nurl = \"http://localhost:3000\"\n";

/// Each file is refused for one reason, whose remedy holds these words; with what it says in place it is read.
#[test]
fn a_remedy_that_is_followed_mends_the_file() {
    let two = format!("{APP}{}", APP.replace("\"app\"", "\"api\""));
    let cases: &[(&str, &str, &str, &str)] = &[
        ("[tokens]\naccess_ttl = 15", "15", "\"15m\"", "tokens.access_ttl = 15"),
        ("[tokens]\nidle_ttl = \"7\"", "\"7\"", "\"7h\"", "tokens.idle_ttl = \"7\""),
        ("[limits]\nfirst_byte = 60", "60", "\"60s\"", "limits.first_byte = 60"),
        (
            &format!("{APP}[[route]]\npath = \"/a\"\nmax_auth_age = 10"),
            "= 10",
            "\"10m\"",
            "route[/a].max_auth_age = 10",
        ),
        (
            "[upstream]\nname = \"app\"\nurl = \"http://localhost:3000\"",
            "[upstream]",
            "[[upstream]]",
            "upstream = ",
        ),
        (&format!("{APP}[route]\npath = \"/a\""), "[route]", "[[route]]", "route = "),
        (&APP.replace("http://", ""), "\"localhost:3000\"", "\"http://localhost:3000\"", "upstream[app].url"),
        (
            &APP.replace(":3000", ":3000/api"),
            "\"http://localhost:3000/api\"",
            "\"http://localhost:3000\"",
            "upstream[app].url",
        ),
        (&format!("{APP}[[route]]\npath = \"api/*\""), "\"api/*\"", "\"/api/*\"", "route[api/*].path"),
        (&format!("{APP}[[route]]\npath = \"/api*\""), "\"/api*\"", "\"/api/*\"", "route[/api*].path"),
        (
            &format!("{APP}[[route]]\npath = \"/a\"\nupstream = \"ap\""),
            "\"ap\"",
            "\"app\"",
            "route[/a].upstream",
        ),
        (
            &format!("{APP}[[route]]\npath = \"/a\"\nscope = \"admin\""),
            "\"admin\"",
            "[\"admin\"]",
            "route[/a].scope",
        ),
        (
            &format!("{APP}{}", APP.replace("3000", "3001")),
            "\"app\"\nurl = \"http://localhost:3001\"",
            "\"app2\"",
            "upstream[app].name",
        ),
        (&format!("{two}[[route]]\npath = \"/a\""), "path = \"/a\"", "\"app\"", "route[/a].upstream"),
        ("[accounts]\nsignup = true", "true", "\"open\"", "accounts.signup = true"),
        ("[listen]\naddress = 8443", "8443", "\"127.0.0.1:8443\"", "listen.address = 8443"),
        ("[listen]\naddress = \":8443\"", "\":8443\"", "\"127.0.0.1:8443\"", "listen.address"),
        ("[listen]\naddress = \"127.0.0.1\"", "\"127.0.0.1\"", "\"127.0.0.1:8443\"", "listen.address"),
        (
            "[cors]\nallowed_origins = [\"localhost:9000\"]",
            "\"localhost:9000\"",
            "\"https://localhost:9000\"",
            "cors.allowed_origins",
        ),
        (
            "[cors]\nallowed_origins = [\"https://a.example/x\"]",
            "\"https://a.example/x\"",
            "\"https://a.example\"",
            "cors.allowed_origins",
        ),
    ];
    for (wrong, typed, right, key) in cases {
        let refused = with(&format!("{DEVELOPMENT}{wrong}"), &[]).expect_err(wrong);
        let [problem] = refused.problems() else { panic!("one reason: {wrong}\n{refused}") };
        let told = problem.to_string();
        assert!(told.starts_with(key) && problem.remedy.contains(right), "{wrong}\n{told}");
        // The last one: names repeat.
        let mended = match *typed {
            "path = \"/a\"" => format!("{wrong}\nupstream = {right}"),
            _ if typed.contains("\nurl") => wrong.replacen(typed, &typed.replacen("\"app\"", right, 1), 1),
            _ => {
                let (before, rest) = wrong.split_at(wrong.rfind(typed).unwrap());
                let after = rest.strip_prefix(typed).unwrap();
                let value = if typed.starts_with("= ") { format!("= {right}") } else { (*right).to_owned() };
                format!("{before}{value}{after}")
            }
        };
        if let Err(refused) = with(&format!("{DEVELOPMENT}{mended}"), &[]) {
            panic!("the remedy leads in a circle:\n{mended}\n{refused}");
        }
    }
}

/// An environment that is nearly a known one would have keys of its own and none of the rules that were meant.
#[test]
fn near_misses_of_known_environments_are_refused() {
    for (typed, meant) in [
        ("developmnt", "development"),
        ("develpoment", "development"),
        ("dev", "development"),
        ("Production", "production"),
        ("prodution", "production"),
        ("prodcutoin", "production"),
        ("prod", "production"),
        ("stagin", "staging"),
        ("stageing", "staging"),
        ("stage", "staging"),
    ] {
        let refused = with(DEVELOPMENT, &[("environment", typed)]).unwrap_err();
        let [problem] = refused.problems() else { panic!("{refused}") };
        assert_eq!(
            (problem.key.as_str(), problem.remedy.as_str()),
            ("environment", &*format!("did you mean {meant:?}?"))
        );
    }
    for label in [
        "development",
        "staging",
        "production",
        "staging2",
        "production1",
        "qa",
        "test",
        "demo",
        "canary",
        "eu1",
    ] {
        let refused = with(DEVELOPMENT, &[("environment", label)]);
        let about =
            |refused: &crate::config::Refused| refused.problems().iter().any(|p| p.key == "environment");
        assert!(!refused.is_err_and(|refused| about(&refused)), "{label}");
    }
}

#[test]
fn findings_about_routes_name_their_paths() {
    let file = format!(
        "{DEVELOPMENT}{APP}[[route]]\npath = \"/assets/*\"\nauth = \"none\"\n[[route]]\npath = \"/api/*\"\n"
    );
    let checked = super::readable(&file, &[]);
    let values: Vec<_> =
        super::about(&checked, "route").iter().map(|finding| finding.value.clone()).collect();
    assert_eq!(values, ["[\"/api/*\", \"/*\"]"], "those that carry identity");
    let many: String = (0..9).map(|n| format!("[[route]]\npath = \"/{n}\"\n")).collect();
    let checked = super::readable(&format!("{DEVELOPMENT}{APP}{many}"), &[]);
    assert!(super::about(&checked, "route")[0].value.ends_with("and 4 more]"), "{:?}", checked.findings());
}

#[test]
fn a_key_that_stands_there_twice() {
    let refused = crate::config::Sources::from_text("x.toml", "[tokens]\nleeway = \"1s\"\nleeway = \"2s\"\n")
        .unwrap_err();
    assert!(
        refused.to_string().contains("x.toml:3:1") && refused.to_string().contains("keep one of the two"),
        "{refused}"
    );
}
