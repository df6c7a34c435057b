//! The outside of a node, wired.

use crate::config::{self, Mail, Settings};
use anyhow::Context;
use countersign_adapters::hasher::{Argon2Hasher, HasherConfig, Params};
use countersign_adapters::mail::{Directory, Sender, Smtp, SmtpConfig, SmtpSecurity, Transport};
use countersign_adapters::{
    AwsLcKeys, IssuerKeySources, LocalBus, MasterKeySource, SystemClock, SystemEntropy,
};
use countersign_core::domain::secret::SecretString;
use countersign_core::port::Outside;
use countersign_store::AnyStore;
use std::num::NonZero;

/// One implementation a port.
#[derive(Debug)]
pub(crate) struct Wired {
    clock: SystemClock,
    entropy: SystemEntropy,
    store: AnyStore,
    hasher: Argon2Hasher,
    keys: AwsLcKeys,
    bus: LocalBus,
    mailer: Transport,
    master_keys: MasterKeySource,
    issuers: IssuerKeySources,
}

impl Wired {
    /// Wires what the settings choose around a store and the place of the master secrets.
    pub(super) fn new(
        settings: &Settings,
        store: AnyStore,
        master_keys: MasterKeySource,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            clock: SystemClock,
            entropy: SystemEntropy,
            store,
            hasher: hasher(settings)?,
            keys: AwsLcKeys,
            bus: LocalBus::new(),
            mailer: mailer(settings.mail.as_ref())?,
            master_keys,
            issuers: super::issuers(&settings.issuers)?,
        })
    }
}

impl Outside for Wired {
    type Clock = SystemClock;
    type Entropy = SystemEntropy;
    type Store = AnyStore;
    type Hasher = Argon2Hasher;
    type Keys = AwsLcKeys;
    type Bus = LocalBus;
    type Mailer = Transport;
    type MasterKeys = MasterKeySource;
    type Issuers = IssuerKeySources;

    fn clock(&self) -> &SystemClock {
        &self.clock
    }
    fn entropy(&self) -> &SystemEntropy {
        &self.entropy
    }
    fn store(&self) -> &AnyStore {
        &self.store
    }
    fn hasher(&self) -> &Argon2Hasher {
        &self.hasher
    }
    fn keys(&self) -> &AwsLcKeys {
        &self.keys
    }
    fn bus(&self) -> &LocalBus {
        &self.bus
    }
    fn mailer(&self) -> &Transport {
        &self.mailer
    }
    fn master_keys(&self) -> &MasterKeySource {
        &self.master_keys
    }
    fn issuers(&self) -> &IssuerKeySources {
        &self.issuers
    }
}

fn hasher(settings: &Settings) -> anyhow::Result<Argon2Hasher> {
    let passwords = &settings.passwords;
    let cost = passwords.argon2;
    let workers = passwords.parallel.and_then(|parallel| NonZero::new(parallel as usize));
    let config = HasherConfig {
        params: Params::new(cost.memory_kib, cost.iterations, cost.lanes).context("[passwords]")?,
        workers,
        queue: Some(passwords.queue as usize),
        ..HasherConfig::default()
    };
    Ok(Argon2Hasher::new(&config))
}

fn mailer(mail: Option<&Mail>) -> anyhow::Result<Transport> {
    Ok(match mail {
        None => Transport::None,
        Some(Mail::Directory { path, from }) => {
            let directory = Directory::open(path, Sender::parse(from).context("mail.from")?);
            Transport::Directory(
                directory.with_context(|| format!("mail.directory = {:?}", path.display().to_string()))?,
            )
        }
        Some(Mail::Smtp { server, from }) => {
            let credentials = server.credentials.as_ref();
            let config = SmtpConfig {
                host: server.host.clone(),
                port: server.port,
                security: match server.security {
                    config::SmtpSecurity::Implicit => SmtpSecurity::Implicit,
                    config::SmtpSecurity::StartTls => SmtpSecurity::StartTls,
                    config::SmtpSecurity::LoopbackPlain => SmtpSecurity::LoopbackPlain,
                },
                credentials: credentials
                    .map(|(user, password)| (user.clone(), SecretString::new(password.expose().to_owned()))),
                from: Sender::parse(from).context("mail.from")?,
            };
            Transport::Smtp(Smtp::new(&config).context("mail.smtp")?)
        }
    })
}
