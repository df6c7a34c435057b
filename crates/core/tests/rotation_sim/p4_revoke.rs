//! P4: nothing is minted after revoke returned, wherever it falls between a rotation's read and its compare-and-set.

use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

use crate::script::{Act, Kind, Step, behind, skew, step};
use crate::world::{Answer, World};

proptest! {
    /// P4, D04: two holders' requests in flight around a revocation.
    #[test]
    fn p4_nothing_is_minted_after_revoke(
        skew_ms in skew(),
        behind in behind(),
        before in proptest::collection::vec(step(), 0..8),
        around in proptest::collection::vec(step(), 1..20),
        revoke_after in 0..200_u64,
    ) {
        let mut world = World::new(skew_ms, behind);
        world.play(0, &before);
        let already = world.seen.len();
        let mut script: Vec<Step> = around;
        script.insert(script.len() / 2, Step { after_ms: revoke_after, act: Act::Revoke });
        world.play(0, &script);
        let revoked_at = world.revoked_at.expect("revoked");
        let minted = |answer: Answer| matches!(answer, Answer::Access | Answer::Rotation { .. });
        for seen in world.seen.iter().skip(already).filter(|s| s.order > revoked_at) {
            prop_assert!(!minted(seen.answer), "{seen:?} after revoke returned");
        }
        let record = world.store.record().clone();
        world.wait(1_000);
        prop_assert_eq!(world.smooth(0, Kind::Refresh), Answer::Refused);
        prop_assert_eq!(world.smooth(0, Kind::Page), Answer::Refused);
        prop_assert_eq!(&record, world.store.record());
    }
}
