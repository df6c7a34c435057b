//! Passwords from standard input or the terminal; never from arguments, which every user of the machine can read.

use crate::admin::protocol::Passphrase;
use anyhow::{Context, bail};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use std::io::{self, BufRead, IsTerminal, Read, Write};
use zeroize::Zeroizing;

/// Longer input is refused by the policy anyway.
const MOST: u64 = 64 * 1024;

/// Reads a new password.
pub(super) fn read(from_stdin: bool) -> anyhow::Result<Passphrase> {
    if from_stdin {
        return Ok(Passphrase(whole_input()?));
    }
    if !io::stdin().is_terminal() {
        bail!("there is no terminal to ask for the password at: use --password-stdin");
    }
    let first = asked("New password: ")?;
    let second = asked("Once more: ")?;
    if *first != *second {
        bail!("the two passwords differ: nothing was changed");
    }
    Ok(Passphrase(first))
}

/// Standard input up to its end, without one final newline.
pub(super) fn whole_input() -> anyhow::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    io::stdin().lock().take(MOST).read_to_string(&mut text).context("standard input is not a password")?;
    Ok(without_final_newline(text))
}

/// Asks for what may be seen: a name.
pub(super) fn shown(prompt: &str) -> anyhow::Result<String> {
    let mut terminal = io::stderr();
    write!(terminal, "{prompt}")?;
    terminal.flush()?;
    let mut line = String::new();
    io::stdin().lock().take(MOST).read_line(&mut line).context("the terminal")?;
    Ok(line.trim().to_owned())
}

/// Drops one final newline: what `echo` adds. Others are part of the password.
fn without_final_newline(mut text: Zeroizing<String>) -> Zeroizing<String> {
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    text
}

/// Shows nothing of what is typed, from before the question on: somebody quick, or a program, answers it at once. The terminal is
/// as before afterwards, also after an error.
pub(super) fn asked(prompt: &str) -> anyhow::Result<Zeroizing<String>> {
    let before = tcgetattr(io::stdin()).context("the terminal")?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    tcsetattr(io::stdin(), OptionalActions::Flush, &silent).context("the terminal")?;
    let mut line = Zeroizing::new(String::new());
    let read = answered(prompt, &mut line);
    tcsetattr(io::stdin(), OptionalActions::Now, &before).context("the terminal")?;
    writeln!(io::stderr())?;
    read.context("the terminal")?;
    Ok(without_final_newline(line))
}

fn answered(prompt: &str, line: &mut String) -> io::Result<usize> {
    let mut terminal = io::stderr();
    write!(terminal, "{prompt}")?;
    terminal.flush()?;
    io::stdin().lock().take(MOST).read_line(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_final_newline_is_dropped() {
        for (typed, password) in
            [("a b \n", "a b "), ("a\r\n", "a"), ("a\n\n", "a\n"), ("a", "a"), ("a\r", "a\r"), ("\n", "")]
        {
            assert_eq!(&**without_final_newline(Zeroizing::new(typed.to_owned())), password, "{typed:?}");
        }
    }
}
