//! Commands about signing keys and master secrets.

use clap::Subcommand;

/// `signing-key …`
#[derive(Debug, Subcommand)]
pub(crate) enum SigningKeyCommand {
    /// List keys with their states and times
    List,
    /// Let the next key sign if everybody knows it; where there is none, publish one, which signs after keys.prepublish
    Rotate {
        /// Sign with it at once; verifiers that cached the old list refuse its tokens until they fetch a new one
        #[arg(long, visible_alias = "now")]
        force: bool,
    },
    /// Accept nothing more that a key signed, at once: for a key that leaked. Nobody is logged out
    Retire {
        /// Id as the list shows it; one that begins with - is taken too
        #[arg(allow_hyphen_values = true)]
        kid: String,
    },
}

/// `master-key …`
#[derive(Clone, Copy, Debug, Subcommand)]
pub(crate) enum MasterKeyCommand {
    /// List master secrets by id, with the sessions and sealed values that need them
    List,
    /// Add a new one to master.key, open sessions with it, and seal everything under it; nobody is logged out
    Rotate,
    /// Read master.key again, and seal everything under its first secret; also ends what a rotation left half done
    Reseal,
    /// Remove one that no session and no sealed value needs any more
    Remove {
        /// Its id, from 0 to 255
        id: u8,
    },
}
