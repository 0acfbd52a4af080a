//! `[trust.pinned_keys]`: the DKIM keys that alone count.
//!
//! Knows how a pin is named and written, and what contradicts it. Never asks for a key: a pin that
//! was learnt from the DNS in silence would be worth nothing. Values come from the configuration.

use super::error::ConfigError;
use super::reader::Reader;
use super::trust::selector;
use crate::ingest::pins::{Pin, PinError, Pins};
use crate::ingest::policy::{Demand, Policy};

const TABLE: [&str; 2] = ["trust", "pinned_keys"];

/// The pins, for a policy that is complete but for them.
pub(super) fn pinned_keys(reader: &Reader<'_>, policy: &Policy) -> Result<Pins, ConfigError> {
    let mut pins = Pins::default();
    for name in reader.entries.names(&TABLE) {
        let key = [TABLE[0], TABLE[1], &name];
        let wrong = |problem: &str, hint: &str| reader.wrong(&key, problem, hint);
        check_name(&name, policy).map_err(|(problem, hint)| wrong(&problem, &hint))?;
        let pin = Pin::parse(reader.text(&key).unwrap_or_default());
        let pin = pin.map_err(|error| wrong(&error.to_string(), remedy(error)))?;
        if pins.insert(&name, pin).is_some() {
            return Err(wrong("the key is pinned twice", "leave one of the two"));
        }
    }
    if !pins.is_empty() && policy.demand != Demand::Dkim {
        let problem = "a provider does not tell by which key it was convinced, so its word would pass by the pins";
        let hint = "write proof = \"dkim\", or remove pinned_keys";
        return Err(reader.wrong(&TABLE, problem, hint));
    }
    Ok(pins)
}

fn remedy(error: PinError) -> &'static str {
    match error {
        PinError::Fingerprint => "write sha256: and the SHA-256 of the decoded p=, in hex",
        PinError::Key => {
            "write what stands behind p= in the key's record (RSA of at least 1024 bits, or Ed25519)"
        }
    }
}

/// `SELECTOR._domainkey.DOMAIN`, or `SELECTOR`, of a signature that could count.
fn check_name(name: &str, policy: &Policy) -> Result<(), (String, String)> {
    let (word, domain) = match name.split_once("._domainkey.") {
        Some((word, domain)) => (word, Some(domain.to_ascii_lowercase())),
        None => (name, None),
    };
    let word = selector(word)?;
    if let Some(domain) = domain.filter(|domain| !policy.signing_domains.contains(domain)) {
        let problem = format!("{domain:?} is none of the signing_domains");
        return Err((problem, "add it there, or remove the pin".to_owned()));
    }
    if policy.denied_selectors.contains(&word) {
        let problem = format!("{word:?} is one of the denied_selectors");
        return Err((problem, "remove it there, or remove the pin".to_owned()));
    }
    Ok(())
}
