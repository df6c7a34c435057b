//! What an operator changes about a user, in memory.

use countersign_core::domain::id::{Epoch, UserId};
use countersign_core::domain::session::EndReason;
use countersign_core::domain::time::Timestamp;
use countersign_core::port::{ScopeChange, ScopeChanged, UserRemoved};

use super::state::State;

impl State {
    pub(super) fn change_scope(
        &mut self,
        user: &UserId,
        change: &ScopeChange,
        at: Timestamp,
    ) -> Option<ScopeChanged> {
        let before = self.user(user)?;
        let scope = change.applied_to(&before.scope);
        let changed = scope != before.scope;
        let revoked = if scope.covers(&before.scope) {
            None
        } else {
            self.revoke_user(user, EndReason::ScopeReduced, at)
        };
        self.set_scope(user, scope);
        Some(ScopeChanged { user: self.user(user)?, changed, revoked })
    }

    pub(super) fn remove_user(&mut self, user: &UserId, at: Timestamp) -> Option<UserRemoved> {
        let gone = self.user(user)?;
        let revoked = self.revoke_user(user, EndReason::EndedByOperator, at)?;
        let api_keys = self.revoke_api_keys_of(user, at);
        self.forget_user(user);
        self.sessions.retain(|_, session| session.user != *user);
        self.api_keys.retain(|_, key| key.owner != *user);
        self.devices.retain(|(owner, _), _| owner != user);
        self.codes.retain(|_, code| code.email != gone.email);
        let before = self.removed.get(user).map_or(Epoch(0), |(epoch, _)| *epoch);
        self.removed.insert(user.clone(), (revoked.epoch.max(before), at));
        Some(UserRemoved { revoked, api_keys })
    }
}
