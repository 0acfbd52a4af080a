//! `--env`, `--file` and `--preset`: which variables hold what, and for whom.
//!
//! Knows how the command line goes before the configuration, and that no two accounts share a variable.
//! Never knows a value. Names come from the user and from `consumer`.

use super::args::Names;
use super::exit::{Exit, Failure};
use super::reading::Chosen;
use crate::consumer::{self, PRESETS, Wanted};

/// `[USERNAME:]NAME[=FIELD]`
#[derive(Clone, Debug)]
pub(crate) struct Naming {
    /// The account that it is for; `None`: every one.
    pub(crate) username: Option<String>,
    /// The variable.
    pub(crate) wanted: Wanted,
}

impl Naming {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        // A name holds no colon, a username may.
        let (username, rest) = match text.rsplit_once(':') {
            Some((username, rest)) => (Some(username.to_owned()), rest),
            None => (None, text),
        };
        let wanted = Wanted::parse(rest).map_err(|error| error.to_string())?;
        Ok(Self { username, wanted })
    }

    fn is_for(&self, username: &str) -> bool {
        self.username.as_ref().is_none_or(|name| name == username)
    }
}

/// The name of a preset.
pub(crate) fn preset(text: &str) -> Result<String, String> {
    match consumer::preset(text) {
        Some(_) => Ok(text.to_owned()),
        None => {
            let names: Vec<&str> = PRESETS.iter().map(|(name, _)| *name).collect();
            Err(format!("one of {}", names.join(", ")))
        }
    }
}

impl Names {
    /// Whether the command line names any.
    pub(crate) fn any(&self) -> bool {
        self.preset.is_some() || !self.env.is_empty()
    }

    /// What an account's consumer wants in its environment: by the command line, else by the configuration.
    pub(crate) fn of(&self, chosen: &Chosen<'_>) -> Vec<Wanted> {
        let preset = self.preset.as_deref().and_then(consumer::preset);
        let mut wanted = preset.unwrap_or_default();
        wanted.extend(for_account(&self.env, &chosen.username));
        if wanted.is_empty() && !self.any() {
            let configured = chosen.account.map(|account| &account.variables);
            wanted.extend(configured.into_iter().flatten().cloned());
            if wanted.is_empty() {
                wanted.push(Wanted::usual());
            }
        }
        wanted
    }
}

/// Those of a list that an account is meant by.
pub(crate) fn for_account(list: &[Naming], username: &str) -> Vec<Wanted> {
    let meant = list.iter().filter(|naming| naming.is_for(username));
    meant.map(|naming| naming.wanted.clone()).collect()
}

/// A name that is meant for an account which is not there does nothing: that is told.
pub(crate) fn check_meant(list: &[Naming], usernames: &[String]) -> Result<(), Failure> {
    let named = list.iter().filter_map(|naming| naming.username.as_ref());
    match named.into_iter().find(|name| !usernames.contains(name)) {
        None => Ok(()),
        Some(name) => Err(Failure::new(
            Exit::Usage,
            format!("a variable is meant for {name}, which is not among the usernames"),
            "add the username, or correct it in front of the colon",
        )),
    }
}

/// No two values go under one name.
pub(crate) fn check_distinct<'w>(
    wanted: impl Iterator<Item = (&'w str, &'w Wanted)>,
) -> Result<(), Failure> {
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for (username, Wanted { name, .. }) in wanted {
        if let Some((other, _)) = seen.iter().find(|(_, known)| known == name) {
            return Err(clash(name, other, username));
        }
        seen.push((username, name));
    }
    Ok(())
}

fn clash(name: &str, one: &str, other: &str) -> Failure {
    let hint = if one == other {
        "give each a name of its own".to_owned()
    } else {
        format!(
            "give each a name of its own: --env {one}:FIRST --env {other}:SECOND, or env = [\"NAME\"] in each [[account]]"
        )
    };
    let whose = match one == other {
        true => format!("of {one}"),
        false => format!("of {one} and of {other}"),
    };
    Failure::new(
        Exit::Usage,
        format!("two values {whose} would go into the variable {name}"),
        hint,
    )
}
