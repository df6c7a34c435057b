//! Every row of design §5's table, on both sides of each of its boundaries.

use std::time::Duration;

use super::{
    Abandoned, AfterRollback, Carrier, FALLBACK_GRACE, Presented, RotationPolicy, RotationRecord, Verdict,
    Windows, judge,
};
use crate::domain::id::Generation;
use crate::domain::time::Timestamp;

const G: i64 = 10_000;
const T0: i64 = 1_790_000_000_000;
const MAX_LOST: u8 = Windows::DESIGN.max_lost;
const ACCESS: Duration = Duration::from_secs(15 * 60 + 60);

fn policy() -> RotationPolicy {
    with_grace(Duration::from_secs(10))
}

fn with_grace(reuse_grace: Duration) -> RotationPolicy {
    RotationPolicy::new(reuse_grace, ACCESS, AfterRollback::Heal)
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(T0 + millis)
}

/// Generation 7 came from 6 and was handed over at T0; nobody has used it yet.
fn unconfirmed() -> RotationRecord {
    RotationRecord {
        current: Generation(7),
        from: Some(Generation(6)),
        handed_over_at: at(0),
        confirmed_at: None,
        lost: 0,
        abandoned: Vec::new(),
    }
}

fn confirmed(millis: i64) -> RotationRecord {
    RotationRecord { confirmed_at: Some(at(millis)), ..unconfirmed() }
}

fn jar(record: &RotationRecord, generation: u32, millis: i64) -> Verdict {
    judge(&policy(), record, Presented::from_jar(Generation(generation)), at(millis))
}

fn stale_copy(generation: u32) -> Presented {
    Presented { carrier: Carrier::StaleCopy, ..Presented::from_jar(Generation(generation)) }
}

fn with_proof(generation: u32) -> Presented {
    Presented { device_proof: true, ..Presented::from_jar(Generation(generation)) }
}

fn rotated(from: u32, millis: i64) -> RotationRecord {
    RotationRecord {
        current: Generation(from + 1),
        from: Some(Generation(from)),
        handed_over_at: at(millis),
        confirmed_at: None,
        lost: 0,
        abandoned: Vec::new(),
    }
}

#[test]
fn a_new_session_rotates_at_once() {
    let opened = RotationRecord::opened(at(0));
    assert_eq!(jar(&opened, 1, 0), Verdict::Rotate { next: rotated(1, 0) });
    assert_eq!(jar(&opened, 0, 0), Verdict::Reuse);
}

/// D01: within 5 G of the hand-over the current token is kept.
#[test]
fn d01_current_is_kept_for_less_than_five_graces() {
    assert_eq!(jar(&unconfirmed(), 7, 0), Verdict::Keep { confirms: true });
    assert_eq!(jar(&unconfirmed(), 7, 5 * G - 1), Verdict::Keep { confirms: true });
    assert_eq!(jar(&confirmed(5), 7, 5 * G - 1), Verdict::Keep { confirms: false });
    assert_eq!(jar(&unconfirmed(), 7, 5 * G), Verdict::Rotate { next: rotated(7, 5 * G) });
    // The confirmation does not prolong it.
    assert_eq!(jar(&confirmed(5 * G - 1), 7, 5 * G), Verdict::Rotate { next: rotated(7, 5 * G) });
}

#[test]
fn rotate_starts_a_clean_count() {
    let record = RotationRecord { lost: MAX_LOST, ..confirmed(1) };
    assert_eq!(jar(&record, 7, 5 * G), Verdict::Rotate { next: rotated(7, 5 * G) });
}

/// D05: parallel requests get the same successor, and nothing changes.
#[test]
fn d05_replay_within_the_grace() {
    for millis in [0, 1, G - 1, G] {
        assert_eq!(jar(&unconfirmed(), 6, millis), Verdict::Replay { next: None }, "{millis}");
    }
}

#[test]
fn a_lost_answer_is_replayed_until_three_graces() {
    for millis in [G + 1, 3 * G] {
        let next = RotationRecord { handed_over_at: at(millis), lost: 1, ..unconfirmed() };
        assert_eq!(jar(&unconfirmed(), 6, millis), Verdict::Replay { next: Some(next) }, "{millis}");
    }
}

