//! `[trail]`: how long the audit trail is kept.
//!
//! Knows the key, and what it must not be shorter than. Never removes anything. Values come from the
//! configuration.

use jiff::SignedDuration;

use super::duration::parse_duration;
use super::error::ConfigError;
use super::reader::Reader;

/// What is kept of the audit trail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrailSettings {
    /// The age at which records go; `None`: they stay for ever.
    pub keep: Option<SignedDuration>,
}

/// With the records go the decisions about mails: those about mails that `watch` may still look at must stay.
pub(super) fn read(
    reader: &Reader<'_>,
    max_mail_age: Option<SignedDuration>,
) -> Result<TrailSettings, ConfigError> {
    let key = ["trail", "keep"];
    let Some(text) = reader.text(&key) else {
        return Ok(TrailSettings::default());
    };
    let keep = parse_duration(text)
        .map_err(|problem| reader.wrong(&key, &problem, "write it as \"400d\""))?;
    if max_mail_age.is_some_and(|age| keep < age) {
        let problem = format!("{text:?} is shorter than trust.max_mail_age");
        let hint = "make it as long at least: until then, mails are looked at again";
        return Err(reader.wrong(&key, &problem, hint));
    }
    Ok(TrailSettings { keep: Some(keep) })
}
