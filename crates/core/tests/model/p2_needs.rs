//! What P2 needs: without it, two holders go on side by side.

use countersign_core::domain::rotation::Windows;

use crate::holders::{Bounds, Manner};
use crate::p2_thieves::{APART, POLLING};
use crate::report;
use crate::theft::Theft;

fn fails(bounds: Bounds) {
    report::fails("P2", bounds, &Theft::new(bounds));
}

/// P2 fails where a lost answer is replayed for ever instead of reissued: both end up with the same token, again and again.
#[test]
fn p2_needs_reissue() {
    fails(Bounds { windows: Windows { lost: 1_000, ..APART.windows }, ..APART });
}

/// P2 fails where the abandoned generations are not kept: the one who was ahead in silence goes on with its access token.
#[test]
fn p2_needs_abandoned_generations() {
    fails(Bounds { forgets_abandoned: true, ..APART });
}

/// P2 fails without the limit on lost answers: a spent token stays good while the other holder sleeps.
#[test]
fn p2_needs_a_limit_on_lost_answers() {
    fails(Bounds { windows: Windows { max_lost: u8::MAX, ..POLLING.windows }, ..POLLING });
}

/// What rotation alone does not catch, as the threat model says: a thief who acts within seconds of the client.
#[test]
fn p2_does_not_catch_a_thief_at_the_clients_heels() {
    fails(Bounds { manner: Manner::Turns { apart: 1 }, limit: 8, ..APART });
}