/// D05: later than 3 G somebody else may hold the answer.
#[test]
fn d05_a_lost_answer_is_reissued_after_three_graces() {
    let now = 3 * G + 1;
    let first = RotationRecord {
        current: Generation(8),
        handed_over_at: at(now),
        lost: 1,
        abandoned: vec![Abandoned { first: Generation(7), last: Generation(7), until: at(now).plus(ACCESS) }],
        ..unconfirmed()
    };
    assert_eq!(jar(&unconfirmed(), 6, now), Verdict::Reissue { next: first.clone() });
    // A second one in a row abandons everything between `from` and its own.
    let later = now + 3 * G + 1;
    let Verdict::Reissue { next } = jar(&first, 6, later) else { panic!("no reissue") };
    assert_eq!((next.current, next.from, next.lost), (Generation(9), Some(Generation(6)), 2));
    assert!(next.is_abandoned(Generation(7)) && next.is_abandoned(Generation(8)));
    assert!(!next.is_abandoned(Generation(6)) && !next.is_abandoned(Generation(9)));
}

#[test]
fn the_tenth_lost_answer_is_the_last() {
    for millis in [G + 1, 3 * G, 3 * G + 1, 100 * G] {
        let nine = RotationRecord { lost: MAX_LOST - 1, ..unconfirmed() };
        let next = jar(&nine, 6, millis).next().cloned();
        assert_eq!(next.map(|r| r.lost), Some(MAX_LOST), "{millis}");
        let ten = RotationRecord { lost: MAX_LOST, ..unconfirmed() };
        assert_eq!(jar(&ten, 6, millis), Verdict::Reuse, "{millis}");
    }
    // Parallel requests of the tenth answer's receiver are still served.
    let ten = RotationRecord { lost: MAX_LOST, ..unconfirmed() };
    assert_eq!(jar(&ten, 6, G), Verdict::Replay { next: None });
    assert_eq!(MAX_LOST, 10);
}

/// D05: once the successor was used, its predecessor lives for one grace more, counted from the confirmation.
#[test]
fn d05_confirmed_replays_for_one_grace_then_is_reuse() {
    for confirmed_at in [0, 2 * G, 40 * G] {
        let record = confirmed(confirmed_at);
        assert_eq!(jar(&record, 6, confirmed_at), Verdict::Replay { next: None });
        assert_eq!(jar(&record, 6, confirmed_at + G), Verdict::Replay { next: None });
        assert_eq!(jar(&record, 6, confirmed_at + G + 1), Verdict::Reuse);
    }
}

/// D01: a spent token is theft at any time.
#[test]
fn d01_older_than_from_is_reuse() {
    for millis in [0, 1, G, 3 * G + 1, 5 * G] {
        assert_eq!(jar(&unconfirmed(), 5, millis), Verdict::Reuse, "{millis}");
        assert_eq!(jar(&confirmed(0), 5, millis), Verdict::Reuse, "{millis}");
    }
}

/// D05: a generation that was reissued over is theft whoever brings it, however.
#[test]
fn d05_abandoned_is_always_reuse() {
    let Verdict::Reissue { next } = jar(&unconfirmed(), 6, 3 * G + 1) else { panic!("no reissue") };
    for presented in [Presented::from_jar(Generation(7)), stale_copy(7), with_proof(7)] {
        assert_eq!(judge(&policy(), &next, presented, at(3 * G + 1)), Verdict::Reuse, "{presented:?}");
    }
    // The trap stays while the successor rotates on, and until the last access token of it has expired.
    let used = 8 * G + 1;
    let Verdict::Rotate { next } = jar(&next, 8, used) else { panic!("no rotation") };
    assert_eq!(next.from, Some(Generation(8)));
    let expiry = i64::try_from(ACCESS.as_millis()).unwrap() + 3 * G + 1;
    let Verdict::Rotate { next: live } = jar(&next, 9, expiry - 1) else { panic!("no rotation") };
    assert!(live.is_abandoned(Generation(7)));
    let Verdict::Rotate { next: gone } = jar(&next, 9, expiry) else { panic!("no rotation") };
    assert_eq!(gone.abandoned, []);
    assert_eq!(jar(&gone, 7, expiry), Verdict::Reuse, "as spent");
}

/// Ranges of different ancestors do not displace each other.
#[test]
fn abandoned_ranges_accumulate() {
    let Verdict::Reissue { next: first } = jar(&unconfirmed(), 6, 4 * G) else { panic!("no reissue") };
    let Verdict::Rotate { next: second } = jar(&first, 8, 9 * G) else { panic!("no rotation") };
    let Verdict::Reissue { next: third } = jar(&second, 8, 13 * G) else { panic!("no reissue") };
    assert_eq!((third.current, third.from), (Generation(10), Some(Generation(8))));
    let held: Vec<u32> = (5..=10).filter(|g| third.is_abandoned(Generation(*g))).collect();
    assert_eq!(held, [7, 9]);
}

