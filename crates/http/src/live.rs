//! Connections that outlive their request (WebSocket, server-sent events) end with their session (design §6, K10).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use countersign_core::domain::id::Sid;
use countersign_core::port::{Bus, Notice, Outside, Subscription};
use countersign_core::service::{Engine, Principal};
use countersign_proxy::{Live, Stop, StopReason};
use tokio::sync::watch;

/// What open connections wait for.
#[derive(Debug)]
pub(crate) struct LiveSessions {
    sessions: Mutex<HashMap<Sid, Watched>>,
    shutdown: watch::Sender<bool>,
}

#[derive(Debug)]
struct Watched {
    principal: Arc<Principal>,
    ended: watch::Sender<bool>,
}

impl Default for LiveSessions {
    fn default() -> Self {
        Self { sessions: Mutex::default(), shutdown: watch::Sender::new(false) }
    }
}

impl LiveSessions {
    fn lock(&self) -> MutexGuard<'_, HashMap<Sid, Watched>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many sessions have open connections.
    pub(crate) fn len(&self) -> usize {
        self.lock().values().filter(|w| w.ended.receiver_count() > 0).count()
    }

    fn watch(&self, principal: &Arc<Principal>) -> watch::Receiver<bool> {
        let mut sessions = self.lock();
        let entry = sessions.entry(principal.claims().sid).or_insert_with(|| Watched {
            principal: Arc::clone(principal),
            ended: watch::Sender::new(false),
        });
        entry.ended.subscribe()
    }

    /// Ends the connections of dead sessions as the bus tells, and forgets sessions without connections.
    pub(crate) async fn follow<O: Outside>(self: Arc<Self>, engine: Arc<Engine<O>>) {
        let mut notices = engine.outside().bus().subscribe();
        while let Some(notice) = notices.next().await {
            match notice {
                Notice::SessionEnded { sid, .. } => {
                    if let Some(watched) = self.lock().remove(&sid) {
                        watched.ended.send_replace(true);
                    }
                }
                // Whoever else died: ask for each one that is open.
                Notice::EpochRaised { .. } | Notice::Abandoned { .. } | Notice::Gap => self.sweep(&engine),
                Notice::Confirmed { .. } => {}
            }
        }
    }

    fn sweep<O: Outside>(&self, engine: &Engine<O>) {
        self.lock().retain(|_, watched| {
            let stands = engine.still_stands(&watched.principal);
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
}

/// One connection of one session.
pub(crate) struct LiveConnection<O: Outside> {
    pub(crate) engine: Arc<Engine<O>>,
    pub(crate) sessions: Arc<LiveSessions>,
    pub(crate) principal: Option<Arc<Principal>>,
}

impl<O: Outside> Live for LiveConnection<O> {
    fn inbound(&self) {
        if let Some(principal) = &self.principal {
            self.engine.note_activity(principal);
        }
    }

    fn stopped(&self) -> Stop {
        let mut shutdown = self.sessions.shutdown.subscribe();
        let Some(principal) = &self.principal else {
            return Box::pin(async move {
                match shutdown.wait_for(|stop| *stop).await {
                    Ok(_) => StopReason::Shutdown,
                    Err(_) => StopReason::Shutdown,
                }
            });
        };
        let mut ended = self.sessions.watch(principal);
        // Watching began after the request was verified: look once more, or a revocation in between is missed.
        let stands = self.engine.still_stands(principal);
        let left = principal.session_expires_at().since(self.engine.now());
        Box::pin(async move {
            if !stands {
                return StopReason::Revoked;
            }
            tokio::select! {
                _ = ended.wait_for(|end| *end) => StopReason::Revoked,
                _ = shutdown.wait_for(|stop| *stop) => StopReason::Shutdown,
                () = tokio::time::sleep(left) => StopReason::Revoked,
            }
        })
    }
}
