//! Revoking by token (RFC 7009, H01): who holds a token may end what it stands for.

use super::engine::{Context, Engine, ServiceError};
use crate::domain::session::EndReason;
use crate::domain::token::refresh::RefreshToken;
use crate::port::Outside;

impl<O: Outside> Engine<O> {
    /// Ends what a token of any kind stands for: the session of an access or refresh token of whatever age (the whole grant,
    /// RFC 7009 §2.1), or the API key. `false` if it stands for nothing; the caller is told the same either way.
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn revoke_token(&self, token: &str, context: &Context) -> Result<bool, ServiceError> {
        if token.starts_with("csk_") {
            return self.revoke_presented_api_key(token, context).await;
        }
        let sid = if token.starts_with("csr_") {
            match RefreshToken::parse(token, self.environment()) {
                Ok(token) => self.genuine_refresh(&token).await?.map(|held| held.session.sid),
                Err(_not_ours) => None,
            }
        } else {
            self.genuine_access(token)
        };
        match sid {
            Some(sid) => self.end_and_tell(sid, EndReason::TokenRevoked, context).await.map(|()| true),
            None => Ok(false),
        }
    }
}
