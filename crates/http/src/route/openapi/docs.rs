//! What each row of the router's table does, takes, answers and refuses.

use crate::route::table::OwnRoute;

/// The body of an answer.
#[derive(Clone, Copy)]
pub(super) enum Body {
    /// JSON of a schema.
    Json(&'static str),
    /// Another media type with a schema in JSON.
    Typed(&'static str, &'static str),
    /// Text of a media type.
    Text(&'static str),
    /// None.
    Nothing,
}

/// Who may ask.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// Anybody.
    Anybody,
    /// A browser or a client without a session too: cookies are read where they are.
    Browser,
    /// Somebody signed in, by cookies or by an access token.
    User,
    /// A machine, by an API key with this scope.
    Machine(&'static str),
    /// The proxy of forward-auth, by the secret that both know.
    Proxy,
}

/// A parameter that is not in the path.
#[derive(Clone, Copy)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    /// `query` or `header`.
    pub(super) place: &'static str,
    pub(super) required: bool,
    pub(super) what: &'static str,
}

/// One method of one path.
#[derive(Clone, Copy)]
pub(super) struct Doc {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) what: &'static str,
    pub(super) who: Who,
    pub(super) parameters: &'static [Parameter],
    /// Media types of the body, each with its schema.
    pub(super) takes: &'static [(&'static str, &'static str)],
    /// Whether it can do without a body.
    pub(super) bodiless: bool,
    /// Each status can come in several media types.
    pub(super) gives: &'static [(u16, Body)],
    /// Statuses of refusals, beside those that any request can get.
    pub(super) refuses: &'static [u16],
}

/// What any end point can refuse: a malformed or slow request, too much of it, another media type, another host, and a store that does not
/// answer.
pub(super) const ANY: &[u16] = &[400, 408, 413, 415, 421, 431, 503];

/// The description of a row.
pub(super) fn doc(route: OwnRoute) -> Option<&'static Doc> {
    DOCS.iter().find(|doc| doc.method == route.method && doc.path == route.path)
}

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const HTML: Body = Body::Text("text/html");
const AWAY: (u16, Body) = (303, Body::Nothing);

const fn query(name: &'static str, what: &'static str) -> Parameter {
    Parameter { name, place: "query", required: false, what }
}

const RETURN_TO: Parameter = query("return_to", "Where to go afterwards: a path of this origin.");
const INVITATION: Parameter = query("invitation", "The code of an invitation.");

const fn row(who: Who, method: &'static str, path: &'static str, what: &'static str) -> Doc {
    Doc {
        method,
        path,
        what,
        who,
        parameters: &[],
        takes: &[],
        bodiless: true,
        gives: &[],
        refuses: match who {
            Anybody => &[],
            Browser | User => &[401],
            Machine(_) | Proxy => &[401, 403],
        },
    }
}

impl Doc {
    const fn with(self, parameters: &'static [Parameter]) -> Self {
        Self { parameters, ..self }
    }

    const fn takes(self, takes: &'static [(&'static str, &'static str)]) -> Self {
        Self { takes, bodiless: false, ..self }
    }

    const fn may_take(self, takes: &'static [(&'static str, &'static str)]) -> Self {
        Self { takes, ..self }
    }

    const fn gives(self, gives: &'static [(u16, Body)]) -> Self {
        Self { gives, ..self }
    }

    const fn refuses(self, refuses: &'static [u16]) -> Self {
        Self { refuses, ..self }
    }
}

use Who::{Anybody, Browser, Machine, Proxy, User};

/// The gate for proxies: dispatch answers it, and no router knows it.
pub(super) const VERIFY: Doc = row(Proxy, "GET", "/auth/verify", "Forward-auth: may this request pass, and as whom? Any method. The proxy names the request in the headers of its kind. Whoever does not send the secret from a trusted address is told that there is nothing here.")
    .with(&[query("for", "`client`: refusals as the browser should get them.")])
    .gives(&[(200, Body::Nothing), AWAY])
    .refuses(&[401, 403, 404, 405]);

