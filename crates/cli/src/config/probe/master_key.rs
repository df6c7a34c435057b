//! The master secrets, read as the start will read them: a secret that others can read, or that can be guessed (A17), is none.

use super::super::finding::Findings;
use super::quoted;
use countersign_adapters::files::ReadError;
use countersign_adapters::files::master_key::{self, MasterKeyError, VARIABLE};
use std::path::Path;

/// The variable goes before the file; a file that is not there yet will be made.
pub(super) fn probe(file: Option<&Path>, found: &mut Findings) {
    let key = "keys.master_key_file";
    if let Some(value) = std::env::var_os(VARIABLE) {
        // The value itself is never quoted.
        let value = value.to_string_lossy();
        if let Err(error) = master_key::parse(&value, VARIABLE) {
            found.refuse(key, VARIABLE, &error.to_string(), remedy(&error));
        }
    } else if let Some(path) = file.filter(|path| path.exists())
        && let Err(error) = master_key::load(path)
    {
        found.refuse(key, quoted(path), &error.to_string(), remedy(&error));
    }
}

fn remedy(error: &MasterKeyError) -> &'static str {
    match error {
        MasterKeyError::Read(ReadError::Exposed { .. }) => {
            "chmod 600 it, and rotate if somebody may have read it"
        }
        MasterKeyError::Weak { .. } => {
            "take a secret that a generator made; if sessions were opened with this one, put the new one before it and run `countersign \
             master-key reseal`"
        }
        MasterKeyError::Read(_)
        | MasterKeyError::Create(_)
        | MasterKeyError::Exists(_)
        | MasterKeyError::Malformed { .. }
        | MasterKeyError::Unchanged { .. }
        | MasterKeyError::Empty { .. } => "put it back from its backup",
    }
}
