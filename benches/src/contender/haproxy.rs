//! haproxy with `jwt_verify`.

use std::net::SocketAddr;
use std::path::Path;

use super::{Contender, render};
use crate::{Failure, machine};

const CONFIG: &str = include_str!("../../peers/haproxy.cfg");

pub(super) async fn start(directory: &Path, upstream: SocketAddr, key: &str) -> Result<Contender, Failure> {
    let address = machine::free_port()?;
    let (config, pem) = (directory.join("haproxy.cfg"), directory.join("es256.pem"));
    std::fs::write(&pem, key)?;
    let (port, upstream) = (address.port().to_string(), upstream.port().to_string());
    let key = pem.display().to_string();
    render(CONFIG, &[("port", &port), ("upstream", &upstream), ("key", &key)], &config)?;
    let mut command = machine::on_server_core("haproxy");
    // In the foreground, without a master process.
    command.arg("-db").arg("-f").arg(&config);
    Contender::start(command, address, &directory.join("haproxy.out")).await
}
