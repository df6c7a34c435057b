//! Mail as files.

use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use countersign_core::port::{Clock, Entropy, Mail, MailError};
use data_encoding::HEXLOWER;

use super::compose::{Sender, compose};
use crate::clock::SystemClock;
use crate::entropy::SystemEntropy;
use crate::files::create_private;

/// Writes each message to a file of its own, `<milliseconds>-<random>.eml`, mode 0600: it may hold a single-use link.
/// A file is whole from the moment it can be seen, so that another program may pick it up.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    from: Sender,
}

impl Directory {
    /// Creates the directory (mode 0700) if there is none.
    ///
    /// # Errors
    /// Whatever the system says.
    pub fn open(path: &Path, from: Sender) -> io::Result<Self> {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        Ok(Self { path: path.into(), from })
    }

    pub(super) async fn send(&self, mail: Mail) -> Result<(), MailError> {
        let text = compose(&self.from, &mail)?.formatted();
        let name = format!(
            "{:013}-{}.eml",
            SystemClock.now().as_millis(),
            HEXLOWER.encode(&SystemEntropy.bytes::<8>())
        );
        let path = self.path.join(name);
        let written = tokio::task::spawn_blocking(move || create_private(&path, &text)).await;
        match written {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err(MailError::Transport("the file exists already".into())),
            Ok(Err(error)) => Err(MailError::Transport(error.to_string())),
            Err(error) => Err(MailError::Transport(error.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Transport;
    use super::super::compose::tests::{mail, sender};
    use super::*;
    use countersign_core::port::Mailer;
    use std::os::unix::fs::PermissionsExt;

    #[tokio::test]
    async fn each_message_is_a_private_file() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("a/b");
        let transport = Transport::Directory(Directory::open(&path, sender()).unwrap());
        for body in ["first link", "second link"] {
            transport.send(mail(body)).await.unwrap();
        }
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        let mut texts = Vec::new();
        for entry in std::fs::read_dir(&path).unwrap() {
            let file = entry.unwrap().path();
            assert_eq!(file.extension().unwrap(), "eml");
            assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
            texts.push(std::fs::read_to_string(file).unwrap());
        }
        assert_eq!(texts.len(), 2);
        assert!(texts.iter().any(|t| t.contains("first link")));
        assert!(texts.iter().any(|t| t.contains("second link")));
    }

    #[tokio::test]
    async fn failures_are_told() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("mail");
        let transport = Transport::Directory(Directory::open(&path, sender()).unwrap());
        std::fs::remove_dir(&path).unwrap();
        assert!(matches!(transport.send(mail("x")).await, Err(MailError::Transport(_))));
        assert!(matches!(Transport::None.send(mail("x")).await, Err(MailError::NotConfigured)));
    }
}
