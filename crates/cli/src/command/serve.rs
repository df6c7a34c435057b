//! `serve`: the gateway that the configuration describes.

use super::{Verdict, settings};
use crate::args::Global;
use crate::output::{Screen, Tone};
use crate::run::{self, Ready};

pub(super) fn serve(global: &Global, screen: Screen) -> anyhow::Result<Verdict> {
    let (settings, findings) = settings::configured(global)?.start()?;
    let _log = run::log_for_server(&settings)?;
    let announce = |ready: &Ready| {
        if screen.json {
            return screen.document(ready);
        }
        if let Some(path) = &ready.master_key_created {
            let path = path.display();
            let first = screen.paint.text(Tone::Warn, "Back this up:");
            screen.line(&format!(
                "{first} {path} was made. Without it no session and no signing key of the store can be used again."
            ))?;
        }
        Ok(())
    };
    run::serve(run::server_runtime()?, &settings, &findings, announce)?;
    Ok(Verdict::Fine)
}
