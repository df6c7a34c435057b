//! Countersign.
#[allow(dead_code, unused_imports, reason = "the commands that read these settings are wired next")]
mod config;

fn main() {}
