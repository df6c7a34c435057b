//! P2: two holders who do not act within a few G of each other cannot both go on.

use countersign_core::domain::rotation::Windows;

use crate::holders::{Bounds, Manner};
use crate::report;
use crate::theft::Theft;

/// Turns in which tokens are handed over, after the theft: two by Keep, a rotation, a Reissue. The fifth finds the session over.
const TURNS: u8 = 4;

/// The thief and the client take turns more than 3 G apart. One lost answer means what ten do, with fewer states. An access token
/// outlives a turn, the 5 G until the other's next rotation, and one more turn: so traps must outlive rotations.
pub(crate) const APART: Bounds = Bounds {
    grace: 2,
    windows: Windows { max_lost: 1, ..Windows::DESIGN },
    manner: Manner::Turns { apart: 7 },
    nodes: 1,
    skew: 0,
    access: 26,
    limit: TURNS,
    forgets_abandoned: false,
};

/// A thief who presents a spent token over and over. On one node it is answered, more than a grace apart, when the token has just been
/// spent, as often as answers may be lost, and within the grace after its successor was used.
pub(crate) const POLLING: Bounds = Bounds {
    windows: Windows { max_lost: 2, ..Windows::DESIGN },
    manner: Manner::Polling { crashes: 0 },
    access: 1,
    limit: 4,
    ..APART
};

fn holds(name: &str, bounds: Bounds) {
    report::holds(name, bounds, &Theft::new(bounds));
}

/// P2, D01, D05: whoever goes first, whatever was lost before, and also if one rotates ahead in silence.
#[test]
fn p2_turns() {
    holds("P2 turns", APART);
}

/// P2: two nodes with clocks apart, confirmations late or lost.
#[test]
fn p2_turns_two_nodes() {
    let manner = Manner::Turns { apart: 8 };
    holds("P2 turns, two nodes", Bounds { nodes: 2, skew: 1, access: 9, manner, ..APART });
}

/// P2: the number of turns is exact.
#[test]
fn p2_is_not_promised_sooner() {
    let bounds = Bounds { limit: TURNS - 1, ..APART };
    report::fails("P2", bounds, &Theft::new(bounds));
}

/// P2: a spent token is good for as many lost answers as there may be, and two answers more.
#[test]
fn p2_polling() {
    holds("P2 polling", POLLING);
}

/// P2: on two nodes each lost answer can come with a free one, where the second node has not heard of a use yet.
#[test]
fn p2_polling_two_nodes() {
    let windows = Windows { max_lost: 1, ..Windows::DESIGN };
    holds("P2 polling, two nodes", Bounds { nodes: 2, windows, limit: 5, ..POLLING });
}

/// P2, larger: long access tokens on two nodes.
#[test]
#[ignore = "minutes without optimisation: cargo xtask model"]
fn large_p2_turns_two_nodes() {
    let manner = Manner::Turns { apart: 8 };
    holds("P2 turns, two nodes, long access", Bounds { nodes: 2, skew: 1, manner, ..APART });
}

/// P2, larger.
#[test]
#[ignore = "minutes without optimisation: cargo xtask model"]
fn large_p2_turns() {
    holds("P2 turns, lost answers", Bounds { windows: Windows { max_lost: 3, ..Windows::DESIGN }, ..APART });
}

/// P2, larger.
#[test]
#[ignore = "minutes without optimisation: cargo xtask model"]
fn large_p2_turns_in_finer_ticks() {
    holds("P2 turns, finer", Bounds { grace: 3, access: 39, manner: Manner::Turns { apart: 10 }, ..APART });
}

/// P2, larger: a crash that loses a confirmation is worth one answer more.
#[test]
#[ignore = "minutes without optimisation: cargo xtask model"]
fn large_p2_polling_with_a_crash() {
    holds("P2 polling, crash", Bounds { manner: Manner::Polling { crashes: 1 }, limit: 5, ..POLLING });
}

/// P2, larger: the limit of the design.
#[test]
#[ignore = "minutes without optimisation: cargo xtask model"]
fn large_p2_polling_ten_lost_answers() {
    holds("P2 polling, ten lost", Bounds { windows: Windows::DESIGN, limit: 12, ..POLLING });
}

/// P2, larger.
#[test]
#[ignore = "minutes without optimisation: cargo xtask model"]
fn large_p2_polling_clocks_apart() {
    holds("P2 polling, clocks apart", Bounds { nodes: 2, skew: 1, limit: 7, ..POLLING });
}
