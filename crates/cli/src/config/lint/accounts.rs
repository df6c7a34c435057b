//! Sign-up, mail, passwords, throttling (F01, F04, F05, F07, D14).

use super::quoted;
use crate::config::finding::Findings;
use crate::config::{Mail, Settings, Signup};

pub(super) fn lint(settings: &Settings, found: &mut Findings) {
    let hardened = settings.environment.is_hardened();
    let accounts = &settings.accounts;
    if hardened && accounts.signup != Signup::Off && settings.mail.is_none() {
        let message = "accounts are confirmed by mail here, and no mail can leave";
        found.harden(
            "accounts.signup",
            accounts.signup,
            message,
            "add [mail] with smtp and from, or set \"off\"",
        );
    }
    if accounts.max_sessions > 100 {
        let message = "a thief's session hides well among so many";
        found.warn(
            "accounts.max_sessions",
            accounts.max_sessions,
            message,
            "set 100 or less; 20 is the default",
        );
    }
    if let Some(Mail::Directory { path, .. }) = &settings.mail
        && hardened
    {
        let value = format!("{:?}", path.display().to_string());
        let message =
            "mail stays on this disk, with links that confirm accounts, unless another program sends it";
        found.warn("mail.directory", value, message, "set mail.smtp");
    }
    passwords(settings, found);
    throttle(settings, found);
}

fn passwords(settings: &Settings, found: &mut Findings) {
    let passwords = &settings.passwords;
    let key = "passwords.min_length";
    if passwords.min_length < 8 {
        let message = "shorter than any standard permits";
        found.refuse(key, passwords.min_length, message, "set 15");
    } else if passwords.min_length < 15 {
        let message = "where the password is the only factor, NIST SP 800-63B-4 asks for 15 characters";
        found.harden(key, passwords.min_length, message, "set 15");
    } else if passwords.min_length > 64 {
        let message = "passwords of 64 characters have to be accepted";
        found.refuse(key, passwords.min_length, message, "set 15");
    }
    let cost = passwords.argon2;
    for (key, number, least) in
        [("passwords.memory_kib", cost.memory_kib, 19_456), ("passwords.iterations", cost.iterations, 2)]
    {
        if number < least {
            let message = format!("below the floor of {least}: a stolen database is guessed faster");
            found.refuse(key, number, &message, &format!("set {least} or more"));
        }
    }
    let at_once = passwords.parallel.unwrap_or(1);
    let total_mib = u64::from(cost.memory_kib) * u64::from(at_once) / 1024;
    if total_mib > 1024 {
        let message = format!("logins may take {total_mib} MiB of memory at once");
        found.warn("passwords.memory_kib", cost.memory_kib, &message, "lower it, or passwords.parallel");
    }
}

fn throttle(settings: &Settings, found: &mut Findings) {
    let throttle = &settings.throttle;
    if throttle.max_failures > 100 {
        let message = "NIST SP 800-63B-4 permits 100 consecutive failures";
        found.harden("throttle.max_failures", throttle.max_failures, message, "set 100 or less");
    }
    if throttle.free_failures >= throttle.max_failures {
        let message = "guesses are never delayed: throttle.max_failures comes first";
        found.warn("throttle.free_failures", throttle.free_failures, message, "set 5");
    }
    if throttle.first_delay.is_zero() || throttle.max_delay < throttle.first_delay {
        let value = quoted(throttle.first_delay);
        let message = "the delay does not grow: it is zero, or above throttle.max_delay";
        found.harden(
            "throttle.first_delay",
            value,
            message,
            "set first_delay = \"1s\" and max_delay = \"15m\"",
        );
    }
}
