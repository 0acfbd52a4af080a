//! Where this run's DKIM keys come from.
//!
//! Knows files and resolvers. Never judges a key. Records come from `--keys`, `[dns] keys`, or the
//! DNS.

use std::net::ToSocketAddrs;
use std::path::PathBuf;

use super::engine;
use super::exit::{Exit, Failure};
use crate::config::Dns;
use crate::dns::Resolver;
use crate::ingest::keys::KeyAnswers;

/// Files when there are any, else the resolver that was named, else the system's.
pub(crate) fn resolver(dns: &Dns) -> Result<Resolver, Failure> {
    if !dns.keys.is_empty() {
        let mut records = KeyAnswers::default();
        for file in &dns.keys {
            records.extend(key_file(file)?);
        }
        return Ok(Resolver::from_files(records));
    }
    let Some(server) = &dns.server else {
        return Ok(Resolver::system());
    };
    let address = server
        .to_socket_addrs()
        .ok()
        .and_then(|mut found| found.next());
    let address = address.ok_or_else(|| {
        let hint = "name the resolver by its address, as in 127.0.0.1:53";
        Failure::new(
            Exit::Usage,
            format!("the resolver {server} has no address"),
            hint,
        )
    })?;
    Ok(Resolver::server(address))
}

/// Answers questions for DKIM keys, one mail after the other.
#[derive(Debug)]
pub(crate) struct KeySource {
    resolver: Resolver,
    runtime: tokio::runtime::Runtime,
}

impl KeySource {
    /// See [`resolver`].
    pub(crate) fn open(dns: &Dns) -> Result<Self, Failure> {
        Ok(Self {
            resolver: resolver(dns)?,
            runtime: engine::runtime()?,
        })
    }

    /// The answers for these names.
    pub(crate) fn answers(&self, names: &[String]) -> KeyAnswers {
        if names.is_empty() {
            return KeyAnswers::default();
        }
        self.runtime.block_on(self.resolver.ask(names))
    }
}

fn key_file(file: &PathBuf) -> Result<KeyAnswers, Failure> {
    let name = file.display();
    let text = std::fs::read_to_string(file).map_err(|error| {
        let problem = format!("{name}: the key file cannot be read: {error}");
        Failure::new(
            Exit::Usage,
            problem,
            "check the path given with --keys or [dns] keys",
        )
    })?;
    KeyAnswers::from_key_file(&text).map_err(|error| {
        let hint = "write one TXT record a line: NAME, a space, VALUE";
        Failure::new(Exit::Usage, format!("{name}: {error}"), hint)
    })
}
