//! One person's browser, or one thief's.

use std::sync::{Arc, Mutex, PoisonError};

use super::answer::Answer;
use super::ask::{Ask, Cookies};
use super::jar::Jar;
use super::net::{Net, NetError};

/// What a server can see of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Device {
    /// The honest one.
    Own,
    /// A thief's: another browser, language and system, and another address for servers that believe X-Forwarded-For.
    Other,
}

impl Device {
    const fn headers(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Own => &[
                (
                    "user-agent",
                    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/146.0.0.0 Safari/537.36",
                ),
                ("accept-language", "en-GB,en;q=0.8"),
            ],
            Self::Other => &[
                (
                    "user-agent",
                    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
                ),
                ("accept-language", "ro-RO,ro;q=0.9"),
            ],
        }
    }
}

/// A device with its cookies.
#[derive(Debug, Clone)]
pub struct Agent {
    net: Arc<Net>,
    device: Device,
    jar: Arc<Mutex<Jar>>,
}

impl Agent {
    /// A fresh one.
    #[must_use]
    pub fn new(net: Arc<Net>, device: Device) -> Self {
        Self { net, device, jar: Arc::default() }
    }

    /// The same cookies on another device, changing apart from now on: what a thief makes of a stolen jar.
    #[must_use]
    pub fn stolen(&self, device: Device) -> Self {
        let jar = self.jar();
        Self { net: Arc::clone(&self.net), device, jar: Arc::new(Mutex::new(jar)) }
    }

    /// A copy of the jar as it is now.
    #[must_use]
    pub fn jar(&self) -> Jar {
        self.jar.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes the jar.
    pub fn with_jar<T>(&self, change: impl FnOnce(&mut Jar) -> T) -> T {
        change(&mut self.jar.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Sends, and keeps what the answer sets, unless the cookies were chosen by hand.
    ///
    /// # Errors
    /// [`NetError`].
    pub async fn send(&self, ask: Ask) -> Result<Answer, NetError> {
        let keeps = ask.cookies == Cookies::Jar;
        let answer = self.send_apart(ask).await?;
        if keeps {
            self.with_jar(|jar| {
                for cookie in &answer.set_cookies {
                    jar.take(&answer.url, cookie);
                }
            });
        }
        Ok(answer)
    }

    /// Sends without keeping what the answer sets: an answer that is lost on its way.
    ///
    /// # Errors
    /// [`NetError`].
    pub async fn send_apart(&self, mut ask: Ask) -> Result<Answer, NetError> {
        for (name, value) in self.device.headers() {
            if !ask.headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name)) {
                ask.headers.push(((*name).to_owned(), (*value).to_owned()));
            }
        }
        let cookies = match &ask.cookies {
            Cookies::Jar => self.jar().header(&ask.url, ask.method.as_str(), &ask.from),
            Cookies::None => None,
            Cookies::Exactly(value) => Some(value.clone()).filter(|value| !value.is_empty()),
        };
        self.net.exchange(&ask, cookies).await
    }
}
