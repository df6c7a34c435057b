//! In which order requests are sent.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::time::Instant;

/// Which request comes next; shared by all connections.
#[derive(Debug)]
pub(crate) struct Order {
    sent: AtomicUsize,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// Indices over and over until the time is up.
    Repeated { indices: Vec<usize>, until: Instant },
    /// Each once.
    Once { first: usize, count: usize },
}

impl Order {
    /// Draws from `indices` in turn, until then.
    pub(crate) const fn repeated(indices: Vec<usize>, until: Instant) -> Self {
        Self { sent: AtomicUsize::new(0), kind: Kind::Repeated { indices, until } }
    }

    /// Each of `count` requests from `first` on, once.
    pub(crate) const fn once(first: usize, count: usize) -> Self {
        Self { sent: AtomicUsize::new(0), kind: Kind::Once { first, count } }
    }

    /// The next one, or the end.
    pub(crate) fn next(&self) -> Option<usize> {
        let turn = self.sent.fetch_add(1, Ordering::Relaxed);
        match &self.kind {
            Kind::Once { first, count } => (turn < *count).then_some(first + turn),
            Kind::Repeated { indices, until } => {
                let index = turn.checked_rem(indices.len()).and_then(|at| indices.get(at).copied());
                index.filter(|_| Instant::now() < *until)
            }
        }
    }
}

/// Draws of Zipf's law with exponent 1 over `0..population`: few users cause most requests. The same at each call.
pub(crate) fn zipf(population: usize, draws: usize) -> Vec<usize> {
    let mut total = 0.0;
    let cumulated: Vec<f64> = (1..=population)
        .map(|rank| {
            total += 1.0 / real(rank);
            total
        })
        .collect();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut draw = || {
        // xorshift64*: good enough to pick from a list, and the same everywhere.
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        let high = state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32;
        let share = f64::from(u32::try_from(high).unwrap_or(u32::MAX)) / f64::from(u32::MAX);
        cumulated.partition_point(|sum| *sum < share * total).min(population.saturating_sub(1))
    };
    (0..draws).map(|_| draw()).collect()
}

fn real(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_ranks_get_most_draws() {
        let draws = zipf(20_000, 100_000);
        let share = |below: usize| draws.iter().filter(|d| **d < below).count() as f64 / draws.len() as f64;
        // H(100) / H(20000) and H(2000) / H(20000).
        assert!((share(100) - 0.495).abs() < 0.02, "{}", share(100));
        assert!((share(2000) - 0.78).abs() < 0.02, "{}", share(2000));
        assert!(draws.iter().all(|d| *d < 20_000));
    }

    #[test]
    fn once_is_once() {
        let order = Order::once(5, 3);
        let all: Vec<_> = std::iter::from_fn(|| order.next()).collect();
        assert_eq!(all, [5, 6, 7]);
    }
}
