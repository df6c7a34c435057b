//! Notices within one process.

use countersign_core::port::{Bus, Notice, Subscription};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

/// Notices that a subscriber may be behind. One is about 64 bytes.
const CAPACITY: usize = 8192;

/// The bus of a single node.
#[derive(Clone, Debug)]
pub struct LocalBus(broadcast::Sender<Notice>);

impl LocalBus {
    /// A bus on which a subscriber may be 8192 notices behind before it hears [`Notice::Gap`].
    #[must_use]
    pub fn new() -> Self {
        Self::with_capacity(CAPACITY)
    }

    fn with_capacity(capacity: usize) -> Self {
        Self(broadcast::Sender::new(capacity))
    }
}

impl Default for LocalBus {
    fn default() -> Self {
        Self::new()
    }
}

impl Bus for LocalBus {
    type Subscription = LocalSubscription;

    fn publish(&self, notice: Notice) {
        // The only error is "nobody listens", and then nobody needs to know.
        drop(self.0.send(notice));
    }

    fn subscribe(&self) -> LocalSubscription {
        LocalSubscription(self.0.subscribe())
    }
}

/// Receives what a [`LocalBus`] publishes.
#[derive(Debug)]
pub struct LocalSubscription(broadcast::Receiver<Notice>);

impl Subscription for LocalSubscription {
    async fn next(&mut self) -> Option<Notice> {
        match self.0.recv().await {
            Ok(notice) => Some(notice),
            // What was missed may have been a revocation: the subscriber must ask the store again.
            Err(RecvError::Lagged(_)) => Some(Notice::Gap),
            Err(RecvError::Closed) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_core::domain::id::Sid;
    use countersign_core::domain::time::Timestamp;

    fn ended(n: u8) -> Notice {
        Notice::SessionEnded { sid: Sid::from_bytes([n; 16]), at: Timestamp::from_secs(i64::from(n)) }
    }

    fn number(notice: &Option<Notice>) -> Option<i64> {
        match notice {
            Some(Notice::SessionEnded { at, .. }) => Some(at.as_secs()),
            _ => None,
        }
    }

    #[tokio::test]
    async fn every_subscriber_hears_in_order() {
        let bus = LocalBus::new();
        bus.publish(ended(0));
        let (mut a, mut b) = (bus.subscribe(), bus.subscribe());
        bus.publish(ended(1));
        bus.publish(ended(2));
        for subscription in [&mut a, &mut b] {
            assert_eq!(number(&subscription.next().await), Some(1));
            assert_eq!(number(&subscription.next().await), Some(2));
        }
        drop(bus);
        assert!(a.next().await.is_none());
    }

    #[tokio::test]
    async fn who_falls_behind_is_told() {
        let bus = LocalBus::with_capacity(4);
        let mut slow = bus.subscribe();
        for n in 1..=9 {
            bus.publish(ended(n));
        }
        assert!(matches!(slow.next().await, Some(Notice::Gap)));
        assert_eq!(number(&slow.next().await), Some(6));
    }
}
