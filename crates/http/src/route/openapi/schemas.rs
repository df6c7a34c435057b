//! The bodies of requests and answers, as JSON Schema (draft 2020-12, as in OpenAPI 3.1).

use serde_json::{Map, Value, json};

use crate::wire::problem::Code;

/// Statuses that `invalid_request` comes with, beside its usual one.
const INVALID: [u16; 7] = [404, 405, 408, 409, 413, 421, 431];

fn object(required: &[&str], properties: &Value) -> Value {
    json!({ "type": "object", "required": required, "properties": properties })
}

/// For requests that refuse what they do not know.
fn closed(required: &[&str], properties: &Value) -> Value {
    json!({ "type": "object", "required": required, "properties": properties, "additionalProperties": false })
}

fn list(of: &Value) -> Value {
    json!({ "type": "array", "items": of })
}

fn or_null(of: &Value) -> Value {
    json!({ "anyOf": [of, { "type": "null" }] })
}

fn reference(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}

/// The codes that a refusal of a status can have.
pub(super) fn codes(status: u16) -> Vec<&'static str> {
    let usual = Code::ALL.iter().filter(|code| code.status() == status).map(|code| code.as_str());
    let odd = INVALID.contains(&status).then_some(Code::InvalidRequest.as_str());
    usual.chain(odd).collect()
}

/// A refusal with one status (RFC 9457).
pub(super) fn problem(status: u16) -> Value {
    let of = json!({ "properties": { "status": { "const": status }, "code": { "enum": codes(status) } } });
    json!({ "allOf": [reference("Problem"), of] })
}

/// Every schema by name.
pub(super) fn schemas() -> Value {
    let mut all = Map::new();
    for group in [answers(), machines(), requests(), forms()] {
        if let Value::Object(group) = group {
            all.extend(group);
        }
    }
    Value::Object(all)
}

fn answers() -> Value {
    let (text, time, flag) = (
        json!({ "type": "string" }),
        json!({ "type": "string", "format": "date-time" }),
        json!({ "type": "boolean" }),
    );
    let all: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    let user = object(
        &["id", "email", "email_verified"],
        &json!({ "id": text, "email": text, "email_verified": flag }),
    );
    let times = json!({ "id": text, "created_at": time, "expires_at": time, "idle_expires_at": time, "auth_time": time, "bound": flag });
    let part = object(&["id", "created_at", "expires_at", "idle_expires_at", "auth_time", "bound"], &times);
    let listed = json!({ "id": text, "created_at": time, "last_seen_at": time, "expires_at": time, "idle_expires_at": time, "current": flag,
        "bound": flag, "user_agent": text, "ip": or_null(&text) });
    let listed = object(
        &[
            "id",
            "created_at",
            "last_seen_at",
            "expires_at",
            "idle_expires_at",
            "current",
            "bound",
            "user_agent",
            "ip",
        ],
        &listed,
    );
    let session = json!({ "user": user, "session": part, "access_expires_at": time, "csrf_token": text,
        "token_type": { "const": "Bearer" }, "access_token": text, "refresh_token": text,
        "cookies": { "type": "array", "items": text, "description": "Values of Set-Cookie, for POST /auth/sessions." },
        "handover": { "type": "string", "description": "For the header Countersign-Session, for POST /auth/sessions." } });
    let session = object(&["user", "session", "access_expires_at", "csrf_token"], &session);
    let key = json!({ "id": text, "name": text, "key": text, "last4": text, "scope": text, "effective_scope": text, "addresses": list(&text),
        "created_at": time, "expires_at": time, "last_used_at": or_null(&time), "revoked_at": or_null(&time) });
    let members = [
        "id",
        "name",
        "last4",
        "scope",
        "effective_scope",
        "addresses",
        "created_at",
        "expires_at",
        "last_used_at",
        "revoked_at",
    ];
    let key = object(&members, &key);
    json!({
        "Problem": object(&["type", "title", "status", "code", "detail", "request_id"], &json!({
            "type": text, "title": text, "status": { "type": "integer" }, "code": { "enum": all }, "detail": text, "request_id": text })),
        "Session": session,
        "OpenedSession": { "allOf": [reference("Session")], "oneOf": [{ "required": ["cookies"] }, { "required": ["handover"] }] },
        "Sessions": object(&["sessions"], &json!({ "sessions": list(&listed) })),
        "Csrf": object(&["csrf_token"], &json!({ "csrf_token": text })),
        "Status": object(&["status"], &json!({ "status": text })),
        "ApiKey": key,
        "ApiKeys": object(&["api_keys"], &json!({ "api_keys": list(&reference("ApiKey")) })),
        "NewApiKeyShown": { "allOf": [reference("ApiKey")], "required": ["key"] },
        "Nothing": { "type": "object" },
    })
}

