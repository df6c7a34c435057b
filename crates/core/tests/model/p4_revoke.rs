//! P4: nothing is minted after revoke returns.

use crate::race::Race;
use crate::report;
use crate::revocation::{Bounds, Fault, Kind};

/// Ages of a record, in ticks of half a grace, at which its predecessor is replayed, replayed as lost, reissued, and the current
/// token is kept until the last of them, then rotated.
const AGES: [i64; 4] = [0, 3, 7, 11];

fn holds(requests: usize, fails_over: bool) {
    for kind in [Kind::Session, Kind::User] {
        let bounds = |handed_over| Bounds { kind, handed_over, requests, fails_over, fault: Fault::None };
        let models = AGES.map(|age| Race::new(bounds(age)));
        report::all_hold("P4", bounds(AGES[0]), &models);
    }
}

/// D04: the fault lets something through, at some age of the record.
fn fails(kind: Kind, fails_over: bool, fault: Fault) {
    let bounds = Bounds { kind, handed_over: 11, requests: 2, fails_over, fault };
    report::fails("P4", bounds, &Race::new(bounds));
}

/// P4, D04: wherever the revocation falls between a request's read, verdict, write and answer, on this node and on another.
#[test]
fn p4_nothing_is_minted_after_revoke() {
    holds(2, false);
}

/// P4: nor where the store forgets the revocation, as long as the node remembers.
#[test]
fn p4_a_failover_revives_nothing() {
    holds(2, true);
}

/// P4, larger: three requests.
#[test]
#[ignore = "minutes without optimisation: cargo xtask model"]
fn large_p4_three_requests() {
    holds(3, true);
}

/// P4 needs the store's compare-and-set to look at the end of the session.
#[test]
fn p4_needs_writes_that_see_the_end() {
    fails(Kind::Session, false, Fault::WriteIgnoresEnd);
}

/// P4 needs the epoch to be compared after the write: a sign-in beside a revocation is in no list of sessions to end.
#[test]
fn p4_needs_a_look_after_the_write() {
    fails(Kind::User, false, Fault::NoLookAfterWrite);
}

/// P4 needs the node's memory before the answer: a replay writes nothing that could be refused.
#[test]
fn p4_needs_a_look_before_the_answer() {
    fails(Kind::Session, false, Fault::NoLookBeforeAnswer);
    fails(Kind::User, false, Fault::NoLookBeforeAnswer);
}

/// P4 needs the node's memory after the read: the store may have gone back in time.
#[test]
fn p4_needs_a_look_after_the_read() {
    fails(Kind::Session, true, Fault::NoLookAfterRead);
}
