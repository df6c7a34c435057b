//! nginx, as the application and as the yardstick.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use super::{Contender, render};
use crate::{Failure, machine};

const UPSTREAM: &str = include_str!("../../peers/nginx-upstream.conf");
const PROXY: &str = include_str!("../../peers/nginx-proxy.conf");
/// Bytes in an answer of the application.
const BODY: usize = 200;

pub(super) async fn upstream(directory: &Path) -> Result<Contender, Failure> {
    let address = machine::free_port()?;
    let config = directory.join("nginx-upstream.conf");
    let (port, dir, body) = (address.port().to_string(), directory.display().to_string(), "x".repeat(BODY));
    render(UPSTREAM, &[("port", &port), ("dir", &dir), ("body", &body)], &config)?;
    Contender::start(program(Command::new("nginx"), &config), address, &directory.join("nginx-upstream.out"))
        .await
}

pub(super) async fn proxy(directory: &Path, upstream: SocketAddr) -> Result<Contender, Failure> {
    let address = machine::free_port()?;
    let config = directory.join("nginx-proxy.conf");
    let (port, dir) = (address.port().to_string(), directory.display().to_string());
    let upstream = upstream.port().to_string();
    render(PROXY, &[("port", &port), ("dir", &dir), ("upstream", &upstream)], &config)?;
    let command = program(machine::on_server_core("nginx"), &config);
    Contender::start(command, address, &directory.join("nginx-proxy.out")).await
}

fn program(mut command: Command, config: &Path) -> Command {
    command.arg("-e").arg("/dev/null").args(["-g", "daemon off;", "-c"]).arg(config);
    command
}
