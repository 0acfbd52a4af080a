//! What a command that we start may see of our environment.
//!
//! Knows what credentials of ours are called: by prefix, and by the configuration's references. Never passes
//! one on unless the user lists it. Names come from the configuration and from `--keep`.

use std::env;

/// Beginnings of names that are ours, or the log-in of a store.
const OURS: [&str; 7] = [
    "SFTOKEN_",
    "VAULT_",
    "BAO_",
    "AWS_",
    "AZURE_",
    "IDENTITY_",
    "GOOGLE_APPLICATION_",
];

/// The variables to keep from a command: ours, and those in `private`; not those that `kept` lists.
pub(crate) fn withheld(private: &[String], kept: &[String]) -> Vec<std::ffi::OsString> {
    let ours = |name: &str| OURS.iter().any(|start| name.starts_with(start));
    let names = env::vars_os().map(|(name, _)| name);
    names
        .filter(|name| {
            let name = name.to_string_lossy();
            let secret = ours(&name) || private.iter().any(|private| *private == name);
            secret && !kept.iter().any(|pattern| is_meant(pattern, &name))
        })
        .collect()
}

fn is_meant(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => pattern == name,
    }
}

#[cfg(test)]
mod tests {
    use super::is_meant;

    #[test]
    fn a_star_stands_at_the_end_only() {
        assert!(is_meant("AWS_*", "AWS_PROFILE"));
        assert!(is_meant("AWS_PROFILE", "AWS_PROFILE"));
        assert!(!is_meant("AWS_PROFILE", "AWS_PROFILE_2"));
        assert!(!is_meant("*_PROFILE", "AWS_PROFILE"));
    }
}
