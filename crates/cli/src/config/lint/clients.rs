//! Tokens outside cookies, and sessions that applications open (design §7).

use crate::config::Settings;
use crate::config::finding::Findings;
use crate::config::value::ClientTransport;

pub(super) fn lint(settings: &Settings, found: &mut Findings) {
    for client in &settings.clients {
        let key = format!("client[{}].transport", client.id);
        match client.transport {
            ClientTransport::Memory => {
                let message = "script holds the access token: any script on the page can take it away and use it until it expires";
                let remedy =
                    "call through the gateway with cookies, unless the token has to go to another service";
                found.warn(&key, client.transport, message, remedy);
            }
            ClientTransport::Body => {
                let message = "both tokens are bearer tokens: whoever copies them is the user, until a spent one is seen";
                let remedy = "keep them in the device's key store; browsers want cookies instead";
                found.warn(&key, client.transport, message, remedy);
            }
        }
    }
    if settings.open_sessions.create_users && settings.open_sessions.scope.is_none() {
        let message = "a leaked key with sessions:open acts as every user, with all that they may do";
        let remedy = "set open_sessions.scope to what the application's users need";
        found.note("open_sessions.scope", "(not set)", message, remedy);
    }
}
