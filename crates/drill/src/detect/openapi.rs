//! What an OpenAPI (or Swagger) document says: paths, methods, and the fields of bodies.

use http::Method;
use serde_json::Value;

use crate::profile::Call;

/// Where such documents lie.
pub(super) const PLACES: [&str; 9] = [
    "/openapi.json",
    "/api/openapi.json",
    "/swagger.json",
    "/api-docs",
    "/v3/api-docs",
    "/api/docs/openapi.json",
    "/api/schema/?format=json",
    "/api/auth/open-api/generate-schema",
    "/auth/openapi.json",
];

/// One operation.
#[derive(Debug, Clone)]
pub struct Operation {
    /// Method and path; path parameters stand in braces: `/notes/{id}`.
    pub call: Call,
    /// Names of the body's fields.
    pub fields: Vec<String>,
    /// Those without which it is refused, where the document says so.
    pub required: Vec<String>,
}

/// Reads a document; empty if it is none.
#[must_use]
pub(super) fn read(document: &Value) -> Vec<Operation> {
    let Some(paths) = document.get("paths").and_then(Value::as_object) else { return Vec::new() };
    let base = document
        .pointer("/servers/0/url")
        .or_else(|| document.get("basePath"))
        .and_then(Value::as_str)
        .unwrap_or_default();
    // An absolute server URL may lead elsewhere; its path is what counts here.
    let base = match base.split_once("://") {
        Some((_, rest)) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default(),
        None => base,
    };
    let base = base.trim_end_matches('/');
    let mut found = Vec::new();
    for (path, item) in paths {
        for (method, operation) in item.as_object().into_iter().flatten() {
            let Ok(method) = method.to_ascii_uppercase().parse::<Method>() else { continue };
            if !matches!(method, Method::GET | Method::POST | Method::PUT | Method::PATCH | Method::DELETE) {
                continue;
            }
            let (fields, required) = fields(operation, document);
            found.push(Operation { call: Call::new(method, format!("{base}{path}")), fields, required });
        }
    }
    found
}

/// All fields, and the required ones.
fn fields(operation: &Value, document: &Value) -> (Vec<String>, Vec<String>) {
    let content = operation.pointer("/requestBody/content").and_then(Value::as_object);
    let mut schemas: Vec<&Value> =
        content.into_iter().flatten().filter_map(|(_, media)| media.get("schema")).collect();
    // Swagger 2.
    let parameters = operation.get("parameters").and_then(Value::as_array).into_iter().flatten();
    schemas.extend(
        parameters
            .filter(|p| p.get("in").is_some_and(|place| place == "body"))
            .filter_map(|p| p.get("schema")),
    );
    let (mut names, mut required) = (Vec::new(), Vec::new());
    for schema in schemas {
        let schema = schema
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|reference| document.pointer(reference.trim_start_matches('#')))
            .unwrap_or(schema);
        let properties = schema.get("properties").and_then(Value::as_object);
        names.extend(properties.into_iter().flatten().map(|(name, _)| name.clone()));
        let needed = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        required.extend(needed.filter_map(Value::as_str).map(str::to_owned));
    }
    for list in [&mut names, &mut required] {
        list.sort();
        list.dedup();
    }
    (names, required)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn operations_with_their_fields() {
        let found = read(&json!({
            "servers": [{ "url": "https://x.test/v1/" }],
            "paths": { "/enter": { "post": { "requestBody": { "content": { "application/json": {
                "schema": { "$ref": "#/components/schemas/Enter" } } } } }, "summary": "x" } },
            "components": { "schemas": { "Enter": { "properties": { "nick": {}, "passwd": {}, "then": {} }, "required": ["passwd", "nick"] } } }
        }));
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].call.to_string(), found[0].fields.join(",")),
            ("POST /v1/enter".into(), "nick,passwd,then".into())
        );
        assert_eq!(found[0].required, ["nick", "passwd"]);
        assert!(read(&json!({ "openapi": "3" })).is_empty());
    }
}
