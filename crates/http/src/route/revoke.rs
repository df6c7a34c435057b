//! POST `/auth/revoke` (RFC 7009): services end what a token stands for. By API key, never by cookies.

use std::sync::Arc;

use countersign_core::domain::api_key::MachineScope;
use countersign_core::port::Outside;
use countersign_core::service::ServiceError;

use super::Reply;
use super::call::Call;
use crate::credentials::patiently;
use crate::site::Site;
use crate::wire::body::{Answer, AnswerBody};

/// 200 for a token that was good, was revoked before, or never was one (RFC 7009 §2.2, H01).
pub(super) async fn revoke<O: Outside>(site: Arc<Site<O>>, call: Call) -> Reply {
    call.form_only()?;
    site.service_key(&call.parts.headers, MachineScope::Revoke, &call.context).await?;
    let token = call.required_field("token")?;
    patiently(site.engine.revoke_token(&token, &call.context), ServiceError::Store).await?;
    Ok(Answer::new(AnswerBody::empty()))
}
