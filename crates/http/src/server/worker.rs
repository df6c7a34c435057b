//! Threads that serve connections, each with a runtime of its own.
//!
//! A request of the gateway is two small conversations with sockets and little in between: a runtime that moves tasks
//! between threads costs it more than it gains. So each thread keeps the connections that it accepted, and those to
//! upstreams that it opened, from their beginning to their end.

use std::io;
use std::sync::Arc;

use countersign_core::port::Outside;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::sync::{mpsc, watch};

use super::Door;

/// The threads, until they are told to end.
#[derive(Debug)]
pub(super) struct Workers {
    over: watch::Sender<bool>,
    /// Yields nothing; closed when the last thread has ended.
    ended: mpsc::Receiver<()>,
    running: mpsc::Sender<()>,
}

impl Workers {
    pub(super) fn none() -> Self {
        let (running, ended) = mpsc::channel(1);
        Self { over: watch::Sender::new(false), ended, running }
    }

    /// Starts threads that accept from one listener. Whichever is idle accepts first, so a busy one gets fewer.
    pub(super) fn start<O: Outside>(
        &self,
        door: &Arc<Door<O>>,
        listener: TcpListener,
        threads: usize,
    ) -> io::Result<()> {
        let listener = listener.into_std()?;
        for number in 0..threads {
            let (door, listener) = (Arc::clone(door), listener.try_clone()?);
            let (mut over, running) = (self.over.subscribe(), self.running.clone());
            let runtime = Builder::new_current_thread().enable_all().build()?;
            let work = move || {
                runtime.block_on(async {
                    match TcpListener::from_std(listener) {
                        Ok(listener) => door.accept(listener).await,
                        Err(error) => tracing::error!(%error, "a thread cannot accept connections"),
                    }
                    // Connections go on until they are drained. A sender that is gone means the same.
                    let _gone = over.wait_for(|over| *over).await.is_err();
                });
                runtime.shutdown_background();
                drop(running);
            };
            std::thread::Builder::new().name(format!("serve-{number}")).spawn(work)?;
        }
        Ok(())
    }

    /// Cuts off what is still served, and waits for the threads to have let go of it.
    pub(super) async fn end(self) {
        let Self { over, mut ended, running } = self;
        over.send_replace(true);
        drop(running);
        ended.recv().await;
    }
}