#[test]
fn the_future_heals_unless_refused() {
    for generation in [8, 9, 4_000] {
        let heal = Verdict::Heal { next: rotated(generation, 3) };
        assert_eq!(jar(&unconfirmed(), generation, 3), heal);
        let strict = RotationPolicy::new(Duration::from_secs(10), ACCESS, AfterRollback::Revoke);
        let presented = Presented::from_jar(Generation(generation));
        assert_eq!(judge(&strict, &unconfirmed(), presented, at(3)), Verdict::Reuse);
    }
}

#[test]
fn stale_copies_are_denied_where_a_jar_would_be_theft() {
    let deny = |record: &RotationRecord, generation, millis| {
        assert_eq!(judge(&policy(), record, stale_copy(generation), at(millis)), Verdict::Deny);
    };
    deny(&unconfirmed(), 5, 0);
    deny(&confirmed(0), 5, 0);
    deny(&confirmed(0), 6, G + 1);
    deny(&RotationRecord { lost: MAX_LOST, ..unconfirmed() }, 6, G + 1);
    // Anything that is not theft goes on as for a jar.
    for (generation, millis) in [(7, 0), (7, 5 * G), (6, G), (6, 3 * G), (6, 3 * G + 1), (9, 0)] {
        let as_copy = judge(&policy(), &unconfirmed(), stale_copy(generation), at(millis));
        assert_eq!(as_copy, jar(&unconfirmed(), generation, millis));
    }
}

#[test]
fn a_fresh_device_proof_heals_where_a_jar_would_be_theft() {
    let heal = |record: &RotationRecord, generation, millis| {
        let verdict = judge(&policy(), record, with_proof(generation), at(millis));
        assert_eq!(verdict, Verdict::Heal { next: rotated(7, millis) });
    };
    heal(&unconfirmed(), 5, 0);
    heal(&confirmed(0), 6, G + 1);
    heal(&RotationRecord { lost: MAX_LOST, ..unconfirmed() }, 6, G + 1);
}

/// D03: order is the counter; with grace 0 a spent token is found at once. The other windows fall back to 10 s.
#[test]
fn d03_grace_zero_turns_keep_and_the_confirmed_replay_off() {
    let zero = with_grace(Duration::ZERO);
    let judged = |record: &RotationRecord, generation: u32, millis| {
        judge(&zero, record, Presented::from_jar(Generation(generation)), at(millis))
    };
    assert_eq!(FALLBACK_GRACE, Duration::from_secs(10));
    assert_eq!(judged(&unconfirmed(), 7, 0), Verdict::Rotate { next: rotated(7, 0) });
    assert_eq!(judged(&confirmed(5), 6, 5), Verdict::Reuse);
    assert_eq!(judged(&unconfirmed(), 6, G), Verdict::Replay { next: None });
    assert!(matches!(judged(&unconfirmed(), 6, G + 1), Verdict::Replay { next: Some(_) }));
    assert!(matches!(judged(&unconfirmed(), 6, 3 * G), Verdict::Replay { next: Some(_) }));
    assert!(matches!(judged(&unconfirmed(), 6, 3 * G + 1), Verdict::Reissue { .. }));
    // Three rotations in one second, then the first token again.
    let mut record = RotationRecord::opened(at(0));
    for generation in 1..=3_u32 {
        let verdict = judged(&record, generation, i64::from(generation) * 300);
        record = verdict.next().cloned().expect("a rotation");
    }
    assert_eq!(record.current, Generation(4));
    assert_eq!(judged(&record, 1, 1_000), Verdict::Reuse);
}

/// The windows scale with the configured grace.
#[test]
fn windows_follow_the_configured_grace() {
    for secs in [2_u32, 60] {
        let p = with_grace(Duration::from_secs(u64::from(secs)));
        let g = i64::from(secs) * 1000;
        let judged = |record: &RotationRecord, generation: u32, millis| {
            judge(&p, record, Presented::from_jar(Generation(generation)), at(millis))
        };
        assert!(matches!(judged(&unconfirmed(), 7, 5 * g - 1), Verdict::Keep { .. }));
        assert!(matches!(judged(&unconfirmed(), 7, 5 * g), Verdict::Rotate { .. }));
        assert_eq!(judged(&unconfirmed(), 6, g), Verdict::Replay { next: None });
        assert!(matches!(judged(&unconfirmed(), 6, 3 * g), Verdict::Replay { next: Some(_) }));
        assert!(matches!(judged(&unconfirmed(), 6, 3 * g + 1), Verdict::Reissue { .. }));
        assert_eq!(judged(&confirmed(0), 6, g + 1), Verdict::Reuse);
    }
}

