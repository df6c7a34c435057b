//! Node packages of the end-to-end tests, of their peers and of `js/node`, exactly as the lock files name them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::Context;

use crate::paths::{cache, e2e, js_node, leaky_saas, peers};
use crate::run::{quietly, said};

/// Installs into each `node_modules` unless the lock file is the one that was installed last.
///
/// # Errors
/// When npm fails.
pub(crate) fn ready() -> anyhow::Result<()> {
    install(&e2e())?;
    install(&js_node())?;
    for directory in [peers(), leaky_saas()] {
        install(&directory)?;
        compile(&directory, "better-sqlite3", "build/Release/better_sqlite3.node")?;
    }
    build_page(&leaky_saas())
}

fn install(directory: &Path) -> anyhow::Result<()> {
    let lock = directory.join("package-lock.json");
    let lock = fs::read_to_string(&lock).with_context(|| format!("cannot read {}", lock.display()))?;
    // A copy of what was installed: the stamp is right whatever happened to file times.
    let stamp = directory.join("node_modules").join(".installed-lock.json");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    println!("installing the Node packages of {}", directory.display());
    // `install --no-save` and not `ci`: the lock file names no host, and `ci` takes optional packages of other
    // platforms without one for missing. Versions and hashes are the lock file's all the same.
    // No install scripts: nothing here needs one, and a hijacked package's would run as us.
    quietly(Command::new("npm").current_dir(directory).args([
        "install",
        "--no-save",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--prefer-offline",
        "--loglevel=error",
    ]))?;
    fs::write(&stamp, lock).with_context(|| format!("cannot write {}", stamp.display()))
}

/// Makes `product` of one `package` below `directory`, unless it is there: by the package's install script, once for each version of
/// it and of Node, from the cache after that.
fn compile(directory: &Path, package: &str, product: &str) -> anyhow::Result<()> {
    let place = directory.join("node_modules").join(package);
    let made = place.join(product);
    if made.is_file() {
        return Ok(());
    }
    let kept = kept(&place, package)?;
    if !kept.is_file() {
        println!("compiling {package} for {}; this takes some minutes, once", directory.display());
        quietly(Command::new("npm").current_dir(directory).args(["rebuild", package, "--loglevel=error"]))?;
        return put(&made, &kept);
    }
    put(&kept, &made)
}

/// Where the cache holds what was compiled of the package that lies in `place`.
fn kept(place: &Path, package: &str) -> anyhow::Result<PathBuf> {
    let say = "const [,f]=process.argv,{versions:v,platform:p,arch:a}=process;\
               console.log([JSON.parse(require('fs').readFileSync(f)).version,v.modules,p,a].join('-'))";
    let told = said(Command::new("node").args(["-e", say]).arg(place.join("package.json")))?;
    Ok(cache()?.join("compiled").join(format!("{package}-{}.node", told.trim())))
}

/// Copies a file in one step: a copy that was broken off would be taken for whole.
fn put(from: &Path, to: &Path) -> anyhow::Result<()> {
    let half = to.with_extension("half");
    let folder = to.parent().context("a file has a folder")?;
    let copied = fs::create_dir_all(folder).and_then(|()| fs::copy(from, &half));
    copied.and_then(|_bytes| fs::rename(&half, to)).with_context(|| format!("cannot write {}", to.display()))
}

/// Builds the page of an application with Vite where its sources are newer: two stories that start it at once would build it
/// over each other.
fn build_page(directory: &Path) -> anyhow::Result<()> {
    let page = directory.join("dist").join("index.html");
    let built = fs::metadata(&page).and_then(|page| page.modified()).ok();
    if built.is_some_and(|built| newest(&directory.join("web")).is_some_and(|changed| changed < built)) {
        return Ok(());
    }
    println!("building the page of {}", directory.display());
    let vite = directory.join("node_modules").join("vite").join("bin").join("vite.js");
    quietly(Command::new("node").current_dir(directory).arg(vite).args(["build", "--logLevel", "error"]))
}

/// The newest change below a directory; `None` where something cannot be read.
fn newest(directory: &Path) -> Option<SystemTime> {
    let mut newest = fs::metadata(directory).ok()?.modified().ok()?;
    for entry in fs::read_dir(directory).ok()? {
        let entry = entry.ok()?;
        let path = entry.path();
        let changed =
            if path.is_dir() { self::newest(&path)? } else { entry.metadata().ok()?.modified().ok()? };
        newest = newest.max(changed);
    }
    Some(newest)
}
