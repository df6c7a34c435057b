//! Our own end points, under `/auth` and `/.well-known` (design §7). One file a resource; handlers translate, services decide.

mod account;
pub(crate) mod admin;
mod api_keys;
mod arrival;
mod asset;
pub(crate) mod bounce_guard;
mod call;
mod client;
mod csrf;
mod describe;
mod ending;
mod forward_auth;
mod introspect;
mod log_in;
mod log_out;
mod open_session;
mod openapi;
mod page;
mod refresh;
mod refresh_body;
mod revocations;
mod revoke;
mod session;
mod sign_up;
mod table;
mod well_known;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::routing::{MethodFilter, MethodRouter, on};
use countersign_core::port::Outside;

use crate::site::Site;
use crate::wire::body::Answer;
use crate::wire::problem::{Code, Problem};
use crate::wire::request::Client;
use call::Call;
pub use describe::device;
pub use forward_auth::{ForwardAuth, ForwardingProxy};
use refresh::refresh_location;
pub use table::{OwnRoute, own_routes};

/// How long an end point may take: what it waits for is the store and the password hasher, and a store that hangs counts as
/// down (K11). Streams begin within it, and go on as long as they like.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a handler returns.
type Reply = Result<Answer, Problem>;

/// The router over all own end points.
pub(crate) fn router<O: Outside>(site: &Arc<Site<O>>) -> Router {
    let mut router = Router::new();
    for (path, methods) in table::routes::<O>() {
        router = router.route(path, methods.fallback(method_not_allowed::<O>));
    }
    router.fallback(not_found::<O>).with_state(Arc::clone(site))
}

/// Makes a route of a handler: reads the call within its limits, and turns a problem into JSON or a page.
fn end_point<O, F, Fut>(method: MethodFilter, handler: F) -> MethodRouter<Arc<Site<O>>>
where
    O: Outside,
    F: Fn(Arc<Site<O>>, Call) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Reply> + Send + 'static,
{
    on(method, async move |State(site): State<Arc<Site<O>>>, request: Request| {
        let (client, page) = (call::client_of(&request), call::wants_page(&request));
        let reply = match Call::read(request).await {
            Ok(call) => match tokio::time::timeout(PATIENCE, handler(Arc::clone(&site), call)).await {
                Ok(reply) => reply,
                Err(_elapsed) => {
                    let late = "The store did not answer in time. Try again in a moment.";
                    Err(Problem::new(Code::StoreUnavailable, late).retry(Duration::from_secs(2)))
                }
            },
            Err(problem) => Err(problem),
        };
        reply.unwrap_or_else(|problem| answer_problem(&site, &problem, &client, page))
    })
}

async fn not_found<O: Outside>(State(site): State<Arc<Site<O>>>, request: Request) -> Answer {
    refuse(&site, &request, &Problem::new(Code::NotFound, "There is no such end point."))
}

async fn method_not_allowed<O: Outside>(State(site): State<Arc<Site<O>>>, request: Request) -> Answer {
    let problem = Problem::new(Code::InvalidRequest, "This end point does not know the method.");
    refuse(&site, &request, &problem.status(http::StatusCode::METHOD_NOT_ALLOWED))
}

fn refuse<O: Outside>(site: &Site<O>, request: &Request, problem: &Problem) -> Answer {
    answer_problem(site, problem, &call::client_of(request), call::wants_page(request))
}

/// A page for people, problem+json for programs.
fn answer_problem<O: Outside>(site: &Site<O>, problem: &Problem, client: &Client, page: bool) -> Answer {
    if page { site.error_page(problem, client) } else { problem.clone().into_answer(&client.request) }
}
