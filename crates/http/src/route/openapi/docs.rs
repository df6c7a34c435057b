//! What each row of the router's table does, takes and answers.

use serde_json::{Value, json};

use crate::route::table::OwnRoute;
use crate::wire::problem::Code;

/// The body of an answer.
pub(super) enum Body {
    /// JSON of a schema.
    Json(&'static str),
    /// Another media type.
    Other(&'static str),
    /// None.
    Nothing,
}

/// One method of one path.
pub(super) struct Doc {
    method: &'static str,
    path: &'static str,
    pub(super) what: &'static str,
    pub(super) request: Option<(&'static str, &'static str)>,
    pub(super) answers: &'static [(&'static str, Body)],
    /// Whether an API key is needed.
    pub(super) key: bool,
}

/// The description of a row.
pub(super) fn doc(route: OwnRoute) -> Option<&'static Doc> {
    DOCS.iter().find(|doc| doc.method == route.method && doc.path == route.path)
}

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const PAGE: (&str, Body) = ("200", Body::Other("text/html"));
const AWAY: (&str, Body) = ("303", Body::Nothing);

macro_rules! docs {
    ($($method:ident $path:literal $what:literal $request:expr => [$($answer:expr),*] $($key:ident)?;)*) => {
        pub(super) const DOCS: &[Doc] = &[$(Doc {
            method: stringify!($method), path: $path, what: $what, request: $request, answers: &[$($answer),*],
            key: docs!(@key $($key)?),
        },)*];
    };
    (@key key) => { true };
    (@key) => { false };
}

docs! {
    GET "/auth/csrf" "A CSRF token, of the session or for signing in." None => [("200", Body::Json("Csrf"))];
    GET "/auth/login" "The sign-in page." None => [PAGE, AWAY];
    POST "/auth/login" "Signs in. Needs a CSRF token, unless the client is a native application." Some((JSON, "Credentials")) => [("200", Body::Json("Session")), AWAY];
    GET "/auth/signup" "The sign-up page." None => [PAGE, AWAY];
    POST "/auth/signup" "Signs up." Some((JSON, "Credentials")) => [("201", Body::Json("Session")), ("202", Body::Json("Status")), AWAY];
    GET "/auth/confirm" "The page behind the link of a mail." None => [PAGE];
    POST "/auth/confirm" "Redeems the code of a mail." Some((FORM, "Form")) => [PAGE];
    GET "/auth/signed-out" "The page after signing out." None => [PAGE];
    GET "/auth/refresh" "Renews the session of a page load and sends it on." None => [AWAY];
    POST "/auth/refresh" "Renews the session: by cookie, or by the refresh token of a native application." Some((JSON, "Refresh")) => [("200", Body::Json("Session"))];
    POST "/auth/logout" "Signs out here." None => [("204", Body::Nothing), AWAY];
    POST "/auth/logout/all" "Signs out everywhere." None => [("204", Body::Nothing), AWAY];
    GET "/auth/session" "Who am I?" None => [("200", Body::Json("Session"))];
    GET "/auth/sessions" "My sessions." None => [("200", Body::Json("Sessions"))];
    POST "/auth/sessions" "Opens a session for a user whom the application logged in: scope sessions:open." Some((JSON, "OpenSession")) => [("201", Body::Json("OpenedSession"))] key;
    DELETE "/auth/sessions/{id}" "Ends one of my sessions." None => [("204", Body::Nothing)];
    GET "/auth/api-keys" "My API keys." None => [("200", Body::Json("Object"))];
    POST "/auth/api-keys" "Makes an API key, which is shown once." Some((JSON, "Object")) => [("201", Body::Json("Object"))];
    GET "/auth/api-keys/{id}" "One of my API keys." None => [("200", Body::Json("Object"))];
    DELETE "/auth/api-keys/{id}" "Revokes one of my API keys." None => [("204", Body::Nothing)];
    POST "/auth/introspect" "RFC 7662: scope introspect." Some((FORM, "Token")) => [("200", Body::Json("Introspection"))] key;
    GET "/auth/revocations" "What verifiers must know of: scope revocations:read. With Accept: text/event-stream, a live stream." None => [("200", Body::Json("Revocations"))] key;
    POST "/auth/revoke" "RFC 7009: scope revoke." Some((FORM, "Token")) => [("200", Body::Nothing)] key;
    GET "/auth/account" "The account page." None => [PAGE, AWAY];
    POST "/auth/account/sessions/end-others" "Ends all other sessions, from the account page." Some((FORM, "Form")) => [AWAY];
    POST "/auth/account/sessions/{id}/end" "Ends a session, from the account page." Some((FORM, "Form")) => [AWAY];
    POST "/auth/account/password" "Changes the password, from the account page." Some((FORM, "Form")) => [AWAY];
    GET "/auth/assets/{name}" "A file of our pages." None => [("200", Body::Other("*/*"))];
    GET "/auth/openapi.json" "This document." None => [("200", Body::Json("Object"))];
    GET "/.well-known/jwks.json" "Public keys (RFC 7517)." None => [("200", Body::Json("Object"))];
    GET "/.well-known/countersign" "Discovery." None => [("200", Body::Json("Object"))];
}

