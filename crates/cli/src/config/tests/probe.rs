//! The files that a configuration names.

use super::{HARDENED, readable};
use crate::config::{Level, probe};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

/// 32 bytes from a generator.
const RANDOM: &str = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8";

/// A directory of this test alone, removed with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("countersign-probe-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, mode: u32) -> String {
        self.write(name, "x", mode)
    }

    /// Paths of a certificate for these names, and of its key.
    fn pair(&self, names: &[&str], mode: u32) -> (String, String) {
        let key = rcgen::KeyPair::generate().unwrap();
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let certificate = rcgen::CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
        let name = format!("key-{mode:o}.pem");
        (self.write("cert.pem", &certificate.pem(), 0o644), self.write(&name, &key.serialize_pem(), mode))
    }

    fn write(&self, name: &str, text: &str, mode: u32) -> String {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path.display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn probed(values: &[(&str, &str)]) -> Vec<(String, Level, bool)> {
    let found = probe(readable(HARDENED, values).inspect());
    found.into_iter().map(|finding| (finding.key, finding.level, finding.everywhere)).collect()
}

#[test]
fn unreadable_files_stop_every_start() {
    let folder = Folder::new("unreadable");
    let (cert, key) = folder.pair(&["app.example.com"], 0o600);
    let store = format!("sqlite:{}/c.db", folder.0.display());
    let good = [("tls.cert_file", cert.as_str()), ("tls.key_file", key.as_str()), ("store", store.as_str())];
    assert_eq!(probed(&good), []);
    let absent = folder.0.join("absent").display().to_string();
    let directory = folder.0.display().to_string();
    for (name, value) in [
        ("tls.cert_file", &absent),
        ("tls.key_file", &absent),
        ("tls.key_file", &directory),
        ("passwords.blocklist_file", &absent),
    ] {
        let found = probed(&[good[0], good[1], good[2], (name, value)]);
        assert_eq!(found, [(name.to_owned(), Level::Unsafe, true)], "{name} = {value}");
    }
    let mail = [("mail.directory", cert.as_str()), ("mail.from", "a@example.com")];
    let found = probed(&[good[0], good[1], good[2], mail[0], mail[1]]);
    assert_eq!(found, [("mail.directory".to_owned(), Level::Unsafe, true)]);
}

/// A secret that others on the machine can read is no secret.
#[test]
fn keys_must_be_private() {
    let folder = Folder::new("private");
    // The start refuses a master secret that anybody else can touch, wherever it is.
    let refused = Some((Level::Unsafe, true));
    for (mode, of_tls, of_master) in [
        (0o600, None, None),
        (0o400, None, None),
        (0o640, Some((Level::Warning, false)), refused),
        (0o604, Some((Level::Unsafe, false)), refused),
        (0o666, Some((Level::Unsafe, false)), refused),
    ] {
        let (cert, key) = folder.pair(&["*.example.com"], mode);
        let master = folder.write(&format!("master-{mode:o}.key"), &format!("0:{RANDOM}"), mode);
        let found =
            probed(&[("tls.cert_file", &cert), ("tls.key_file", &key), ("keys.master_key_file", &master)]);
        let expected: Vec<_> = [("tls.key_file", of_tls), ("keys.master_key_file", of_master)]
            .into_iter()
            .filter_map(|(key, said)| said.map(|(level, everywhere)| (key.to_owned(), level, everywhere)))
            .collect();
        assert_eq!(found, expected, "mode {mode:o}");
    }
}

/// A17: `check` says what the start would refuse.
#[test]
fn a17_a_master_secret_must_be_one() {
    let folder = Folder::new("master");
    let (cert, key) = folder.pair(&["app.example.com"], 0o600);
    let phrase = "636f727265637420686f727365206261747465727920737461706c6520313233";
    for (name, text) in [
        ("weak", format!("0:{}", "00".repeat(32))),
        ("phrase", format!("0:{RANDOM}\n1:{phrase}")),
        ("short", format!("0:{}", "ab".repeat(16))),
        ("junk", "x".into()),
        ("empty", String::new()),
    ] {
        let master = folder.write(name, &text, 0o600);
        let found =
            probed(&[("tls.cert_file", &cert), ("tls.key_file", &key), ("keys.master_key_file", &master)]);
        assert_eq!(found, [("keys.master_key_file".to_owned(), Level::Unsafe, true)], "{name}");
    }
}

/// What the listener would refuse at start is found before.
#[test]
fn a_pair_that_cannot_be_served_stops_every_start() {
    let folder = Folder::new("pair");
    let (cert, key) = folder.pair(&["app.example.com"], 0o600);
    let other = Folder::new("other-pair");
    let (foreign, _) = other.pair(&["app.example.com"], 0o600);
    let junk = folder.file("junk.pem", 0o600);
    for (cert, key, about) in [
        (&junk, &key, "tls.cert_file"),
        (&cert, &junk, "tls.key_file"),
        (&foreign, &key, "tls.key_file"),
        (&key, &key, "tls.cert_file"),
    ] {
        let found = probed(&[("tls.cert_file", cert), ("tls.key_file", key)]);
        assert_eq!(found, [(about.to_owned(), Level::Unsafe, true)], "{cert} {key}");
    }
}

#[test]
fn a_certificate_for_another_host_is_a_warning() {
    let folder = Folder::new("names");
    let about = |names: &[&str]| {
        let (cert, key) = folder.pair(names, 0o600);
        probed(&[("tls.cert_file", &cert), ("tls.key_file", &key)])
    };
    assert_eq!(about(&["www.example.com", "app.example.com"]), []);
    assert_eq!(about(&["*.example.com"]), []);
    let warned = [("tls.cert_file".to_owned(), Level::Warning, false)];
    assert_eq!(about(&["www.example.com"]), warned);
    assert_eq!(about(&["*.app.example.com"]), warned);
}

/// `check` refuses what the start would refuse: no secret in the file, or one that everybody may read.
#[test]
fn shared_secrets_are_looked_at() {
    let folder = Folder::new("shared");
    let (cert, key) = folder.pair(&["app.example.com"], 0o600);
    let store = format!("sqlite:{}/c.db", folder.0.display());
    let found = |file: &str| {
        let values = [
            ("tls.cert_file", cert.as_str()),
            ("tls.key_file", &key),
            ("store", &store),
            ("listen.trusted_proxies", "127.0.0.1"),
            ("forward_auth.proxy", "nginx"),
            ("forward_auth.secret_file", file),
        ];
        probed(&values)
    };
    let secret = "0123456789abcdef0123456789abcdef\n";
    assert_eq!(found(&folder.write("good", secret, 0o600)), []);
    let named = |level, everywhere| vec![("forward_auth.secret_file".to_owned(), level, everywhere)];
    assert_eq!(found(&folder.write("short", "hunter2", 0o600)), named(Level::Unsafe, true));
    assert_eq!(found(&folder.0.join("absent").display().to_string()), named(Level::Unsafe, true));
    assert_eq!(found(&folder.write("open", secret, 0o644)), named(Level::Unsafe, false));
    assert_eq!(found(&folder.write("group", secret, 0o640)), named(Level::Warning, false));
}
