//! P2: two holders who do not act within a few G of each other cannot both go on.

use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::test_runner::Config;

use crate::script::{ACCESS, Act, G, Kind, SMOOTH, Step, behind, skew, step};
use crate::world::{Answer, World};

const HONEST: usize = 0;
/// "A few G": beyond the window in which a lost answer is replayed, whichever clock measures it.
const APART: u64 = 3 * G + G / 4 + 1_100;

/// What one holder does before the other acts again; it always ends in a refresh that arrives.
fn turn() -> impl Strategy<Value = (u64, Vec<Step>)> {
    let gap = prop_oneof![4 => APART..6 * G, 2 => APART..30 * G, 1 => APART..3 * ACCESS];
    (gap, proptest::collection::vec(step(), 0..4)).prop_map(|(gap, mut steps)| {
        steps.push(Step { after_ms: 0, act: Act::Send(Kind::Refresh, SMOOTH) });
        (gap, steps)
    })
}

/// A session with a past, whose jar was just copied. Returns the thief.
fn stolen(world: &mut World, past: &[Step]) -> usize {
    world.play(HONEST, past);
    world.steal(HONEST)
}

fn ended_by_theft(world: &World) -> bool {
    world.store.ended() && world.seen.iter().any(|s| s.answer == Answer::Theft)
}

proptest! {
    #![proptest_config(Config { cases: 4 * Config::default().cases, ..Config::default() })]

    /// P2, D01: a thief who takes turns with the honest client, in either order, whatever the past, the restarts and the losses:
    /// whoever would be on for the fourth turn finds the session over.
    #[test]
    fn p2_taking_turns_is_found(
        skew_ms in skew(),
        behind in behind(),
        past in proptest::collection::vec(step(), 0..12),
        thief_first in any::<bool>(),
        turns in proptest::collection::vec(turn(), 4),
    ) {
        let mut world = World::new(skew_ms, behind);
        let thief = stolen(&mut world, &past);
        for (n, (gap, steps)) in turns.iter().enumerate() {
            world.wait(*gap);
            let holder = if (n % 2 == 0) == thief_first { thief } else { HONEST };
            world.play(holder, steps);
        }
        prop_assert!(ended_by_theft(&world), "{:#?}", world.seen);
    }

    /// P2, D05: a thief who rotates ahead in silence. The honest client's return or else the thief's own ends the session, and
    /// the trap takes access tokens too.
    #[test]
    fn p2_rotating_ahead_in_silence_is_found(
        skew_ms in skew(),
        behind in behind(),
        past in proptest::collection::vec(step(), 0..12),
        ahead in proptest::collection::vec(6 * G..40 * G, 1..4),
        honest_after in prop_oneof![APART..ACCESS / 3, APART..4 * ACCESS],
        thief_after in prop_oneof![Just(0), 0..G, 0..ACCESS / 3, 0..4 * ACCESS],
        comes_back_with in prop_oneof![Just(Kind::Page), Just(Kind::Refresh)],
        restart in any::<bool>(),
    ) {
        let mut world = World::new(skew_ms, behind);
        let thief = stolen(&mut world, &past);
        for pause in ahead {
            world.wait(pause);
            world.smooth(thief, Kind::Refresh);
        }
        if restart {
            world.play(thief, &[Step { after_ms: 0, act: Act::Restart(0) }]);
        }
        world.wait(honest_after);
        if world.smooth(HONEST, Kind::Refresh) != Answer::Theft {
            world.wait(thief_after);
            prop_assert_eq!(world.smooth(thief, comes_back_with), Answer::Theft, "{:#?}", world.seen);
        }
        prop_assert_eq!(world.smooth(HONEST, Kind::Page), Answer::Refused);
        prop_assert_eq!(world.smooth(thief, Kind::Page), Answer::Refused);
    }

    /// P2: the same with the roles turned: the honest client rotates and is silent, the thief returns.
    #[test]
    fn p2_a_thief_behind_a_silent_client_is_found(
        behind in behind(),
        thief_after in APART..4 * ACCESS,
        honest_after in 0..4 * ACCESS,
        comes_back_with in prop_oneof![Just(Kind::Page), Just(Kind::Refresh)],
    ) {
        let mut world = World::new(0, behind);
        let thief = stolen(&mut world, &[]);
        world.smooth(HONEST, Kind::Refresh);
        world.wait(thief_after);
        world.smooth(thief, Kind::Refresh);
        world.wait(honest_after);
        prop_assert_eq!(world.smooth(HONEST, comes_back_with), Answer::Theft, "{:#?}", world.seen);
    }

    /// P2: a thief who polls with a spent token while the honest client sleeps runs out of lost answers.
    #[test]
    fn p2_polling_with_a_spent_token_runs_out(
        skew_ms in skew(),
        behind in behind(),
        period in prop_oneof![500..2 * G, 500..6 * G],
    ) {
        let mut world = World::new(skew_ms, behind);
        let thief = stolen(&mut world, &[]);
        let spent = world.jars[thief];
        world.smooth(HONEST, Kind::Refresh);
        let start = world.now;
        let bound = 11 * (G + period + 1_100) + skew_ms;
        while !world.store.ended() && world.now.since(start).as_millis() <= u128::from(bound) {
            world.wait(period);
            world.jars[thief] = spent;
            world.smooth(thief, Kind::Refresh);
        }
        prop_assert!(ended_by_theft(&world), "still served after {bound} ms");
    }

    /// P2: the same while the honest client works: it is found a grace after the successor is first seen in use.
    #[test]
    fn p2_polling_beside_a_working_client_is_found(
        behind in behind(),
        period in 500..3 * G,
        rhythm in 1_000..4 * G,
    ) {
        let mut world = World::new(0, behind);
        let thief = stolen(&mut world, &[]);
        let spent = world.jars[thief];
        world.smooth(HONEST, Kind::Refresh);
        let start = world.now;
        let bound = rhythm + G + period + 3_000;
        let (mut page, mut poll) = (rhythm, period);
        while !world.store.ended() && world.now.since(start).as_millis() <= u128::from(bound) {
            let pause = page.min(poll);
            world.wait(pause);
            (page, poll) = (page - pause, poll - pause);
            if page == 0 {
                world.smooth(HONEST, Kind::Page);
                page = rhythm;
            }
            if poll == 0 {
                world.jars[thief] = spent;
                world.smooth(thief, Kind::Refresh);
                poll = period;
            }
        }
        prop_assert!(ended_by_theft(&world), "still served after {bound} ms: {:#?}", world.seen);
    }
}