fn object(required: &[&str], properties: &Value) -> Value {
    json!({ "type": "object", "required": required, "properties": properties })
}

/// Every schema by name.
pub(super) fn schemas() -> Value {
    let (text, time) = (json!({ "type": "string" }), json!({ "type": "string", "format": "date-time" }));
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    let user = object(
        &["id", "email", "email_verified"],
        &json!({ "id": text, "email": text, "email_verified": { "type": "boolean" } }),
    );
    let part = object(
        &["id", "created_at", "expires_at", "idle_expires_at", "auth_time", "bound"],
        &json!({ "id": text, "created_at": time, "expires_at": time, "idle_expires_at": time, "auth_time": time, "bound": { "type": "boolean" } }),
    );
    let session = object(
        &["user", "session", "access_expires_at", "csrf_token"],
        &json!({ "user": user, "session": part, "access_expires_at": time, "csrf_token": text,
            "token_type": { "const": "Bearer" }, "access_token": text, "refresh_token": text }),
    );
    let cookies = json!({ "type": "array", "items": text });
    json!({
        "Problem": object(&["type", "title", "status", "code", "detail", "request_id"], &json!({
            "type": text, "title": text, "status": { "type": "integer" }, "code": { "enum": codes }, "detail": text, "request_id": text })),
        "Session": session,
        "OpenedSession": { "allOf": [{ "$ref": "#/components/schemas/Session" }, object(&["cookies"], &json!({ "cookies": cookies }))] },
        "Sessions": object(&["sessions"], &json!({ "sessions": { "type": "array", "items": { "type": "object" } } })),
        "Csrf": object(&["csrf_token"], &json!({ "csrf_token": text })),
        "Status": object(&["status"], &json!({ "status": text })),
        "Credentials": object(&["email", "password"], &json!({ "email": text, "password": text, "client_id": text, "invitation": text })),
        "Refresh": object(&[], &json!({ "refresh_token": text, "client_id": text })),
        "OpenSession": object(&["user"], &json!({ "user": { "type": "object" }, "amr": { "type": "array", "items": text },
            "auth_time": time, "scope": text, "ip": text, "user_agent": text })),
        "Token": object(&["token"], &json!({ "token": text, "token_type_hint": text })),
        "Introspection": object(&["active"], &json!({ "active": { "type": "boolean" } })),
        "Revocations": object(&["iss", "cursor", "keep_seconds", "sessions", "users", "abandoned"], &json!({
            "iss": text, "cursor": text, "keep_seconds": { "type": "integer" }, "sessions": { "type": "array", "items": text },
            "users": { "type": "array", "items": { "type": "object" } }, "abandoned": { "type": "array", "items": { "type": "object" } } })),
        "Form": { "type": "object" },
        "Object": { "type": "object" },
    })
}
