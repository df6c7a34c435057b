//! P1: an honest client alone is never logged out.

use proptest::prelude::{Just, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::test_runner::Config;

use crate::script::{Act, Behind, Fate, G, Kind, SMOOTH, Step, behind, extreme_step, skew, step};
use crate::world::{Answer, World};

const PROMPT: Behind = Behind { flush_ms: 0, bus: true };

proptest! {
    #![proptest_config(Config { cases: 8 * Config::default().cases, ..Config::default() })]

    /// P1, D02, D05: parallel tabs, eager and inline refreshes, loss, duplication, reordering, delays up to G, restarts, two
    /// nodes, confirmations late or lost.
    #[test]
    fn p1_an_honest_client_alone_is_never_logged_out(
        skew_ms in skew(),
        behind in behind(),
        script in proptest::collection::vec(step(), 1..60),
    ) {
        let mut world = World::new(skew_ms, behind);
        world.play(0, &script);
        for seen in &world.seen {
            prop_assert!(!matches!(seen.answer, Answer::Theft | Answer::Refused), "{:#?}", world.seen);
        }
        prop_assert!(!world.store.record().is_abandoned(world.jars[0].refresh), "holds an abandoned generation");
        // And it goes on: one good exchange later jar and store agree again.
        world.wait(5 * G);
        let answer = world.smooth(0, Kind::Refresh);
        prop_assert!(matches!(answer, Answer::Rotation { .. }), "{answer:?}");
        prop_assert_eq!(world.jars[0].refresh, world.store.record().current);
    }

    /// P1 at the edges of the windows: slow answers and slower requests cross each other.
    #[test]
    fn p1_crossing_messages_never_log_out(
        behind in behind(),
        script in proptest::collection::vec(extreme_step(), 1..24),
    ) {
        let mut world = World::new(0, behind);
        world.play(0, &script);
        for seen in &world.seen {
            prop_assert!(matches!(seen.answer, Answer::Rotation { .. }), "{:#?}", world.seen);
        }
    }

    /// P1: why Keep outlasts the windows. The latest answer that can still hand `current` over comes from a request that set out
    /// just before its jar learned of `current`; an eager client must not have moved on before it arrives, or it would set
    /// the jar back to a spent token.
    #[test]
    fn p1_the_latest_answer_never_sets_a_jar_back(
        behind in behind(),
        rhythm in 50..G / 2,
        busy in G..5 * G,
        early in 1..40_u64,
    ) {
        let mut world = World::new(0, behind);
        let send = |fate| Act::Send(Kind::Refresh, fate);
        let mut script = vec![
            Step { after_ms: 0, act: send(Fate { answer_lost: true, ..SMOOTH }) },
            Step { after_ms: G - early, act: send(Fate { answer: 1000, ..SMOOTH }) },
            // The answer to the second arrives G later: this one leaves just before.
            Step { after_ms: G - 1, act: send(Fate { request: 1000, answer: 1000, ..SMOOTH }) },
            Step { after_ms: 3, act: send(SMOOTH) },
        ];
        script.extend((0..busy / rhythm).map(|_| Step { after_ms: rhythm, act: send(SMOOTH) }));
        script.push(Step { after_ms: 3 * G, act: send(SMOOTH) });
        world.play(0, &script);
        for seen in &world.seen {
            prop_assert!(matches!(seen.answer, Answer::Rotation { .. }), "{:#?}", world.seen);
        }
    }

    /// P1 where only the answers are unreliable: nine lost in a row, at any distance, are survived.
    #[test]
    fn p1_nine_lost_answers_in_a_row_are_survived(
        pauses in proptest::collection::vec(prop_oneof![0..4 * G, Just(3 * G), Just(3 * G + 1), 0..100 * G], 9),
        behind in behind(),
    ) {
        let mut world = World::new(0, behind);
        let first = world.smooth(0, Kind::Refresh);
        prop_assert!(matches!(first, Answer::Rotation { .. }), "{first:?}");
        world.wait(5 * G);
        for after_ms in pauses {
            let lost = Fate { answer_lost: true, ..SMOOTH };
            world.play(0, &[Step { after_ms, act: Act::Send(Kind::Refresh, lost) }]);
            prop_assert!(matches!(world.last().answer, Answer::Rotation { .. }), "{:#?}", world.seen);
        }
        let last = world.smooth(0, Kind::Refresh);
        prop_assert!(matches!(last, Answer::Rotation { arrives: true, .. }), "{last:?}");
        prop_assert_eq!(world.jars[0].refresh, world.store.record().current);
    }

    /// A failover to a replica that lacks some rotations is healed.
    #[test]
    fn p1_a_store_that_went_back_in_time_is_healed(
        rotations in 1_u64..8,
        behind in behind(),
        pauses in proptest::collection::vec(5 * G..20 * G, 8),
        writes in 1_usize..8,
    ) {
        let mut world = World::new(0, behind);
        for pause in pauses.iter().take(usize::try_from(rotations).unwrap()) {
            world.smooth(0, Kind::Refresh);
            world.wait(*pause);
        }
        world.store.fail_over(writes);
        for _ in 0..3 {
            let answer = world.smooth(0, Kind::Refresh);
            prop_assert!(matches!(answer, Answer::Rotation { .. }), "{answer:?}");
            prop_assert_eq!(world.jars[0].refresh, world.store.record().current);
            world.wait(5 * G);
        }
    }
}

/// D02: 200 requests with one token, all within a grace, make one step.
#[test]
fn d02_two_hundred_parallel_refreshes_make_one_step() {
    let mut world = World::new(0, PROMPT);
    let at_once: Vec<Step> = (0..200_u64)
        .map(|n| {
            let fate = Fate { commit_ms: n % 7, node: usize::try_from(n % 2).unwrap(), ..SMOOTH };
            Step { after_ms: 0, act: Act::Send(Kind::Refresh, fate) }
        })
        .collect();
    world.play(0, &at_once);
    assert_eq!(world.seen.len(), 200);
    let next = countersign_core::domain::id::Generation::FIRST.next();
    assert!(
        world
            .seen
            .iter()
            .all(|s| matches!(s.answer, Answer::Rotation { refresh, .. } if refresh == Some(next)))
    );
    assert_eq!(world.store.record().current, next);
}

/// The simulation can fail: a tab that comes back with a spent token more than a grace after its successor was used is theft.
#[test]
fn the_simulation_sees_reuse() {
    let mut world = World::new(0, PROMPT);
    let restored = world.steal(0);
    world.smooth(0, Kind::Refresh);
    world.smooth(0, Kind::Page);
    world.wait(G + 100);
    assert_eq!(world.smooth(restored, Kind::Refresh), Answer::Theft);
    assert_eq!(world.smooth(0, Kind::Page), Answer::Refused);
}