pub(super) const DOCS: &[Doc] = &[
    row(Browser, "GET", "/auth/csrf", "A CSRF token, of the session or for signing in.").gives(&[(200, Body::Json("Csrf"))]),
    row(Browser, "GET", "/auth/login", "The sign-in page.").with(&[RETURN_TO]).gives(&[(200, HTML), AWAY]),
    row(Browser, "POST", "/auth/login", "Signs in. Needs a CSRF token, unless the client is a native application.")
        .takes(&[(JSON, "Credentials"), (FORM, "SignInForm")])
        .gives(&[(200, Body::Json("Session")), AWAY])
        .refuses(&[401, 403, 429]),
    row(Browser, "GET", "/auth/signup", "The sign-up page.").with(&[INVITATION, RETURN_TO]).gives(&[(200, HTML)]).refuses(&[401, 403]),
    row(Browser, "POST", "/auth/signup", "Signs up. Needs a CSRF token, unless the client is a native application.")
        .with(&[INVITATION])
        .takes(&[(JSON, "NewAccount"), (FORM, "SignUpForm")])
        .gives(&[(201, Body::Json("Session")), (202, Body::Json("Status")), (202, HTML), AWAY])
        .refuses(&[401, 403, 409, 422, 429]),
    row(Browser, "GET", "/auth/confirm", "The page behind the link of a mail.")
        .with(&[Parameter { name: "code", place: "query", required: true, what: "The code of the mail." }])
        .gives(&[(200, HTML)]),
    row(Browser, "POST", "/auth/confirm", "Redeems the code of a mail, with the password that was chosen at sign-up.").takes(&[(FORM, "CodeForm")]).gives(&[(200, HTML)]).refuses(&[401, 403, 429]),
    row(Anybody, "GET", "/auth/signed-out", "The page after signing out.")
        .gives(&[(200, HTML)]),
    row(Browser, "GET", "/auth/refresh", "Renews the session of a page load and sends it on.").with(&[RETURN_TO]).gives(&[AWAY]),
    row(Browser, "POST", "/auth/refresh", "Renews the session: by cookie, or by the refresh token of a native application.")
        .may_take(&[(JSON, "Refresh")])
        .gives(&[(200, Body::Json("Session"))])
        .refuses(&[401, 403]),
    row(User, "POST", "/auth/logout", "Signs out here.").may_take(&[(JSON, "Nothing"), (FORM, "Form")]).gives(&[(204, Body::Nothing), AWAY]).refuses(&[401, 403]),
    row(User, "POST", "/auth/logout/all", "Signs out everywhere.")
        .may_take(&[(JSON, "Nothing"), (FORM, "Form")])
        .gives(&[(204, Body::Nothing), AWAY])
        .refuses(&[401, 403]),
    row(User, "GET", "/auth/session", "Who am I?").gives(&[(200, Body::Json("Session"))]),
    row(User, "GET", "/auth/sessions", "My sessions.").gives(&[(200, Body::Json("Sessions"))]),
    row(Machine("sessions:open"), "POST", "/auth/sessions", "Opens a session for a user whom the application logged in.")
        .takes(&[(JSON, "OpenSession")])
        .gives(&[(201, Body::Json("OpenedSession"))])
        .refuses(&[401, 403, 404, 409, 429]),
    row(User, "DELETE", "/auth/sessions/{id}", "Ends one of my sessions.").gives(&[(204, Body::Nothing)]).refuses(&[401, 403, 404]),
    row(User, "GET", "/auth/api-keys", "My API keys, newest first, dead ones for 90 days.").gives(&[(200, Body::Json("ApiKeys"))]),
    row(User, "POST", "/auth/api-keys", "Makes an API key, which is shown once. Needs a recent sign-in.")
        .takes(&[(JSON, "NewApiKey")])
        .gives(&[(201, Body::Json("NewApiKeyShown"))])
        .refuses(&[401, 403, 409]),
    row(User, "GET", "/auth/api-keys/{id}", "One of my API keys.").gives(&[(200, Body::Json("ApiKey"))]).refuses(&[401, 404]),
    row(User, "DELETE", "/auth/api-keys/{id}", "Revokes one of my API keys.").gives(&[(204, Body::Nothing)]).refuses(&[401, 403, 404]),
    row(Machine("introspect"), "POST", "/auth/introspect", "What a token is worth (RFC 7662).")
        .takes(&[(FORM, "Introspect")])
        .gives(&[(200, Body::Json("Introspection"))]),
    row(Machine("revocations:read"), "GET", "/auth/revocations", "What verifiers must know of; with Accept: text/event-stream, a live stream.")
        .with(&[
            query("since", "The cursor of an earlier answer: only what is newer. What is no cursor is answered with everything."),
            Parameter { name: "Last-Event-ID", place: "header", required: false, what: "The same, of a stream that broke off." },
        ])
        .gives(&[(200, Body::Json("Revocations")), (200, Body::Text("text/event-stream"))])
        .refuses(&[401, 403, 429]),
    row(Machine("revoke"), "POST", "/auth/revoke", "Ends what a token stands for (RFC 7009).").takes(&[(FORM, "Token")]).gives(&[(200, Body::Nothing)]),
    row(User, "GET", "/auth/account", "The account page.").with(&[query("done", "What was done before.")]).gives(&[(200, HTML), AWAY]),
    row(User, "POST", "/auth/account/sessions/end-others", "Ends all other sessions, from the account page.").may_take(&[(FORM, "Form")]).gives(&[AWAY]).refuses(&[401, 403]),
    row(User, "POST", "/auth/account/sessions/{id}/end", "Ends a session, from the account page.").may_take(&[(FORM, "Form")]).gives(&[AWAY]).refuses(&[401, 403, 404]),
    row(User, "POST", "/auth/account/password", "Changes the password, from the account page, which is shown again (422) with what is wrong with it.")
        .takes(&[(FORM, "PasswordForm")])
        .gives(&[AWAY])
        .refuses(&[401, 403, 422, 429]),
    row(Anybody, "GET", "/auth/assets/{name}", "A file of our pages.")
        .gives(&[(200, Body::Text("text/css")), (200, Body::Text("text/javascript")), (200, Body::Text("image/svg+xml"))])
        .refuses(&[404]),
    row(Anybody, "GET", "/auth/openapi.json", "This document.").gives(&[(200, Body::Json("Nothing"))]),
    row(Anybody, "GET", "/.well-known/jwks.json", "Public keys (RFC 7517).").gives(&[(200, Body::Typed("application/jwk-set+json", "Jwks"))]),
    row(Anybody, "GET", "/.well-known/countersign", "Discovery.").gives(&[(200, Body::Json("Discovery"))]),
];
