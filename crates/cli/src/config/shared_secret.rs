//! Reading the file with a secret that is shared with another program.

use super::private::Private;
use std::fs::File;
use std::io::{self, Read};
use std::ops::RangeInclusive;
use std::path::Path;

/// Hexadecimal, 32 characters are 128 bits. Longer than 256 is some other file.
const LENGTH: RangeInclusive<usize> = 32..=256;
/// As much of a file as is read: enough to see that it is too long.
const MOST: u64 = 512;

/// Why a file holds no secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SharedSecretFault {
    /// The system refused, or it is no text.
    #[error("the file cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// Another file, most likely.
    #[error(
        "a secret is one line of {} to {} letters, digits, `-` and `_`, such as `openssl rand -hex 32` prints",
        LENGTH.start(),
        LENGTH.end()
    )]
    Unfit,
}

/// Reads a secret that is fit for a header value and for the configuration of a proxy.
///
/// # Errors
/// [`SharedSecretFault`]; it shows nothing of what was read.
pub(crate) fn shared_secret(path: &Path) -> Result<Private, SharedSecretFault> {
    // Room for all of it: growing would leave copies behind that are not wiped.
    let mut text = String::with_capacity(600);
    let read = File::open(path)?.take(MOST).read_to_string(&mut text);
    // One line; what editors and `openssl` put at its end is not part of it.
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    let fits = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    let long_enough = LENGTH.contains(&text.len());
    // Wiped when it is dropped, also if it is no secret.
    let secret = Private::new(text);
    read?;
    if fits && long_enough { Ok(secret) } else { Err(SharedSecretFault::Unfit) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: impl AsRef<[u8]>) -> Result<String, String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        std::fs::write(&path, text).unwrap();
        shared_secret(&path).map(|secret| secret.expose().to_owned()).map_err(|fault| fault.to_string())
    }

    #[test]
    fn one_line_of_enough_characters() {
        let good = "0123456789abcdef0123456789ABC-_f";
        for text in [good.to_owned(), format!("{good}\n"), format!("{good}\r\n")] {
            assert_eq!(read(&text).as_deref(), Ok(good), "{text:?}");
        }
        assert!(read("x".repeat(256)).is_ok());
        for text in [
            String::new(),
            "\n".repeat(40),
            "x".repeat(31),
            "x".repeat(257),
            "x".repeat(5000),
            format!("{good} x"),
            format!("{good}\n{good}"),
            format!("{good}\""),
            format!("{good}ü"),
        ] {
            let fault = read(&text).unwrap_err();
            assert!(fault.contains("openssl rand") && !fault.contains(good), "{fault}");
        }
        assert!(read([b'x'; 40].iter().chain(&[0xff]).copied().collect::<Vec<u8>>()).is_err());
        assert!(shared_secret(Path::new("/nowhere/at/all")).is_err());
    }
}
