//! Test accounts of the caller's.

use crate::secret::Secret;

/// A test account. The drill signs in as it, reads and changes its data, and guesses wrong passwords for it.
#[derive(Debug, Clone)]
pub struct Account {
    /// What is typed as address or user name.
    pub login: String,
    /// The password.
    pub password: Secret,
}

/// Why text is no account.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "an account is NAME:PASSWORD, for example test@example.com:secret (there is no colon, or nothing on one side of it)"
)]
pub struct NotAnAccount;

impl Account {
    /// Reads `NAME:PASSWORD`; the first colon divides, so passwords may hold more.
    ///
    /// # Errors
    /// [`NotAnAccount`]; it does not repeat what was typed.
    pub fn parse(text: &str) -> Result<Self, NotAnAccount> {
        let (login, password) = text.split_once(':').ok_or(NotAnAccount)?;
        if login.is_empty() || password.is_empty() {
            return Err(NotAnAccount);
        }
        Ok(Self { login: login.to_owned(), password: Secret::new(password) })
    }

    /// The part before `@`, or the whole name: what pages greet with where they do not show an address.
    #[must_use]
    pub fn local_part(&self) -> &str {
        self.login.split('@').next().unwrap_or(&self.login)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_colon_divides() {
        let account = Account::parse("a@x.test:p:w").unwrap();
        assert_eq!(
            (&*account.login, account.password.expose(), account.local_part()),
            ("a@x.test", "p:w", "a")
        );
        for wrong in ["", "a", "a:", ":p"] {
            assert_eq!(Account::parse(wrong).unwrap_err(), NotAnAccount, "{wrong:?}");
        }
    }
}
