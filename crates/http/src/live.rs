//! Connections that outlive their request (WebSocket, server-sent events) end with their session (design §6, K10).

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use countersign_core::domain::api_key::ApiKeyId;
use countersign_core::domain::id::Sid;
use countersign_core::domain::time::Timestamp;
use countersign_core::port::{Bus, Notice, Outside, Subscription};
use countersign_core::service::{Engine, Principal};
use countersign_proxy::{Live, Stop, StopReason};
use tokio::sync::watch;

/// How often deadlines are looked at, and what this node learnt otherwise than by the bus.
const TICK: Duration = Duration::from_secs(1);

/// How often a stopping server looks whether the last tunnel is closed.
const FAREWELL_STEP: Duration = Duration::from_millis(20);
/// How far behind the note of a session's last use may be (design §5 "Idle").
const NOTED: Duration = Duration::from_secs(60);

/// What open connections wait for.
#[derive(Debug)]
pub(crate) struct LiveSessions {
    sessions: Mutex<HashMap<Holder, Watched>>,
    shutdown: watch::Sender<bool>,
}

/// Who holds connections open.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Holder {
    Session(Sid),
    ApiKey(ApiKeyId),
}

impl Holder {
    fn of(principal: &Principal) -> Self {
        match principal {
            Principal::Session(session) => Self::Session(session.claims().sid),
            Principal::ApiKey(key) => Self::ApiKey(key.id()),
            Principal::Foreign(foreign) => Self::Session(foreign.claims().sid),
        }
    }
}

#[derive(Debug)]
struct Watched {
    principal: Principal,
    ended: watch::Sender<bool>,
    /// When the store is asked next: when the session will have been idle for too long, as far as is known; every few seconds for a key.
    ask_at: Timestamp,
}

impl Default for LiveSessions {
    fn default() -> Self {
        Self { sessions: Mutex::default(), shutdown: watch::Sender::new(false) }
    }
}

impl LiveSessions {
    fn lock(&self) -> MutexGuard<'_, HashMap<Holder, Watched>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many sessions have open connections.
    pub(crate) fn len(&self) -> usize {
        self.lock().values().filter(|w| w.ended.receiver_count() > 0).count()
    }

    fn watch<O: Outside>(&self, principal: &Principal, engine: &Engine<O>) -> watch::Receiver<bool> {
        let mut sessions = self.lock();
        let entry = sessions.entry(Holder::of(principal)).or_insert_with(|| Watched {
            principal: principal.clone(),
            ended: watch::Sender::new(false),
            ask_at: engine.now().plus(match principal {
                // The last use was written down a minute ago at most.
                Principal::Session(_) => engine.policy().session.idle_ttl.saturating_sub(NOTED),
                Principal::ApiKey(_) => engine.policy().max_staleness,
                // No store knows it; the sweep ends it with its token.
                Principal::Foreign(foreign) => foreign.claims().expires_at.since(engine.now()),
            }),
        });
        entry.ended.subscribe()
    }

