//! What P1 needs: each constant of the table, and each premise. The next smaller one, and an honest client is logged out.

use countersign_core::domain::rotation::Windows;

use crate::client::{Bounds, Failover};
use crate::network::Honest;
use crate::p1_honest::SMALL;
use crate::report;

fn fails(bounds: Bounds) {
    report::fails("P1", bounds, &Honest::new(bounds));
}

/// P1 fails with Keep at 4 G: an eager client has moved on when the latest answer that can hand its token over arrives, and sets the
/// jar back to a spent one.
#[test]
fn p1_needs_keep_at_five_graces() {
    fails(Bounds { windows: Windows { keep: 4, ..SMALL.windows }, ..SMALL });
}

/// P1 fails with the lost-answer window at 2 G: a request that left just before the answer arrived counts as a lost answer, and what
/// the jar holds is abandoned.
#[test]
fn p1_needs_lost_answers_replayed_for_three_graces() {
    fails(Bounds { windows: Windows { lost: 2, ..SMALL.windows }, ..SMALL });
}

/// P1 fails without the window after the confirmation: a parallel request is slower than the first use of the new token.
#[test]
fn p1_needs_a_grace_after_the_confirmation() {
    fails(Bounds { windows: Windows { confirmed: 0, ..SMALL.windows }, ..SMALL });
}

/// P1's premise: no message lives longer than a grace.
#[test]
fn p1_needs_messages_that_live_no_longer_than_a_grace() {
    fails(Bounds { life: SMALL.grace + 1, ..SMALL });
}

/// P1's premise: clocks apart shorten the life that a message may have.
#[test]
fn p1_needs_shorter_lives_with_clocks_apart() {
    fails(Bounds { nodes: 2, skew: 1, ..SMALL });
}

/// P1's premise: fewer answers in a row are lost than the limit.
#[test]
fn p1_needs_fewer_lost_answers_than_the_limit() {
    fails(Bounds { losses: SMALL.windows.max_lost, ..SMALL });
}

/// P1's premise: what was on its way when the store failed over does not arrive afterwards. A newer token is healed first, and makes
/// an older one theft.
#[test]
fn p1_needs_a_failover_that_outlasts_messages() {
    fails(Bounds { failover: Some(Failover { lacks: 1, messages_survive: true }), ..SMALL });
}
