//! Every committed seed of the fuzzing, breakages that were found among them, on stable.
#![expect(clippy::unwrap_used, reason = "test code: a panic is a failed test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use countersign_fuzzed::TARGETS;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

fn names(directory: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(directory).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// A target without seeds, or seeds without a target, would test nothing and say so to nobody.
#[test]
fn targets_programs_and_seeds_are_the_same() {
    let targets: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let programs: BTreeSet<String> = targets.iter().map(|name| format!("{name}.rs")).collect();
    assert_eq!(names(&fuzz().join("seeds")), targets);
    assert_eq!(names(&fuzz().join("fuzz_targets")), programs);
}

/// A05, A06, A15, A18, B04, B05, B09, G01, K03, K04, K07, K08: what must hold, holds for every seed.
#[test]
fn every_seed_holds() {
    for (name, target) in TARGETS {
        let folder = fuzz().join("seeds").join(name);
        let seeds = names(&folder);
        assert!(seeds.len() >= 3, "{name} has {} seeds", seeds.len());
        for seed in seeds {
            println!("{name}/{seed}");
            target(&fs::read(folder.join(seed)).unwrap());
        }
    }
}

/// No input at all, and bytes that are no text, for every target.
#[test]
fn emptiness_and_noise_hold() {
    let every: Vec<u8> = (0..=255).collect();
    for (_, target) in TARGETS {
        target(&[]);
        target(&every);
    }
}