    /// Ends the connections of dead sessions: as the bus tells, and once a second as clock, memory and store tell. Forgets
    /// sessions without connections.
    pub(crate) fn follow<O: Outside>(
        self: Arc<Self>,
        engine: Arc<Engine<O>>,
    ) -> impl Future<Output = ()> + Send + 'static {
        // At once and not at the first poll: what is revoked in between would be heard by nobody.
        let notices = engine.outside().bus().subscribe();
        async move {
            tokio::join!(self.listen(notices, &engine), self.tick(&engine));
        }
    }

    async fn tick<O: Outside>(&self, engine: &Engine<O>) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.sweep(engine);
            self.ask(engine).await;
        }
    }

    /// Asks the store: for sessions that may have been idle for too long (requests beside the connection keep one alive too), and
    /// for keys, whose owner may have lost a scope.
    async fn ask<O: Outside>(&self, engine: &Engine<O>) {
        let now = engine.now();
        let due: Vec<Principal> =
            self.lock().values().filter(|w| w.ask_at <= now).map(|w| w.principal.clone()).collect();
        for principal in due {
            let next = match &principal {
                Principal::Session(session) => {
                    engine.session_view(session).await.map(|view| view.map(|view| view.idle_expires_at))
                }
                Principal::ApiKey(key) => engine
                    .key_still_stands(key)
                    .await
                    .map(|stands| stands.then(|| now.plus(engine.policy().max_staleness)))
                    .map_err(Into::into),
                Principal::Foreign(_) => Ok(None),
            };
            let next = match next {
                Ok(next) => next,
                Err(error) => {
                    tracing::warn!(%error, "open connections could not be checked");
                    return;
                }
            };
            let (holder, mut sessions) = (Holder::of(&principal), self.lock());
            match next {
                Some(next) => {
                    if let Some(watched) = sessions.get_mut(&holder) {
                        watched.ask_at = next;
                    }
                }
                None => {
                    if let Some(watched) = sessions.remove(&holder) {
                        watched.ended.send_replace(true);
                    }
                }
            }
        }
    }

    async fn listen<O: Outside>(&self, mut notices: impl Subscription, engine: &Engine<O>) {
        while let Some(notice) = notices.next().await {
            match notice {
                Notice::SessionEnded { sid, .. } => self.end(Holder::Session(sid)),
                Notice::ApiKeyRevoked { id, .. } => self.end(Holder::ApiKey(id)),
                // Whoever else died: ask for each one that is open.
                Notice::EpochRaised { .. } | Notice::Abandoned { .. } | Notice::Gap => self.sweep(engine),
                Notice::Confirmed { .. } => {}
            }
        }
    }

    fn end(&self, holder: Holder) {
        if let Some(watched) = self.lock().remove(&holder) {
            watched.ended.send_replace(true);
        }
    }

    fn sweep<O: Outside>(&self, engine: &Engine<O>) {
        let now = engine.now();
        self.lock().retain(|_, watched| {
            let stands = engine.stands(&watched.principal) && now < watched.principal.expires_at();
            if !stands {
                watched.ended.send_replace(true);
            }
            stands && watched.ended.receiver_count() > 0
        });
    }

    /// Ends all connections because the server stops.
    pub(crate) fn shut_down(&self) {
        self.shutdown.send_replace(true);
    }

    /// Turns true when the server stops.
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.shutdown.subscribe()
    }

    /// Completes when no exchange with an upstream is left: tunnels, too, have said goodbye then.
    pub(crate) async fn all_gone(self: &Arc<Self>) {
        // The site holds one, whoever follows another; each exchange holds its own.
        while Arc::strong_count(self) > 2 {
            tokio::time::sleep(FAREWELL_STEP).await;
        }
    }
}

/// One connection of one session.
pub(crate) struct LiveConnection<O: Outside> {
    pub(crate) engine: Arc<Engine<O>>,
    pub(crate) sessions: Arc<LiveSessions>,
    pub(crate) principal: Option<Principal>,
    /// The answer opened another session in the place of the principal's: that one's end is not the answer's.
    pub(crate) replaced: AtomicBool,
}

impl<O: Outside> LiveConnection<O> {
    /// Of a request of this principal's, or of nobody's.
    pub(crate) fn new(
        engine: &Arc<Engine<O>>,
        sessions: &Arc<LiveSessions>,
        principal: Option<Principal>,
    ) -> Self {
        Self {
            engine: Arc::clone(engine),
            sessions: Arc::clone(sessions),
            principal,
            replaced: AtomicBool::new(false),
        }
    }

    /// Lets the answer outlive the session that it came by.
    pub(crate) fn outlive(&self) {
        self.replaced.store(true, Ordering::Release);
    }
}

impl<O: Outside> Live for LiveConnection<O> {
    fn inbound(&self) {
        match &self.principal {
            Some(Principal::Session(session)) => self.engine.note_activity(session),
            Some(Principal::ApiKey(key)) => self.engine.note_key_activity(key),
            Some(Principal::Foreign(_)) | None => {}
        }
    }

    fn stopped(&self) -> Stop {
        let mut shutdown = self.sessions.shutdown.subscribe();
        let principal = self.principal.as_ref().filter(|_| !self.replaced.load(Ordering::Acquire));
        let Some(principal) = principal else {
            return Box::pin(async move {
                // A sender that is gone means the same.
                let _gone = shutdown.wait_for(|stop| *stop).await.is_err();
                StopReason::Shutdown
            });
        };
        let mut ended = self.sessions.watch(principal, &self.engine);
        // Watching began after the request was verified: look once more, or a revocation in between is missed.
        let stands = self.engine.stands(principal);
        Box::pin(async move {
            if !stands {
                return StopReason::Revoked;
            }
            tokio::select! {
                _ = ended.wait_for(|end| *end) => StopReason::Revoked,
                _ = shutdown.wait_for(|stop| *stop) => StopReason::Shutdown,
            }
        })
    }
}
