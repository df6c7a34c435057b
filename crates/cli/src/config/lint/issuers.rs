//! Whose tokens are accepted beside ours (A04, H09).

use crate::config::Settings;
use crate::config::finding::Findings;
use crate::config::show;
use countersign_adapters::issuers::Source;

pub(super) fn lint(settings: &Settings, found: &mut Findings) {
    for issuer in &settings.issuers {
        let Source::Url(url) = &issuer.keys else { continue };
        if url.is_plain() && settings.environment.is_hardened() {
            let message = "whatever takes that port on this machine decides who this issuer's users are";
            let remedy = "fetch the keys over https, or name a file of them as jwks_file";
            found.warn(
                &format!("issuer[{}].jwks_url", issuer.issuer),
                show::quoted(&url.to_string()),
                message,
                remedy,
            );
        }
    }
}
