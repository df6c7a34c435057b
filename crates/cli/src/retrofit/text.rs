//! What was found, as tables of a configuration file.

use super::found::{Found, Refresh};
use toml::{Table, Value};

/// `[[upstream]]`.
pub(super) fn upstream(name: &str, found: &Found) -> String {
    let pairs = [("name", Value::from(name)), ("url", Value::from(found.url.as_str()))];
    block("upstream", &pairs.map(|(key, value)| (key.to_owned(), value)))
}

/// `[[retrofit]]`.
pub(super) fn retrofit(upstream: &str, found: &Found) -> String {
    block("retrofit", &retrofit_pairs(upstream, found))
}

/// The keys of `[[retrofit]]`, in the order in which they are read.
pub(super) fn retrofit_pairs(upstream: &str, found: &Found) -> Vec<(String, Value)> {
    let list = |texts: &[String]| Value::Array(texts.iter().map(|text| Value::from(text.as_str())).collect());
    let mut pairs = vec![("upstream", Value::from(upstream)), ("login", list(&found.login))];
    if !found.logout.is_empty() {
        pairs.push(("logout", list(&found.logout)));
    }
    pairs.push(("token", Value::from(found.token.as_str())));
    pairs.push(("inject", Value::from(found.inject.as_str())));
    if let Some(subject) = &found.subject {
        pairs.push(("subject", Value::from(subject.as_str())));
    }
    if let Some(refresh) = &found.refresh {
        pairs.push(("refresh", self::refresh(refresh)));
    }
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// The short form where nothing but the request is worth saying.
fn refresh(refresh: &Refresh) -> Value {
    let Refresh { request, token, send, answer } = refresh;
    let more = [("token", token), ("send", send), ("answer", answer)];
    if more.iter().all(|(_, place)| place.is_none()) {
        return Value::from(request.as_str());
    }
    let mut table = Table::new();
    table.insert("request".into(), Value::from(request.as_str()));
    for (key, place) in more {
        if let Some(place) = place {
            table.insert(key.into(), Value::from(place.as_str()));
        }
    }
    Value::Table(table)
}

fn block(name: &str, pairs: &[(String, Value)]) -> String {
    let mut text = format!("[[{name}]]\n");
    for (key, value) in pairs {
        // A value's Display is its TOML, inline tables included.
        text.push_str(&format!("{key} = {value}\n"));
    }
    text
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn found() -> Found {
        Found {
            url: "http://localhost:3000".into(),
            login: vec!["POST /api/login".into()],
            logout: vec!["POST /api/logout".into()],
            token: "json:/token".into(),
            inject: "authorization: Bearer {token}".into(),
            subject: Some("/sub".into()),
            refresh: None,
            lifetime: Some(30 * 24 * 3600),
            who: "GET /api/me".into(),
            open: Vec::new(),
        }
    }

    #[test]
    fn two_tables() {
        insta::assert_snapshot!(format!("{}{}", upstream("app", &found()), retrofit("app", &found())), @r#"
        [[upstream]]
        name = "app"
        url = "http://localhost:3000"
        [[retrofit]]
        upstream = "app"
        login = ["POST /api/login"]
        logout = ["POST /api/logout"]
        token = "json:/token"
        inject = "authorization: Bearer {token}"
        subject = "/sub"
        "#);
    }

    /// What an application says of itself must not become configuration of another kind.
    #[test]
    fn hostile_text_stays_text() {
        let mut hostile = found();
        hostile.token = "json:/a\"\n[tokens]\naccess_ttl = \"9h\"\n".into();
        hostile.refresh = Some(Refresh {
            request: "POST /r\u{1b}".into(),
            token: Some("json:/\"}\n".into()),
            send: None,
            answer: Some("json:/t".into()),
        });
        let table = retrofit("app", &hostile).parse::<Table>().unwrap();
        assert_eq!(table.len(), 1);
        let entry = &table["retrofit"][0];
        assert_eq!(entry["token"].as_str().unwrap(), hostile.token);
        assert_eq!(entry["refresh"]["token"].as_str().unwrap(), "json:/\"}\n");
    }
}