/// A node whose clock is behind must neither shorten nor rewind what another node wrote.
#[test]
fn time_never_runs_backwards_within_a_record() {
    assert_eq!(jar(&unconfirmed(), 6, -4 * G), Verdict::Replay { next: None });
    assert_eq!(jar(&unconfirmed(), 7, -G), Verdict::Keep { confirms: true });
    assert_eq!(jar(&confirmed(2 * G), 6, 0), Verdict::Replay { next: None });
    assert_eq!(jar(&unconfirmed(), 8, -G), Verdict::Heal { next: rotated(8, 0) });
    let late = confirmed(5 * G);
    assert_eq!(jar(&late, 7, 0), Verdict::Rotate { next: rotated(7, 5 * G) });
}

#[test]
fn only_the_first_use_of_the_current_generation_confirms() {
    let mut record = unconfirmed();
    assert!(!record.confirm(Generation(6), at(1)), "a spent generation");
    assert!(!record.confirm(Generation(8), at(1)), "not handed out yet");
    assert!(record.confirm(Generation(7), at(-5)));
    assert_eq!(record.confirmed_at, Some(at(0)), "never before the hand-over");
    assert!(!record.confirm(Generation(7), at(9)));
    assert_eq!(record.confirmed_at, Some(at(0)));
}

/// D02: of two writes over one judged record only the first counts; a confirmation beside it is kept.
#[test]
fn d02_a_record_is_succeeded_once() {
    let judged = unconfirmed();
    let lost = RotationRecord { handed_over_at: at(2 * G), lost: 1, ..judged.clone() };
    let rotated = rotated(7, 5 * G);
    for next in [&lost, &rotated] {
        let after = judged.succeeded_by(&judged, next).expect("the first writer wins");
        assert_eq!(after, *next);
        assert_eq!(after.succeeded_by(&judged, next), None, "the second does not");
    }
    let used = confirmed(G);
    assert_eq!(used.succeeded_by(&judged, &rotated), Some(rotated), "another generation: not in use yet");
    let kept = RotationRecord { confirmed_at: Some(at(2 * G)), ..lost.clone() };
    assert_eq!(used.succeeded_by(&judged, &lost), Some(kept), "never before the hand-over");
}

/// D05: a range that a later Reissue covers is not kept beside it: a client that never hears us would make the record grow.
#[test]
fn d05_an_abandoned_range_is_replaced_by_the_wider_one() {
    let Verdict::Reissue { next: first } = jar(&unconfirmed(), 6, 4 * G) else { panic!("no reissue") };
    let Verdict::Reissue { next: second } = jar(&first, 6, 8 * G) else { panic!("no reissue") };
    let until = at(8 * G).plus(ACCESS);
    assert_eq!(second.abandoned, [Abandoned { first: Generation(7), last: Generation(8), until }]);
}

/// D05: the confirmed Replay lasts as many graces as the policy's windows say, not one by chance.
#[test]
fn d05_other_windows_are_heeded() {
    let wide = policy().dangerous().windows(Windows { confirmed: 3, ..Windows::DESIGN });
    let judged = |millis| judge(&wide, &confirmed(0), Presented::from_jar(Generation(6)), at(millis));
    assert_eq!(judged(3 * G), Verdict::Replay { next: None });
    assert_eq!(judged(3 * G + 1), Verdict::Reuse);
}

/// I05: each verdict has the word of the table.
#[test]
fn i05_verdicts_have_their_words() {
    let next = unconfirmed();
    for (verdict, word) in [
        (Verdict::Keep { confirms: true }, "keep"),
        (Verdict::Rotate { next: next.clone() }, "rotate"),
        (Verdict::Replay { next: None }, "replay"),
        (Verdict::Reissue { next: next.clone() }, "reissue"),
        (Verdict::Heal { next }, "heal"),
        (Verdict::Deny, "deny"),
        (Verdict::Reuse, "reuse"),
    ] {
        assert_eq!(verdict.word(), word);
    }
}
