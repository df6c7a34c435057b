//! P3: a generation has exactly one refresh token, through the real derivation.

use std::collections::BTreeMap;

use countersign_core::domain::environment::Environment;
use countersign_core::domain::id::{Generation, KeyId, Sid};
use countersign_core::domain::key::Keyring;
use countersign_core::domain::secret::SecretArray;
use countersign_core::domain::token::refresh::{RefreshToken, derive};
use proptest::prelude::{any, prop_assert, prop_assert_eq, prop_assert_ne, proptest};

use crate::script::{behind, skew, step};
use crate::world::{Answer, World};

/// What a node makes of its configuration: nothing but master secret and environment.
fn keyring(environment: &str) -> Keyring {
    let secret: [u8; 32] = std::array::from_fn(|n| u8::try_from(n).unwrap());
    let environment = Environment::parse(environment).expect("a label");
    Keyring::new(environment, [(KeyId(7), SecretArray::new(secret))]).expect("a key ring")
}

proptest! {
    /// P3, D05: whatever is lost, repeated or raced over, by whichever node: all answers that hand a generation over hand over the
    /// same string, and two generations never share one.
    #[test]
    fn p3_a_generation_has_one_token(
        skew_ms in skew(),
        behind in behind(),
        script in proptest::collection::vec(step(), 1..40),
        sid in any::<[u8; 16]>(),
        salt in any::<[u8; 16]>(),
    ) {
        let sid = Sid::from_bytes(sid);
        let mut world = World::new(skew_ms, behind);
        world.play(0, &script);
        let mut strings = BTreeMap::new();
        for seen in &world.seen {
            let Answer::Rotation { refresh: Some(generation), .. } = seen.answer else { continue };
            // Each answer from a node of its own, which shares nothing with the others but the configuration.
            let node = keyring("production");
            let token = derive(&node, KeyId(7), sid, &salt, generation).expect("known master secret");
            let parsed = RefreshToken::parse(token.expose(), node.environment()).expect("well-formed");
            prop_assert_eq!(parsed.sid(), sid);
            prop_assert_eq!(parsed.authenticate(&node, KeyId(7), &salt), Some(generation));
            if let Some(other) = strings.insert(token.expose().to_owned(), generation) {
                prop_assert_eq!(other, generation, "two generations share a token");
            }
        }
        let generations: std::collections::BTreeSet<Generation> = strings.values().copied().collect();
        prop_assert_eq!(generations.len(), strings.len(), "a generation has two tokens");
    }

    /// P3: the string depends on every input, so that no other session's, salt's or environment's token is the same.
    #[test]
    fn p3_no_two_sessions_share_a_token(
        sids in any::<[[u8; 16]; 2]>(),
        salts in any::<[[u8; 16]; 2]>(),
        generation in 1..u32::MAX,
    ) {
        let (production, staging) = (keyring("production"), keyring("staging"));
        let make = |ring: &Keyring, sid: usize, salt: usize| {
            let token = derive(ring, KeyId(7), Sid::from_bytes(sids[sid]), &salts[salt], Generation(generation));
            token.expect("known master secret").expose().to_owned()
        };
        let token = make(&production, 0, 0);
        if sids[0] != sids[1] {
            prop_assert_ne!(&token, &make(&production, 1, 0));
        }
        if salts[0] != salts[1] {
            prop_assert_ne!(&token, &make(&production, 0, 1));
        }
        // Not only another prefix: the bytes differ too (A13).
        let digits = |text: &str| text.rsplit('_').next().map(str::to_owned);
        prop_assert_ne!(digits(&token), digits(&make(&staging, 0, 0)));
        prop_assert!(derive(&production, KeyId(8), Sid::from_bytes(sids[0]), &salts[0], Generation(1)).is_none());
    }
}
