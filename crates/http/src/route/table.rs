//! Every own end point, as data: the router, the canary test and the documentation read the same table.

use std::sync::Arc;

use axum::routing::{MethodFilter, MethodRouter};
use countersign_core::port::Outside;

use super::{
    account, api_keys, asset, csrf, end_point, introspect, log_in, log_out, open_session, openapi, page,
    refresh, revocations, revoke, session, sign_up, well_known,
};
use crate::site::Site;

/// One method of one path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OwnRoute {
    /// HTTP method.
    pub method: &'static str,
    /// Path, `{…}` for parameters.
    pub path: &'static str,
}

macro_rules! table {
    ($($path:literal => { $($method:ident $handler:path),+ $(,)? })+) => {
        /// Every method and path of ours.
        #[must_use]
        pub fn own_routes() -> Vec<OwnRoute> {
            vec![$($(OwnRoute { method: stringify!($method), path: $path },)+)+]
        }

        pub(super) fn routes<O: Outside>() -> Vec<(&'static str, MethodRouter<Arc<Site<O>>>)> {
            vec![$(($path, MethodRouter::new()$(.merge(end_point(MethodFilter::$method, $handler)))+),)+]
        }
    };
}

table! {
    "/auth/csrf" => { GET csrf::issue }
    "/auth/login" => { GET page::sign_in, POST log_in::log_in }
    "/auth/signup" => { GET page::sign_up, POST sign_up::sign_up }
    "/auth/confirm" => { GET page::confirm, POST sign_up::confirm }
    "/auth/signed-out" => { GET page::signed_out }
    "/auth/refresh" => { GET refresh::page_load, POST refresh::refresh }
    "/auth/logout" => { POST log_out::here }
    "/auth/logout/all" => { POST log_out::everywhere }
    "/auth/session" => { GET session::current }
    "/auth/sessions" => { GET session::list, POST open_session::open }
    "/auth/sessions/{id}" => { DELETE session::end }
    "/auth/api-keys" => { GET api_keys::list, POST api_keys::create }
    "/auth/api-keys/{id}" => { GET api_keys::show, DELETE api_keys::revoke }
    "/auth/introspect" => { POST introspect::introspect }
    "/auth/revocations" => { GET revocations::revocations }
    "/auth/revoke" => { POST revoke::revoke }
    "/auth/account" => { GET account::show }
    "/auth/account/sessions/end-others" => { POST account::end_others }
    "/auth/account/sessions/{id}/end" => { POST account::end_one }
    "/auth/account/password" => { POST account::change_password }
    "/auth/assets/{name}" => { GET asset::asset }
    "/auth/openapi.json" => { GET openapi::document }
    "/.well-known/jwks.json" => { GET well_known::jwks }
    "/.well-known/countersign" => { GET well_known::discovery }
}
