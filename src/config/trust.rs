//! `[trust]`: whom and what we believe.
//!
//! Knows the table's keys, the policy that they make, and which of them contradict one another. Never
//! weakens a default in silence: what this version cannot do is refused. Values come from the
//! configuration.

use std::ops::RangeInclusive;

use jiff::SignedDuration;

use super::duration::parse_duration;
use super::error::ConfigError;
use super::pins::pinned_keys;
use super::reader::Reader;
use crate::ingest::policy::{Demand, Policy};

/// Oldest mail that `watch` takes. A week spans a weekend and a holiday of whoever runs it; older
/// tokens have mostly been reset again.
pub const DEFAULT_MAX_MAIL_AGE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// One clock or the other is wrong by more: a token that is dated a day ahead would keep out those of
/// that day.
const MAX_CLOCK_SKEW: SignedDuration = SignedDuration::from_hours(24);

/// A signature costs a hash of the whole body, so thirty of them are still nothing.
const SIGNATURES: RangeInclusive<i64> = 1..=32;

/// A question may cost two seconds, and the mails behind wait.
const DNS_QUESTIONS: RangeInclusive<i64> = 1..=8;

pub(super) fn read(reader: &Reader<'_>) -> Result<Policy, ConfigError> {
    let default = Policy::default();
    let words = |key, check: fn(&str) -> Checked, default| -> Result<Vec<String>, ConfigError> {
        Ok(reader
            .checked_list(&["trust", key], check)?
            .unwrap_or(default))
    };
    let mut policy = Policy {
        demand: demand(reader)?,
        signing_domains: words("signing_domains", domain, default.signing_domains)?,
        senders: words("senders", address, default.senders)?,
        denied_selectors: words("denied_selectors", selector, default.denied_selectors)?,
        required_signed: words("required_signed", field_name, default.required_signed)?,
        max_signatures: number(reader, "max_signatures", SIGNATURES, default.max_signatures)?,
        max_dns_questions: number(
            reader,
            "max_dns_questions",
            DNS_QUESTIONS,
            default.max_dns_questions,
        )?,
        max_future: clock_skew(reader, default.max_future)?,
        max_age: Some(duration(reader, "max_mail_age", "7d")?.unwrap_or(DEFAULT_MAX_MAIL_AGE)),
        authserv_id: authserv_id(reader)?,
        armed_only: reader.bool(&["trust", "armed_only"]) == Some(true),
        ..Policy::default()
    };
    refuse_what_trusts_nobody(reader, &policy)?;
    policy.pinned_keys = pinned_keys(reader, &policy)?;
    Ok(policy)
}

fn demand(reader: &Reader<'_>) -> Result<Demand, ConfigError> {
    let words = ["dkim", "authentication-results", "either"];
    Ok(match reader.word(&["trust", "proof"], &words)? {
        "authentication-results" => Demand::AuthenticationResults,
        "either" => Demand::Either,
        _ => Demand::Dkim,
    })
}

fn refuse_what_trusts_nobody(reader: &Reader<'_>, policy: &Policy) -> Result<(), ConfigError> {
    for (key, list) in [
        ("signing_domains", &policy.signing_domains),
        ("senders", &policy.senders),
    ] {
        if list.is_empty() {
            let hint = "name one, or remove the key to have the default";
            return Err(reader.wrong(&["trust", key], "an empty list trusts nobody", hint));
        }
    }
    if policy.demand != Demand::Dkim && policy.authserv_id.is_none() {
        let problem =
            "the provider's word counts only with the name by which it is known, authserv_id";
        let hint = "add authserv_id = \"mx.example.com\", as your provider writes it in front of its Authentication-Results, or write proof = \"dkim\"";
        return Err(reader.wrong(&["trust", "proof"], problem, hint));
    }
    Ok(())
}

fn duration(
    reader: &Reader<'_>,
    key: &str,
    example: &str,
) -> Result<Option<SignedDuration>, ConfigError> {
    let key = ["trust", key];
    let length = reader.text(&key).map(parse_duration).transpose();
    length.map_err(|problem| reader.wrong(&key, &problem, &format!("write it as \"{example}\"")))
}

fn clock_skew(reader: &Reader<'_>, default: SignedDuration) -> Result<SignedDuration, ConfigError> {
    let skew = duration(reader, "clock_skew", "15m")?.unwrap_or(default);
    if skew > MAX_CLOCK_SKEW {
        let problem = "more than a day is no error of a clock";
        let hint = "write at most \"24h\", and set the machine's clock";
        return Err(reader.wrong(&["trust", "clock_skew"], problem, hint));
    }
    Ok(skew)
}

fn number(
    reader: &Reader<'_>,
    key: &str,
    range: RangeInclusive<i64>,
    default: usize,
) -> Result<usize, ConfigError> {
    let key = ["trust", key];
    let Some(number) = reader.number(&key) else {
        return Ok(default);
    };
    let sensible = usize::try_from(number).ok();
    sensible.filter(|_| range.contains(&number)).ok_or_else(|| {
        let problem = format!("{number} is not from {} to {}", range.start(), range.end());
        let hint = format!("write a number in between, or remove the key to have {default}");
        reader.wrong(&key, &problem, &hint)
    })
}

/// The provider's name: one word, as RFC 8601, 2.5 has it (mostly a host name).
fn authserv_id(reader: &Reader<'_>) -> Result<Option<String>, ConfigError> {
    let key = ["trust", "authserv_id"];
    let Some(id) = reader.text(&key) else {
        return Ok(None);
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if id.is_empty() || !id.bytes().all(plain) {
        let problem = format!("{id:?} is not the name of a provider");
        let hint = "write the first word of your provider's Authentication-Results field, as in \"mx.example.com\"";
        return Err(reader.wrong(&key, &problem, hint));
    }
    Ok(Some(id.to_owned()))
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

pub(super) fn selector(text: &str) -> Checked {
    let hint = "write a DKIM selector (s=), as in \"google\"";
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let good = !text.is_empty() && text.bytes().all(plain);
    good.then(|| text.to_ascii_lowercase())
        .ok_or_else(|| (format!("{text:?} is not a selector"), hint.to_owned()))
}

fn field_name(text: &str) -> Checked {
    let hint = "write the name of a header field, as in \"message-id\"";
    let plain = |byte: u8| byte.is_ascii_graphic() && !b":;".contains(&byte);
    let good = !text.is_empty() && text.bytes().all(plain);
    good.then(|| text.to_ascii_lowercase())
        .ok_or_else(|| (format!("{text:?} is not a field's name"), hint.to_owned()))
}
