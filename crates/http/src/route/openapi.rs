//! GET `/auth/openapi.json`: OpenAPI 3.1, made of the router's own table. What each row says is in [`docs`], bodies in [`schemas`].

mod docs;
mod schemas;

use std::sync::Arc;

use countersign_core::domain::cookie::CookieKind;
use countersign_core::port::Outside;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::Reply;
use super::call::Call;
use super::session;
use super::table::own_routes;
use crate::site::Site;
use docs::{ANY, Body, Doc, VERIFY, Who, doc};

pub(super) async fn document<O: Outside>(site: Arc<Site<O>>, _call: Call) -> Reply {
    let settings = &site.settings;
    let names = Names {
        origin: &settings.public_origin,
        cookie: settings.cookies.name(CookieKind::Access),
        csrf: settings.csrf_header.as_str(),
    };
    Ok(session::json(&openapi(&names)))
}

/// What configuration calls otherwise.
struct Names<'n> {
    origin: &'n str,
    cookie: &'n str,
    csrf: &'n str,
}

fn openapi(names: &Names<'_>) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    let rows = own_routes().into_iter().filter_map(doc).chain(std::iter::once(&VERIFY));
    for row in rows {
        let methods = paths.entry(row.path).or_insert_with(|| json!({}));
        if let Some(methods) = methods.as_object_mut() {
            methods.insert(row.method.to_ascii_lowercase(), operation(row, names));
        }
    }
    let scheme = |kind: &str, place: &str, name: &str| json!({ "type": kind, "in": place, "name": name });
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Countersign", "version": env!("CARGO_PKG_VERSION") },
        "servers": [{ "url": names.origin }],
        "paths": paths,
        "components": {
            "schemas": schemas::schemas(),
            "securitySchemes": {
                "session": scheme("apiKey", "cookie", names.cookie),
                "access": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" },
                "key": { "type": "http", "scheme": "bearer", "bearerFormat": "API key" },
                "proxy": scheme("apiKey", "header", "Countersign-Forward-Auth"),
            },
        },
    })
}

fn operation(row: &Doc, names: &Names<'_>) -> Value {
    let mut members = Map::new();
    members.insert(String::from("summary"), row.what.into());
    members.insert(String::from("responses"), Value::Object(responses(row)));
    let parameters = parameters(row, names);
    if !parameters.is_empty() {
        members.insert(String::from("parameters"), parameters.into());
    }
    if !row.takes.is_empty() {
        let content: Map<String, Value> = row
            .takes
            .iter()
            .map(|(media, schema)| ((*media).to_owned(), json!({ "schema": reference(schema) })))
            .collect();
        members.insert(String::from("requestBody"), json!({ "required": !row.bodiless, "content": content }));
    }
    let security = match row.who {
        Who::Anybody => None,
        Who::Browser => Some(json!([{}, { "session": [] }])),
        Who::User => Some(json!([{ "session": [] }, { "access": [] }])),
        // Scopes of bearer tokens may be listed since OpenAPI 3.1.
        Who::Machine(scope) => Some(json!([{ "key": [scope] }])),
        Who::Proxy => Some(json!([{ "proxy": [] }])),
    };
    if let Some(security) = security {
        members.insert(String::from("security"), security);
    }
    Value::Object(members)
}

fn responses(row: &Doc) -> Map<String, Value> {
    let mut responses: Map<String, Value> = Map::new();
    let mut add = |status: u16, content: Option<(&str, Value)>| {
        let entry = responses.entry(status.to_string()).or_insert_with(|| {
            let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
            json!({ "description": reason.unwrap_or_default() })
        });
        if let (Some((media, schema)), Some(entry)) = (content, entry.as_object_mut())
            && let Some(content) = entry.entry("content").or_insert_with(|| json!({})).as_object_mut()
        {
            content.insert(media.to_owned(), schema);
        }
    };
    for (status, body) in row.gives {
        add(
            *status,
            match body {
                Body::Json(schema) => Some(("application/json", json!({ "schema": reference(schema) }))),
                Body::Typed(media, schema) => Some((*media, json!({ "schema": reference(schema) }))),
                Body::Text(media) => Some((*media, json!({ "schema": { "type": "string" } }))),
                Body::Nothing => None,
            },
        );
    }
    for status in ANY.iter().chain(row.refuses) {
        add(*status, Some(("application/problem+json", json!({ "schema": schemas::problem(*status) }))));
        // People get it as a page.
        add(*status, Some(("text/html", json!({ "schema": { "type": "string" } }))));
    }
    responses
}

fn parameters(row: &Doc, names: &Names<'_>) -> Vec<Value> {
    let text = json!({ "type": "string" });
    let in_path = row.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut all: Vec<Value> =
        in_path.map(|name| json!({ "name": name, "in": "path", "required": true, "schema": text })).collect();
    all.extend(row.parameters.iter().map(|parameter| {
        json!({ "name": parameter.name, "in": parameter.place, "required": parameter.required,
            "description": parameter.what, "schema": text })
    }));
    if row.method != "GET" && matches!(row.who, Who::Browser | Who::User) {
        all.push(json!({ "name": names.csrf, "in": "header", "required": false, "schema": text,
            "description": "With cookies: a token of GET /auth/csrf; forms may send it as the field _csrf." }));
    }
    all
}

fn reference(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made() -> Value {
        openapi(&Names { origin: "https://app.example.com", cookie: "access", csrf: "x-csrf-token" })
    }

    /// Each row of the router is in the document, with what it does, and nothing else is but what dispatch answers before it.
    #[test]
    fn the_document_is_the_router() {
        let document = made();
        let mut listed: Vec<(String, String)> = Vec::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                assert!(operation["summary"].as_str().is_some_and(|s| !s.is_empty()), "{method} {path}");
                let responses = operation["responses"].as_object().unwrap();
                assert!(responses.keys().any(|status| status.starts_with(['2', '3'])), "{method} {path}");
                assert!(responses.len() > ANY.len(), "{method} {path}");
                listed.push((method.to_uppercase(), path.clone()));
            }
        }
        let mut routes: Vec<_> =
            own_routes().iter().map(|r| (r.method.to_owned(), r.path.to_owned())).collect();
        // No row describes what is not there, and none comes twice.
        assert_eq!(docs::DOCS.len(), routes.len());
        routes.push((VERIFY.method.to_owned(), VERIFY.path.to_owned()));
        listed.sort();
        routes.sort();
        assert_eq!(listed, routes);
    }

    /// Every schema that is named is there, and every one that is there is named.
    #[test]
    fn references_lead_somewhere() {
        let document = made();
        let text = document.to_string();
        let names: std::collections::BTreeSet<&str> =
            text.split("#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let there: std::collections::BTreeSet<&str> =
            document["components"]["schemas"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, there);
    }

    /// No refusal is described that could have no code.
    #[test]
    fn every_status_has_a_code() {
        for row in docs::DOCS.iter().chain([&VERIFY]) {
            for status in ANY.iter().chain(row.refuses) {
                assert!(!schemas::codes(*status).is_empty(), "{} {}: {status}", row.method, row.path);
            }
        }
    }
}
