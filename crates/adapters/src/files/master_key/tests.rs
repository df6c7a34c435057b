//! Reading, creating and changing the file.

use super::*;
use crate::entropy::SystemEntropy;
use std::os::unix::fs::PermissionsExt;

const A: &str = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8";
const B: &str = "2BB80D537B1DA3E38BD30361AA855686BDE0EACD7162FEF6A25FE97BF527A25B";

fn ids(secrets: &MasterSecrets) -> Vec<u8> {
    secrets.iter().map(|(id, _)| id.0).collect()
}

#[test]
fn first_is_current_and_comments_are_skipped() {
    let text = format!("# head\n\n 7:{A}  # new\n0:{B}\n");
    let secrets = parse(&text, "master.key").unwrap();
    assert_eq!(ids(&secrets), [7, 0]);
    assert_eq!(secrets[0].1.expose()[..2], [0x5e, 0x88]);
    assert_eq!(secrets[1].1.expose()[..2], [0x2b, 0xb8]);
    assert_eq!(ids(&parse(&format!("1:{A},0:{B}"), "variable").unwrap()), [1, 0]);
}

/// I01: messages name place and remedy, and never hold a digit of the secret.
#[test]
fn i01_errors_say_where_and_show_nothing() {
    let (short, start_a, start_b) = (A.get(..63).unwrap(), A.get(..6).unwrap(), B.get(..6).unwrap());
    for bad in [
        A.to_owned(),
        format!("256:{A}"),
        format!("x:{A}"),
        format!("-1:{A}"),
        format!("0:{A}00"),
        format!("0:{short}z"),
        format!("0:{short}"),
        format!("0:{A}\n1:{B}\n0:{B}"),
    ] {
        let error = parse(&bad, "the-origin").unwrap_err();
        assert!(matches!(error, MasterKeyError::Malformed { .. }), "{error}");
        let message = format!("{error} {error:?}");
        assert!(message.contains("the-origin"), "{message}");
        assert!(!message.contains(start_a) && !message.contains(start_b), "{message}");
    }
    assert!(matches!(parse("# nothing\n", "o"), Err(MasterKeyError::Empty { .. })));
    let third = parse(&format!("0:{A}\n1:{B}\nbad"), "o").unwrap_err();
    assert!(third.to_string().contains("line 3"), "{third}");
}

#[test]
fn a_file_is_created_once_and_read_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("master.key");
    assert!(matches!(load(&path), Err(MasterKeyError::Read(ReadError::Missing { .. }))));
    let (made, created) = load_or_create(&path, &SystemEntropy).unwrap();
    assert!(created);
    let (read, created) = load_or_create(&path, &SystemEntropy).unwrap();
    assert!(!created);
    assert_eq!(ids(&read), [0]);
    assert_eq!(made[0].1.expose(), read[0].1.expose());
    assert!(matches!(create(&path, &SystemEntropy), Err(MasterKeyError::Exists(_))));
    assert_eq!(load(&path).unwrap()[0].1.expose(), made[0].1.expose());
}

#[test]
fn an_exposed_file_is_refused_with_the_remedy() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("master.key");
    create(&path, &SystemEntropy).unwrap();
    for mode in [0o640, 0o604, 0o644, 0o620] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let message = load(&path).unwrap_err().to_string();
        assert!(message.contains(&format!("chmod 600 {}", path.display())), "{message}");
    }
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(&path, [0xff, 0xfe]).unwrap();
    assert!(load(&path).unwrap_err().to_string().contains("not text"));
}
/// A17: what can be guessed stops the start, whoever wrote it.
#[test]
fn a17_guessable_secrets_are_refused() {
    let phrase = HEXLOWER.encode(b"correct horse battery staple 123");
    let example = (0..32u8).map(|byte| format!("{byte:02x}")).collect::<String>();
    for digits in ["00".repeat(32), "0123456789abcdef".repeat(4), phrase, example] {
        let error = parse(&format!("4:{digits}"), "the-origin").unwrap_err();
        assert!(matches!(error, MasterKeyError::Weak { id: 4, line: 1, .. }), "{error}");
        let message = error.to_string();
        assert!(message.contains("the-origin") && message.contains("openssl rand -hex 32"), "{message}");
        assert!(!message.contains(digits.get(..8).unwrap()), "{message}");
    }
}

#[test]
fn a_new_secret_is_current_and_the_others_stay() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("master.key");
    std::fs::write(&path, format!("# ours\n3:{A}, 9:{B} # both\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let new = SecretArray::new(SystemEntropy.bytes());
    put_first(&path, KeyId(4), &new).unwrap();
    let read = load(&path).unwrap();
    assert_eq!(ids(&read), [4, 3, 9]);
    assert_eq!(read[0].1.expose(), new.expose());
    assert!(
        matches!(put_first(&path, KeyId(9), &new), Err(MasterKeyError::Unchanged { .. })),
        "never replaced"
    );
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

    remove(&path, KeyId(3)).unwrap();
    assert_eq!(ids(&load(&path).unwrap()), [4, 9]);
    remove(&path, KeyId(3)).unwrap();
    remove(&path, KeyId(4)).unwrap();
    let left = std::fs::read_to_string(&path).unwrap();
    assert_eq!(ids(&load(&path).unwrap()), [9]);
    assert!(
        left.starts_with("# ours\n") && left.contains("# both") && !left.contains(A.get(..8).unwrap()),
        "{left}"
    );
    assert!(matches!(remove(&path, KeyId(9)), Err(MasterKeyError::Unchanged { .. })));
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "no draft is left");
}

#[test]
fn a_link_stays_a_link() {
    let directory = tempfile::tempdir().unwrap();
    let (path, link) = (directory.path().join("real"), directory.path().join("master.key"));
    create(&path, &SystemEntropy).unwrap();
    std::os::unix::fs::symlink("real", &link).unwrap();
    put_first(&link, KeyId(1), &SecretArray::new(SystemEntropy.bytes())).unwrap();
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(ids(&load(&path).unwrap()), [1, 0]);
}