fn machines() -> Value {
    let (text, number) = (json!({ "type": "string" }), json!({ "type": "integer" }));
    let aud = json!({ "anyOf": [text, list(&text)] });
    let worth = json!({ "active": { "type": "boolean" }, "purpose": { "enum": ["access", "refresh", "api_key"] }, "token_type": { "const": "Bearer" },
        "iss": text, "sub": text, "aud": aud, "client_id": text, "iat": number, "exp": number, "scope": text, "sid": text, "auth_time": number,
        "amr": list(&text), "env": text });
    let jwk = object(
        &["kty", "crv", "x", "kid", "use", "alg"],
        &json!({ "kty": { "enum": ["OKP", "EC"] }, "crv": { "enum": ["Ed25519", "P-256"] },
        "x": text, "y": text, "kid": text, "use": { "const": "sig" }, "alg": { "enum": ["EdDSA", "ES256"] } }),
    );
    let user = object(&["user", "epoch"], &json!({ "user": text, "epoch": number }));
    let abandoned =
        object(&["session", "first", "last"], &json!({ "session": text, "first": number, "last": number }));
    let found = [
        "issuer",
        "environment",
        "jwks_uri",
        "login_url",
        "csrf_endpoint",
        "session_endpoint",
        "refresh_endpoint",
        "logout_endpoint",
        "csrf_header",
        "access_token_typ",
        "assertion_typ",
        "assertion_header",
    ];
    let mut discovery: Map<String, Value> =
        found.iter().map(|name| ((*name).to_owned(), text.clone())).collect();
    discovery.insert(String::from("signing_algorithms"), list(&text));
    json!({
        "Introspection": object(&["active"], &worth),
        "Revocations": object(&["iss", "cursor", "keep_seconds", "sessions", "users", "abandoned"], &json!({
            "iss": text, "cursor": text, "keep_seconds": number, "sessions": list(&text), "users": list(&user), "abandoned": list(&abandoned) })),
        "Jwks": object(&["keys"], &json!({ "keys": list(&jwk) })),
        "Discovery": object(&found, &Value::Object(discovery)),
    })
}

fn requests() -> Value {
    let (text, time) = (json!({ "type": "string" }), json!({ "type": "string", "format": "date-time" }));
    let credentials = json!({ "email": text, "password": text, "client_id": text });
    let account = json!({ "email": text, "password": text, "client_id": text, "invitation": or_null(&text) });
    let scope = json!({ "anyOf": [text, list(&text)] });
    let user = closed(
        &[],
        &json!({ "id": text, "email": text, "email_verified": { "type": "boolean" }, "iss": text, "sub": text }),
    );
    json!({
        "Credentials": object(&["email", "password"], &credentials),
        "NewAccount": object(&["email", "password"], &account),
        "Refresh": object(&[], &json!({ "refresh_token": or_null(&text), "client_id": or_null(&text) })),
        "OpenSession": closed(&["user"], &json!({ "user": user, "amr": list(&text), "auth_time": or_null(&time), "scope": or_null(&text),
            "ip": or_null(&text), "user_agent": text, "handover": { "type": "boolean" } })),
        "NewApiKey": closed(&["name"], &json!({ "name": text, "scope": scope, "addresses": list(&text), "expires_at": or_null(&time),
            "expires_in": or_null(&json!({ "type": "integer", "minimum": 0 })) })),
    })
}

fn forms() -> Value {
    let text = json!({ "type": "string" });
    let form = |required: &[&str], names: &[&str]| {
        let fields: Map<String, Value> =
            names.iter().map(|name| ((*name).to_owned(), text.clone())).collect();
        object(required, &Value::Object(fields))
    };
    json!({
        "Form": form(&[], &["_csrf"]),
        "SignInForm": form(&["email", "password"], &["email", "password", "return_to", "_csrf"]),
        "SignUpForm": form(&["email", "password"], &["email", "password", "invitation", "return_to", "_csrf"]),
        "CodeForm": form(&["code", "password"], &["code", "password", "_csrf"]),
        "PasswordForm": form(&["current_password", "new_password"], &["current_password", "new_password", "_csrf"]),
        "Token": form(&["token"], &["token", "token_type_hint"]),
        "Introspect": form(&["token"], &["token", "token_type_hint", "client_address"]),
    })
}
