//! GET `/auth/openapi.json`: OpenAPI 3.1, made of the router's own table. What each row says is in [`docs`].

mod docs;

use std::sync::Arc;

use countersign_core::port::Outside;
use serde_json::{Map, Value, json};

use super::Reply;
use super::call::Call;
use super::session;
use super::table::{OwnRoute, own_routes};
use crate::site::Site;
use docs::{Body, Doc, doc};

pub(super) async fn document<O: Outside>(site: Arc<Site<O>>, _call: Call) -> Reply {
    Ok(session::json(&openapi(&site.settings.public_origin)))
}

fn openapi(origin: &str) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for route in own_routes() {
        let methods = paths.entry(route.path).or_insert_with(|| json!({}));
        if let (Some(doc), Some(methods)) = (doc(route), methods.as_object_mut()) {
            methods.insert(route.method.to_ascii_lowercase(), operation(route, doc));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Countersign", "version": env!("CARGO_PKG_VERSION") },
        "servers": [{ "url": origin }],
        "paths": paths,
        "components": {
            "schemas": docs::schemas(),
            "securitySchemes": { "bearer": { "type": "http", "scheme": "bearer" } },
        },
    })
}

fn operation(route: OwnRoute, doc: &Doc) -> Value {
    let mut responses = Map::new();
    for (status, body) in doc.answers {
        responses.insert((*status).to_owned(), response(body));
    }
    // Any refusal is a problem; people get it as a page.
    let problem = json!({
        "description": "A refusal (RFC 9457).",
        "content": { "application/problem+json": { "schema": reference("Problem") }, "text/html": {} },
    });
    for status in ["4XX", "5XX"] {
        responses.insert(status.to_owned(), problem.clone());
    }
    let mut operation = json!({ "summary": doc.what, "responses": responses });
    let parameters: Vec<Value> = parameters(route.path)
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    if let Some(members) = operation.as_object_mut() {
        if !parameters.is_empty() {
            members.insert(String::from("parameters"), Value::from(parameters));
        }
        if let Some((media, schema)) = doc.request {
            let content = json!({ media: { "schema": reference(schema) } });
            members.insert(String::from("requestBody"), json!({ "content": content }));
        }
        if doc.key {
            members.insert(String::from("security"), json!([{ "bearer": [] }]));
        }
    }
    operation
}

fn response(body: &Body) -> Value {
    match body {
        Body::Json(schema) => json!({
            "description": "Done.",
            "content": { "application/json": { "schema": reference(schema) } },
        }),
        Body::Other(media) => json!({ "description": "Done.", "content": { *media: {} } }),
        Body::Nothing => json!({ "description": "Done." }),
    }
}

fn reference(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}

fn parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each row of the router is in the document, with what it does, and nothing else is.
    #[test]
    fn the_document_is_the_router() {
        let document = openapi("https://app.example.com");
        let mut listed: Vec<(String, String)> = Vec::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                assert!(operation["summary"].as_str().is_some_and(|s| !s.is_empty()), "{method} {path}");
                assert!(operation["responses"].as_object().unwrap().len() > 2, "{method} {path}");
                listed.push((method.to_uppercase(), path.clone()));
            }
        }
        let mut routes: Vec<_> =
            own_routes().iter().map(|r| (r.method.to_owned(), r.path.to_owned())).collect();
        listed.sort();
        routes.sort();
        assert_eq!(listed, routes);
        // No row describes what is not there, and none comes twice.
        assert_eq!(docs::DOCS.len(), routes.len());
    }

    /// Every schema that is named is there.
    #[test]
    fn references_lead_somewhere() {
        let document = openapi("https://app.example.com");
        let text = document.to_string();
        let names = text.split("#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next());
        let mut count = 0;
        for name in names {
            assert!(document["components"]["schemas"].get(name).is_some(), "{name}");
            count += 1;
        }
        assert!(count > 20);
    }
}
