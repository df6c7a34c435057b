//! P1: an honest client alone is never logged out.

use countersign_core::domain::rotation::Windows;

use crate::client::{Bounds, Failover};
use crate::network::Honest;
use crate::report;

/// Two ticks to a grace, one node, two messages on their way. Two lost answers mean what ten do, with fewer states.
pub(crate) const SMALL: Bounds = Bounds {
    grace: 2,
    windows: Windows { max_lost: 2, ..Windows::DESIGN },
    life: 2,
    nodes: 1,
    skew: 0,
    flying: 2,
    losses: 1,
    late_writes: false,
    failover: None,
};

fn holds(name: &str, bounds: Bounds) {
    report::holds(name, bounds, &Honest::new(bounds));
}

/// P1, D02: parallel tabs, eager refreshes, loss, duplication, reordering, a write-behind that is late or lost, and a store that takes
/// its time.
#[test]
fn p1_one_node() {
    holds("P1 one node", Bounds { late_writes: true, ..SMALL });
}

/// P1: three messages cross each other.
#[test]
fn p1_three_messages() {
    holds("P1 three messages", Bounds { flying: 3, ..SMALL });
}

/// P1: confirmations reach the other node late, or never.
#[test]
fn p1_two_nodes() {
    holds("P1 two nodes", Bounds { nodes: 2, ..SMALL });
}

/// P1: the nodes' clocks differ, by half a grace here; messages live that much less.
#[test]
fn p1_clocks_apart() {
    holds("P1 clocks apart", Bounds { nodes: 2, skew: 1, life: 1, ..SMALL });
}

/// P1: nine lost answers in a row, with the windows of the design.
#[test]
fn p1_nine_lost_answers() {
    holds("P1 nine lost", Bounds { windows: Windows::DESIGN, losses: 9, flying: 1, ..SMALL });
}

/// P1: the store goes back in time; what was on its way then is lost with it.
#[test]
fn p1_failover() {
    holds("P1 failover", Bounds { failover: Some(Failover { lacks: 1, messages_survive: false }), ..SMALL });
}

/// P1, larger.
#[test]
#[ignore = "minutes without optimisation: cargo xtask model"]
fn large_p1_nine_lost_answers() {
    holds("P1 nine lost, two messages", Bounds { windows: Windows::DESIGN, losses: 9, ..SMALL });
}

/// P1, larger.
#[test]
#[ignore = "minutes without optimisation: cargo xtask model"]
fn large_p1_two_nodes_and_late_writes() {
    holds("P1 two nodes, late writes", Bounds { nodes: 2, late_writes: true, ..SMALL });
}

/// P1, larger.
#[test]
#[ignore = "minutes without optimisation: cargo xtask model"]
fn large_p1_three_messages() {
    holds("P1 three messages, late writes", Bounds { flying: 3, late_writes: true, ..SMALL });
}

/// P1, larger.
#[test]
#[ignore = "minutes without optimisation: cargo xtask model"]
fn large_p1_three_messages_two_nodes() {
    holds("P1 three messages, two nodes", Bounds { flying: 3, nodes: 2, ..SMALL });
}

/// P1, larger.
#[test]
#[ignore = "minutes without optimisation: cargo xtask model"]
fn large_p1_four_messages() {
    holds("P1 four messages", Bounds { flying: 4, ..SMALL });
}

/// P1, larger: clocks apart by a quarter of a grace, as much as a node that calls itself ready.
#[test]
#[ignore = "minutes without optimisation: cargo xtask model"]
fn large_p1_clocks_a_quarter_apart() {
    holds("P1 clocks a quarter apart", Bounds { grace: 4, nodes: 2, skew: 1, life: 3, ..SMALL });
}

/// P1, larger.
#[test]
#[ignore = "minutes without optimisation: cargo xtask model"]
fn large_p1_failover_two_nodes() {
    let failover = Some(Failover { lacks: 2, messages_survive: false });
    holds("P1 failover, two nodes", Bounds { nodes: 2, failover, ..SMALL });
}
