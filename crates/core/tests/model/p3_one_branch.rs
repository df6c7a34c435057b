//! P3: the worlds check at every verdict that there is one branch (`network::one_branch`). Here: the check sees a second one.

use countersign_core::domain::id::Generation;
use countersign_core::domain::rotation::{RotationRecord, Verdict};

use crate::network::one_branch;
use crate::ticks::NOW;

/// P3, D02, D03, D05: a record that was there before, or a generation that skips one, is a second branch.
#[test]
fn p3_a_second_branch_is_seen() {
    let record = RotationRecord {
        current: Generation(5),
        from: Some(Generation(4)),
        lost: 1,
        ..RotationRecord::opened(NOW)
    };
    let check = |verdict: Verdict| one_branch(&record, Generation(4), &verdict).is_ok();
    let with = |current, lost| RotationRecord { current: Generation(current), lost, ..record.clone() };
    assert!(check(Verdict::Replay { next: Some(with(5, 2)) }));
    assert!(check(Verdict::Reissue { next: with(6, 2) }));
    assert!(check(Verdict::Rotate { next: with(6, 0) }));
    for (current, lost) in [(5, 1), (5, 0), (4, 9), (7, 0)] {
        assert!(!check(Verdict::Rotate { next: with(current, lost) }), "{current}, {lost}");
    }
    assert!(!check(Verdict::Heal { next: with(7, 0) }), "a token from the future continues from itself");
}
