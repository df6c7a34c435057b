//! The programs that tests start, and the Debian packages that bring them.

use std::path::Path;
use std::process::Command;

use super::ByHand;
use crate::run::{find, quietly, succeeds};

/// `js/node` runs on this version and later; Debian 13 has it.
const NODE_MAJOR: u32 = 20;

/// What a test needs, how to see that it is there, and the package that brings it.
struct Need {
    what: &'static str,
    package: &'static str,
    present: fn() -> bool,
}

const NEEDS: [Need; 13] = [
    Need { what: "a C compiler", package: "build-essential", present: || find("cc").is_some() },
    Need { what: "Chromium", package: "chromium", present: || find("chromium").is_some() },
    Need { what: "nginx", package: "nginx", present: || find("nginx").is_some() },
    Need { what: "Varnish", package: "varnish", present: || find("varnishd").is_some() },
    Need { what: "HAProxy", package: "haproxy", present: || find("haproxy").is_some() },
    Need { what: "Caddy", package: "caddy", present: || find("caddy").is_some() },
    Need { what: "strace", package: "strace", present: || find("strace").is_some() },
    Need { what: "certutil", package: "libnss3-tools", present: || find("certutil").is_some() },
    Need { what: "openssl", package: "openssl", present: || find("openssl").is_some() },
    Need { what: "Node.js 20 or later", package: "nodejs", present: node_is_recent },
    Need { what: "npm", package: "npm", present: || find("npm").is_some() },
    Need { what: "PHP", package: "php-cli", present: || find("php").is_some() },
    Need { what: "Python 3 with venv", package: "python3-venv", present: python_has_venv },
];

/// Installs the missing packages on Debian and Ubuntu.
///
/// # Errors
/// [`ByHand`] on other systems, or without the right to install.
pub(crate) fn ready() -> anyhow::Result<()> {
    let missing = missing();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    if !(is_debian() && find("apt-get").is_some()) {
        let what: Vec<&str> = missing.iter().map(|need| need.what).collect();
        return Err(ByHand(format!(
            "set-up is automatic on Debian and Ubuntu only; please install: {}; then run this again",
            what.join(", ")
        ))
        .into());
    }
    println!("installing {}", packages.join(" "));
    apt(&["update", "-qq"], &packages)?;
    let mut install = vec!["install", "-y", "-qq", "--no-install-recommends"];
    install.extend(&packages);
    apt(&install, &packages)?;
    let still: Vec<&str> = self::missing().iter().map(|need| need.what).collect();
    if still.is_empty() {
        return Ok(());
    }
    Err(ByHand(format!(
        "the system's packages are installed, but these are still missing: {}",
        still.join(", ")
    ))
    .into())
}

fn missing() -> Vec<&'static Need> {
    NEEDS.iter().filter(|need| !(need.present)()).collect()
}

/// Runs apt-get as root, or through a sudo that asks nothing.
fn apt(arguments: &[&str], packages: &[&str]) -> anyhow::Result<()> {
    let mut command = if succeeds(Command::new("sh").args(["-c", "test \"$(id -u)\" = 0"])) {
        Command::new("apt-get")
    } else if find("sudo").is_some() && succeeds(Command::new("sudo").args(["-n", "true"])) {
        let mut command = Command::new("sudo");
        command.args(["-n", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
        command
    } else {
        return Err(ByHand(format!(
            "not root, and sudo would ask for a password; please run: sudo apt-get install {}",
            packages.join(" ")
        ))
        .into());
    };
    quietly(command.env("DEBIAN_FRONTEND", "noninteractive").args(arguments))
}

fn is_debian() -> bool {
    Path::new("/etc/debian_version").exists()
}

fn node_is_recent() -> bool {
    let Some(node) = find("node") else { return false };
    let Ok(output) = Command::new(node).arg("--version").output() else { return false };
    let text = String::from_utf8_lossy(&output.stdout);
    let major =
        text.trim().trim_start_matches('v').split('.').next().and_then(|digits| digits.parse::<u32>().ok());
    major.is_some_and(|major| major >= NODE_MAJOR)
}

fn python_has_venv() -> bool {
    succeeds(Command::new("python3").args(["-c", "import venv, ensurepip"]))
}
