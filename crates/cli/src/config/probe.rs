//! Looks at the files that a configuration names, before anything is started with them.

mod certificate;
mod master_key;

use super::finding::{Finding, Findings};
use super::{Mail, Settings, StoreLocation, Transport, shared_secret, show};
use std::fs::File;
use std::path::Path;

/// Opens each file that the settings name. An unreadable one stops the start in any environment.
pub(crate) fn probe(settings: &Settings) -> Vec<Finding> {
    let mut found = Findings::default();
    if let Transport::Files { cert_file, key_file } = &settings.tls.transport {
        let certificate_is = readable("tls.cert_file", cert_file, "the certificate chain in PEM", &mut found);
        if readable("tls.key_file", key_file, "the private key in PEM", &mut found)
            && private_mode("tls.key_file", key_file, &mut found)
            && certificate_is
        {
            certificate::probe(cert_file, key_file, settings, &mut found);
        }
    }
    if let Some(list) = &settings.passwords.blocklist_file {
        readable("passwords.blocklist_file", list, "a list of passwords, one a line", &mut found);
    }
    if let StoreLocation::Sqlite(path) = &settings.store {
        // Whoever may write it makes themselves anybody; SQLite gives its other files the same mode.
        for end in ["", "-wal", "-shm"] {
            let mut file = path.clone().into_os_string();
            file.push(end);
            private_mode("store", Path::new(&file), &mut found);
        }
    }
    master_key::probe(settings.keys.master_key_file.as_deref(), &mut found);
    if let Some(forward_auth) = &settings.forward_auth {
        let (key, path) = ("forward_auth.secret_file", &forward_auth.secret_file);
        if readable(key, path, "the shared secret", &mut found)
            && private_mode(key, path, &mut found)
            && let Err(fault) = shared_secret(path)
        {
            let remedy = "write one with `openssl rand -hex 32`, and give the same to the proxy";
            found.refuse(key, quoted(path), &fault.to_string(), remedy);
        }
    }
    if let Some(Mail::Directory { path, .. }) = &settings.mail
        && path.exists()
        && !path.is_dir()
    {
        let value = quoted(path);
        found.refuse(
            "mail.directory",
            value,
            "this is not a directory",
            "name a directory, or a path to create one at",
        );
    }
    found.into_vec()
}

fn readable(key: &str, path: &Path, what: &str, found: &mut Findings) -> bool {
    let fault = match File::open(path).and_then(|file| file.metadata()) {
        Ok(metadata) if metadata.is_file() => return true,
        Ok(_) => "it is not a regular file".to_owned(),
        Err(error) => error.to_string(),
    };
    let remedy = format!("name a file with {what}, readable by the user that runs countersign");
    found.refuse(key, quoted(path), &format!("the file cannot be read: {fault}"), &remedy);
    false
}

/// Whether a secret is out of reach of every user of the machine.
#[cfg(unix)]
fn private_mode(key: &str, path: &Path, found: &mut Findings) -> bool {
    use std::os::unix::fs::PermissionsExt;
    let Ok(metadata) = path.metadata() else { return false };
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o007 != 0 {
        let message = format!("every user of this machine may touch this file (mode {mode:03o})");
        found.harden(key, quoted(path), &message, "chmod 600 it");
    } else if mode & 0o070 != 0 {
        let message = format!("a group may touch this file (mode {mode:03o})");
        found.warn(key, quoted(path), &message, "chmod 600 it, unless the group is meant");
    }
    mode & 0o007 == 0
}

#[cfg(not(unix))]
fn private_mode(_: &str, _: &Path, _: &mut Findings) -> bool {
    true
}

fn quoted(path: &Path) -> String {
    show::quoted(&path.display().to_string())
}
