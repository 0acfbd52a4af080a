//! `[trust]`: whom and what we believe.
//!
//! Knows the table's keys and the policy that they make. Never weakens a default in silence: what
//! this version cannot do is refused. Values come from the configuration.

use jiff::SignedDuration;

use super::duration::parse_duration;
use super::error::ConfigError;
use super::reader::Reader;
use crate::ingest::policy::Policy;

/// Oldest mail that `watch` takes. A week spans a weekend and a holiday of whoever runs it; older
/// tokens have mostly been reset again.
pub const DEFAULT_MAX_MAIL_AGE: SignedDuration = SignedDuration::from_hours(7 * 24);

pub(super) fn read(reader: &Reader<'_>) -> Result<Policy, ConfigError> {
    refuse_what_is_not_done(reader)?;
    let default = Policy::default();
    let words =
        |key: &[&str], check: fn(&str) -> Checked, default| -> Result<Vec<String>, ConfigError> {
            Ok(reader.checked_list(key, check)?.unwrap_or(default))
        };
    let policy = Policy {
        signing_domains: words(
            &["trust", "signing_domains"],
            domain,
            default.signing_domains,
        )?,
        senders: words(&["trust", "senders"], address, default.senders)?,
        denied_selectors: words(
            &["trust", "denied_selectors"],
            selector,
            default.denied_selectors,
        )?,
        max_age: Some(max_mail_age(reader)?),
        ..Policy::default()
    };
    for (key, list) in [
        ("signing_domains", &policy.signing_domains),
        ("senders", &policy.senders),
    ] {
        if list.is_empty() {
            let hint = "name one, or remove the key to have the default";
            return Err(reader.wrong(&["trust", key], "an empty list trusts nobody", hint));
        }
    }
    Ok(policy)
}

fn max_mail_age(reader: &Reader<'_>) -> Result<SignedDuration, ConfigError> {
    let key = ["trust", "max_mail_age"];
    let age = reader.text(&key).map(parse_duration).transpose();
    let age = age.map_err(|problem| reader.wrong(&key, &problem, "write it as \"7d\""))?;
    Ok(age.unwrap_or(DEFAULT_MAX_MAIL_AGE))
}

fn refuse_what_is_not_done(reader: &Reader<'_>) -> Result<(), ConfigError> {
    let proof = ["trust", "proof"];
    let words = ["dkim", "authentication-results", "either"];
    if reader.word(&proof, &words)? != "dkim" {
        return Err(reader.not_yet(&proof, "write proof = \"dkim\", or remove the key"));
    }
    let remove = "remove the key";
    if reader
        .text(&["trust", "authserv_id"])
        .is_some_and(|id| !id.is_empty())
    {
        return Err(reader.not_yet(&["trust", "authserv_id"], remove));
    }
    if reader
        .list(&["trust", "pinned_keys"])
        .is_some_and(|keys| !keys.is_empty())
    {
        return Err(reader.not_yet(&["trust", "pinned_keys"], remove));
    }
    if reader.bool(&["trust", "armed_only"]) == Some(true) {
        let hint = "write armed_only = false, or remove the key";
        return Err(reader.not_yet(&["trust", "armed_only"], hint));
    }
    Ok(())
}

type Checked = Result<String, (String, String)>;

fn is_domain(text: &str) -> bool {
    let label = |label: &str| {
        let ends = !label.starts_with('-') && !label.ends_with('-');
        let letters = label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        !label.is_empty() && ends && letters
    };
    text.contains('.') && text.split('.').all(label)
}

fn domain(text: &str) -> Checked {
    let hint = "write an ASCII domain, as in \"example.com\"; sub-domains do not follow";
    let good = is_domain(text).then(|| text.to_ascii_lowercase());
    good.ok_or_else(|| (format!("{text:?} is not a domain"), hint.to_owned()))
}

fn address(text: &str) -> Checked {
    let hint = "write one plain address, as in \"support@example.com\"";
    let good = text.split_once('@').is_some_and(|(local, domain)| {
        let plain = |byte: u8| byte.is_ascii_graphic() && !b"<>()[]\\,;:\"@".contains(&byte);
        !local.is_empty() && local.bytes().all(plain) && is_domain(domain)
    });
    good.then(|| text.to_owned())
        .ok_or_else(|| (format!("{text:?} is not an address"), hint.to_owned()))
}

fn selector(text: &str) -> Checked {
    let hint = "write a DKIM selector (s=), as in \"google\"";
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let good = !text.is_empty() && text.bytes().all(plain);
    good.then(|| text.to_ascii_lowercase())
        .ok_or_else(|| (format!("{text:?} is not a selector"), hint.to_owned()))
}
