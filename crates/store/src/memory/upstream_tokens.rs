//! Sealed tokens of upstreams in memory.

use std::collections::BTreeMap;

use countersign_core::domain::id::{KeyId, Sid};
use countersign_core::domain::retrofit::Holder;
use countersign_core::port::KeptToken;

use super::state::State;

impl State {
    pub(super) fn upstream_token(&self, holder: Holder, upstream: &str) -> Option<KeptToken> {
        self.upstream_tokens.get(&(holder, upstream.into())).cloned()
    }

    pub(super) fn keep_upstream_token(&mut self, token: &KeptToken, was: Option<i64>) -> bool {
        let lives = match token.holder {
            Holder::Session(sid) => self.sessions.get(&sid).is_some_and(|session| session.ended.is_none()),
            Holder::Visitor(_) => true,
        };
        let key = (token.holder, token.upstream.clone());
        let there = self.upstream_tokens.get(&key).map(|token| token.revision);
        if !lives || was.is_some_and(|was| there != Some(was)) {
            return false;
        }
        self.upstream_tokens.insert(key, token.clone());
        true
    }

    pub(super) fn forget_upstream_token(&mut self, holder: Holder, upstream: &str) {
        self.upstream_tokens.remove(&(holder, upstream.into()));
    }

    pub(super) fn upstream_tokens_by_master_key(&self) -> Vec<(KeyId, u64)> {
        let mut counts = BTreeMap::new();
        for token in self.upstream_tokens.values() {
            *counts.entry(token.master_key).or_insert(0) += 1;
        }
        counts.into_iter().collect()
    }

    pub(super) fn upstream_tokens_under(&self, key: KeyId, limit: u32) -> Vec<KeptToken> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut under: Vec<KeptToken> =
            self.upstream_tokens.values().filter(|token| token.master_key == key).cloned().collect();
        under.sort_by(|a, b| (a.holder.as_bytes(), &a.upstream).cmp(&(b.holder.as_bytes(), &b.upstream)));
        under.truncate(limit);
        under
    }

    /// Whatever ends a session takes its tokens away.
    pub(super) fn forget_tokens_of(&mut self, sid: Sid) {
        self.upstream_tokens.retain(|(holder, _), _| *holder != Holder::Session(sid));
    }
}
