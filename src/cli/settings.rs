//! The configuration of this run: file, environment and options together.
//!
//! Knows where the file is and what options override. Never runs anything. Values come from the
//! command line, the environment and the disk; `config` says what they mean.

use std::io;
use std::path::{Path, PathBuf};

use super::args::{Direct, Global};
use super::exit::{Exit, Failure};
use crate::config::{self, Config};

/// Reads the configuration. A file that nobody named may be absent.
pub(crate) fn read(global: &Global, direct: Option<&Direct>) -> Result<Config, Failure> {
    let named = named_file(global);
    let path = named.clone().or_else(config::default_file);
    let path = path.unwrap_or_else(|| PathBuf::from("config.toml"));
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if named.is_none() && is_absent(&error) => String::new(),
        Err(error) => return Err(unreadable(&path, &error)),
    };
    let password = direct.and_then(|direct| direct.password.as_deref());
    let mut config = config::load(&text, &path, environment(password)?)?;
    if let Some(server) = &global.dns {
        config.dns.server = Some(server.clone());
        // A resolver named here is meant to be asked: the file's records step back.
        config.dns.keys.clear();
    }
    if !global.keys.is_empty() {
        config.dns.keys.clone_from(&global.keys);
    }
    if let Some(direct) = direct {
        apply(&mut config, direct)?;
    }
    Ok(config)
}

/// A home of `/dev/null`, as services have, holds no file either.
fn is_absent(error: &io::Error) -> bool {
    use io::ErrorKind::{NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory)
}

fn named_file(global: &Global) -> Option<PathBuf> {
    let variable = || std::env::var_os("SFTOKEN_CONFIG").filter(|path| !path.is_empty());
    global
        .config
        .clone()
        .or_else(|| variable().map(PathBuf::from))
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    let problem = format!(
        "{}: the configuration cannot be read: {error}",
        path.display()
    );
    Failure::new(
        Exit::Usage,
        problem,
        "check the path given with --config or SFTOKEN_CONFIG",
    )
}

/// The variables that count; the one that `--password env:NAME` names is a secret, not a key.
fn environment(password: Option<&str>) -> Result<Vec<(String, String)>, Failure> {
    let secret = password.and_then(|reference| reference.strip_prefix("env:"));
    let ours = std::env::vars_os().filter_map(|(name, value)| {
        let name = name.into_string().ok()?;
        (name.starts_with("SFTOKEN_") && Some(name.as_str()) != secret).then_some((name, value))
    });
    ours.map(|(name, value)| match value.into_string() {
        Ok(value) => Ok((name, value)),
        Err(_) => {
            let problem = format!("{name}: the value is not UTF-8");
            Err(Failure::new(
                Exit::Usage,
                problem,
                "set it to text, or unset it",
            ))
        }
    })
    .collect()
}

/// `--mailbox` stands instead of the configured mailboxes, `--store` instead of every store.
fn apply(config: &mut Config, direct: &Direct) -> Result<(), Failure> {
    if let Some(url) = &direct.mailbox {
        let mut mailbox = config::Mailbox::from_url(url)?;
        mailbox.password = direct
            .password
            .as_deref()
            .map(config::password_option)
            .transpose()?;
        mailbox.transport.tls.ca_file.clone_from(&direct.ca_file);
        if !direct.folders.is_empty() {
            mailbox.watching.folders = Some(direct.folders.clone());
        }
        config.mailboxes = vec![mailbox];
    }
    if let Some(store) = &direct.store {
        config.use_store(store)?;
    }
    Ok(())
}
