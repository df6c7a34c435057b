//! C02, C03, C09: CSRF tokens as values.

#![expect(clippy::expect_used, reason = "all of this is test code: stopping is how it fails")]

use countersign_core::domain::csrf::{Binding, PreSession, matches, token};
use countersign_core::domain::environment::Environment;
use countersign_core::domain::id::{KeyId, Sid};
use countersign_core::domain::key::Keyring;
use countersign_core::domain::secret::SecretArray;
use proptest::prelude::{any, prop_assert, proptest};

fn ring(environment: &str, ids: &[u8]) -> Keyring {
    let secret =
        |id: u8| SecretArray::new(std::array::from_fn(|n| id.wrapping_add(u8::try_from(n).expect("small"))));
    let environment = Environment::parse(environment).expect("a label");
    Keyring::new(environment, ids.iter().map(|id| (KeyId(*id), secret(*id)))).expect("a key ring")
}

proptest! {
    /// C02: good for its session alone; one changed character, and it is not good at all. C03: a second one is as good.
    #[test]
    fn c02_c03_bound_and_unforgeable(
        sid in any::<[u8; 16]>(),
        other in any::<[u8; 16]>(),
        randoms in any::<[[u8; 16]; 2]>(),
        at in 0..64_usize,
        with in "[A-Za-z0-9_-]",
    ) {
        let ring = ring("production", &[1]);
        let binding = Binding::Session(Sid::from_bytes(sid));
        for random in randoms {
            let good = token(&ring, binding, random).expect("a token");
            let good = good.expose();
            prop_assert!(good.len() == 64 && matches(&ring, binding, good));
            if sid != other {
                prop_assert!(!matches(&ring, Binding::Session(Sid::from_bytes(other)), good));
            }
            let mut forged = good.to_owned();
            forged.replace_range(at..=at, &with);
            prop_assert!(forged == good || !matches(&ring, binding, &forged), "{forged}");
        }
        // A pair made of two good tokens is none (a forged pair, C02).
        let [one, two] = randoms.map(|random| token(&ring, binding, random).expect("a token"));
        let (one, two) = (one.expose(), two.expose());
        if randoms[0] != randoms[1] {
            let mixed = format!("{}{}", one.get(..21).expect("ASCII"), two.get(21..).expect("ASCII"));
            prop_assert!(mixed == one || mixed == two || !matches(&ring, binding, &mixed));
        }
    }

    #[test]
    fn c02_noise_is_refused(noise in any::<String>(), sid in any::<[u8; 16]>()) {
        prop_assert!(!matches(&ring("production", &[1]), Binding::Session(Sid::from_bytes(sid)), &noise));
    }

    /// C09: before and after login are two worlds, also where the bytes agree; so are two environments (A13).
    #[test]
    fn c09_a13_worlds_apart(bytes in any::<[u8; 16]>(), random in any::<[u8; 16]>()) {
        let (ring, staging) = (ring("production", &[1]), ring("staging", &[1]));
        let pre = PreSession::from_random(bytes);
        let (before, after) = (Binding::PreSession(&pre), Binding::Session(Sid::from_bytes(bytes)));
        for (ours, theirs) in [(before, after), (after, before)] {
            let good = token(&ring, ours, random).expect("a token");
            prop_assert!(matches(&ring, ours, good.expose()));
            prop_assert!(!matches(&ring, theirs, good.expose()));
            prop_assert!(!matches(&staging, ours, good.expose()));
        }
    }
}

/// A page that was open while the master secret rotated still posts.
#[test]
fn tokens_survive_the_rotation_of_the_master_secret() {
    let sid = Binding::Session(Sid::from_bytes([4; 16]));
    let good = token(&ring("production", &[1]), sid, [5; 16]).expect("a token");
    assert!(matches(&ring("production", &[2, 1]), sid, good.expose()));
    assert!(!matches(&ring("production", &[2]), sid, good.expose()));
}
