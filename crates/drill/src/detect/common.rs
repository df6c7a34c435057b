//! Names that applications use: what a thief tries first.

/// Pages that may hold a login form.
pub(super) const LOGIN_PAGES: [&str; 15] = [
    "/login",
    "/auth/login",
    "/signin",
    "/sign-in",
    "/account/login",
    "/accounts/login/",
    "/users/sign_in",
    "/user/login",
    "/session/new",
    "/sessions/new",
    "/auth/signin",
    "/auth/sign-in",
    "/login.php",
    "/admin/login/",
    "/enter",
];

/// End points that may take a name and a password.
pub(super) const LOGIN_CALLS: [&str; 36] = [
    "/api/login",
    "/api/auth/login",
    "/auth/login",
    "/login",
    "/api/auth/sign-in/email",
    "/api/token/",
    "/api/token",
    "/api/session",
    "/api/sessions",
    "/session/new",
    "/session",
    "/sessions",
    "/api/signin",
    "/api/auth/signin",
    "/signin",
    "/auth/signin",
    "/auth/sign-in/email",
    "/api/v1/login",
    "/api/v1/auth/login",
    "/v1/login",
    "/v1/auth/login",
    "/api/users/login",
    "/users/login",
    "/api/user/login",
    "/user/login",
    "/api/account/login",
    "/account/login",
    "/auth/jwt/create/",
    "/auth/token/login/",
    "/dj-rest-auth/login/",
    "/rest-auth/login/",
    "/auth/token",
    "/oauth/token",
    "/token",
    "/authenticate",
    "/api/authenticate",
];

/// Pages that may hold a form for newcomers.
pub(super) const SIGN_UP_PAGES: [&str; 10] = [
    "/signup",
    "/register",
    "/sign-up",
    "/join",
    "/auth/signup",
    "/auth/register",
    "/users/sign_up",
    "/accounts/signup/",
    "/accounts/register/",
    "/register.php",
];

/// End points that may take a newcomer's name and password.
pub(super) const SIGN_UP_CALLS: [&str; 14] = [
    "/api/signup",
    "/api/register",
    "/api/auth/signup",
    "/api/auth/register",
    "/api/auth/sign-up/email",
    "/auth/signup",
    "/auth/register",
    "/signup",
    "/register",
    "/api/v1/signup",
    "/api/v1/register",
    "/api/users/register",
    "/api/users",
    "/users",
];

/// End points that may say who is signed in.
pub(super) const WHO: [&str; 41] = [
    "/api/me",
    "/me",
    "/auth/session",
    "/api/auth/me",
    "/auth/me",
    "/api/user",
    "/api/users/me",
    "/users/me",
    "/user",
    "/api/auth/get-session",
    "/api/session",
    "/session",
    "/api/auth/session",
    "/api/auth/user",
    "/auth/user",
    "/api/profile",
    "/profile",
    "/api/account",
    "/account",
    "/api/whoami",
    "/whoami",
    "/api/v1/me",
    "/api/v1/users/me",
    "/v1/me",
    "/api/v1/user",
    "/api/me/",
    "/api/user/",
    "/api/users/me/",
    "/auth/users/me/",
    "/dj-rest-auth/user/",
    "/accounts/profile/",
    "/api/current_user",
    "/userinfo",
    "/oauth/userinfo",
    "/me.json",
    "/user.json",
    "/session.json",
    "/dashboard",
    "/home",
    "/settings",
    "/",
];

/// End points that may sign out.
pub const LOGOUT: [&str; 25] = [
    "/api/logout",
    "/api/auth/logout",
    "/auth/logout",
    "/logout",
    "/api/auth/sign-out",
    "/auth/sign-out",
    "/signout",
    "/sign-out",
    "/api/signout",
    "/session/destroy",
    "/session/end",
    "/session/delete",
    "/api/session",
    "/session",
    "/sessions",
    "/api/sessions",
    "/api/v1/logout",
    "/api/v1/auth/logout",
    "/api/token/blacklist/",
    "/api/token/logout/",
    "/users/sign_out",
    "/user/logout",
    "/users/logout",
    "/accounts/logout/",
    "/account/logout",
];

/// End points that may renew tokens.
pub(super) const REFRESH: [&str; 27] = [
    "/session/renew",
    "/api/session/renew",
    "/renew",
    "/api/renew",
    "/auth/renew",
    "/auth/refresh",
    "/api/refresh",
    "/api/auth/refresh",
    "/refresh",
    "/api/token/refresh/",
    "/api/token/refresh",
    "/token/refresh",
    "/auth/token/refresh",
    "/api/auth/token/refresh",
    "/auth/jwt/refresh/",
    "/dj-rest-auth/token/refresh/",
    "/api/v1/refresh",
    "/api/v1/auth/refresh",
    "/v1/refresh",
    "/refresh-token",
    "/api/refresh-token",
    "/api/auth/refresh-token",
    "/auth/refresh-token",
    "/auth/refresh_token",
    "/session/refresh",
    "/api/session/refresh",
    "/api/sessions/refresh",
];

/// Fields of a name or address.
pub(super) const USER_FIELDS: [&str; 8] =
    ["email", "username", "login", "user", "name", "identifier", "user_name", "email_address"];

/// Fields of a password.
pub(super) const PASSWORD_FIELDS: [&str; 6] = ["password", "pass", "passwd", "pwd", "passphrase", "secret"];

/// Headers in which tokens travel; all are sent at once while the right one is searched for.
pub(super) const TOKEN_HEADERS: [&str; 6] =
    ["x-auth-token", "x-access-token", "x-session-token", "x-token", "x-jwt", "x-session-id"];

/// What stands before a token in `Authorization`.
pub(super) const SCHEMES: [&str; 4] = ["Bearer ", "Token ", "JWT ", ""];

/// End points that may hand out a CSRF token.
pub(super) const CSRF: [&str; 6] =
    ["/auth/csrf", "/api/csrf", "/api/csrf-token", "/csrf-token", "/api/auth/csrf", "/csrf"];

/// Whether a name sounds like a CSRF token: handed to script on purpose, and worth nothing alone.
pub(super) fn is_csrf(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.contains("csrf") || name.contains("xsrf")
}

/// Whether a name sounds like a refresh token.
pub(super) fn is_refresh(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.contains("refresh") || name.contains("renew") || name.ends_with("_rt") || name == "rt"
}
