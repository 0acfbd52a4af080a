//! Every key that a configuration may hold, as data.
//!
//! Knows the names and the kind of value of each key. Never holds a value. The names are those of
//! the README's sample; a test reads that every one of them is recognised.

/// What stands behind a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// One text.
    Text,
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Number,
    /// Texts.
    List,
    /// One text, or several.
    OneOrMore,
    /// A table of texts whose names the user chooses; they may hold dots.
    Map,
    /// A reference to a secret: never shown.
    Secret,
}

/// A key and what stands behind it. `*` is a name that the user chooses, `#` a number from 0.
pub(super) type KnownKey = (&'static str, Kind);

/// All keys.
pub(super) const KEYS: &[KnownKey] = &[
    ("state_dir", Kind::Text),
    ("mailbox.*.url", Kind::Text),
    ("mailbox.*.preset", Kind::Text),
    ("mailbox.*.address", Kind::Text),
    ("mailbox.*.auth.password", Kind::Secret),
    ("mailbox.*.auth.oauth2", Kind::Text),
    ("mailbox.*.auth.client_id", Kind::Text),
    ("mailbox.*.auth.client_secret", Kind::Secret),
    ("mailbox.*.auth.refresh_token", Kind::Secret),
    ("mailbox.*.auth.grant", Kind::Text),
    ("mailbox.*.auth.tenant", Kind::Text),
    ("mailbox.*.auth.token_url", Kind::Text),
    ("mailbox.*.auth.device_url", Kind::Text),
    ("mailbox.*.auth.authorize_url", Kind::Text),
    ("mailbox.*.auth.scope", Kind::Text),
    ("mailbox.*.auth.ca_file", Kind::Text),
    ("mailbox.*.ca_file", Kind::Text),
    ("mailbox.*.pinned_keys", Kind::List),
    ("mailbox.*.client_cert", Kind::Text),
    ("mailbox.*.client_key", Kind::Secret),
    ("mailbox.*.proxy", Kind::Text),
    ("mailbox.*.proxy_password", Kind::Secret),
    ("mailbox.*.folders", Kind::List),
    ("mailbox.*.handled", Kind::Text),
    ("mailbox.*.claim", Kind::Bool),
    ("mailbox.*.liveness", Kind::Text),
    ("mailbox.*.renewal", Kind::Text),
    ("trust.proof", Kind::Text),
    ("trust.signing_domains", Kind::List),
    ("trust.senders", Kind::List),
    ("trust.denied_selectors", Kind::List),
    ("trust.required_signed", Kind::List),
    ("trust.max_signatures", Kind::Number),
    ("trust.max_dns_questions", Kind::Number),
    ("trust.clock_skew", Kind::Text),
    ("trust.max_mail_age", Kind::Text),
    ("trust.authserv_id", Kind::Text),
    ("trust.pinned_keys", Kind::Map),
    ("trust.armed_only", Kind::Bool),
    ("trail.keep", Kind::Text),
    ("dns.server", Kind::Text),
    ("dns.keys", Kind::List),
    ("store.*.url", Kind::Text),
    ("account.#.username", Kind::Text),
    ("account.#.org", Kind::Text),
    ("account.#.store", Kind::OneOrMore),
    ("account.#.max_age", Kind::Text),
    ("account.#.verify", Kind::Text),
    ("account.#.login", Kind::Text),
    ("account.#.login_url", Kind::Text),
    ("account.#.client_id", Kind::Text),
    ("account.#.client_secret", Kind::Secret),
    ("account.#.ca_file", Kind::Text),
    ("account.#.organization_id", Kind::Text),
    ("account.#.password", Kind::Secret),
    ("account.#.preset", Kind::Text),
    ("account.#.env", Kind::List),
    ("account.#.on_stored", Kind::List),
    ("account.#.on_stored_timeout", Kind::Text),
    ("account.#.consumer.#.name", Kind::Text),
    ("account.#.consumer.#.test", Kind::List),
    ("account.#.consumer.#.timeout", Kind::Text),
    ("notify.webhook", Kind::Secret),
    ("notify.webhook_secret", Kind::Secret),
    ("notify.webhook_ca_file", Kind::Text),
    ("notify.desktop", Kind::Bool),
    ("notify.events", Kind::List),
];

/// Variables that begin with `SFTOKEN_` and are not keys: the file's path, and the log filter.
pub(super) const OTHER_VARIABLES: &[&str] = &["SFTOKEN_CONFIG", "SFTOKEN_LOG"];

/// The kind of a key, if there is such a key.
pub(super) fn kind_of(path: &[String]) -> Option<Kind> {
    let same = |pattern: &str| {
        let segments: Vec<&str> = pattern.split('.').collect();
        segments.len() == path.len() && fits(&segments, path)
    };
    KEYS.iter()
        .find(|(pattern, _)| same(pattern))
        .map(|&(_, kind)| kind)
}

/// Whether a key could begin with this path.
pub(super) fn leads_somewhere(path: &[String]) -> bool {
    KEYS.iter().any(|(pattern, _)| {
        let segments: Vec<&str> = pattern.split('.').collect();
        segments.len() >= path.len() && fits(&segments, path)
    })
}

/// Whether a table at this path is a list of tables: `[[account]]`.
pub(super) fn is_list_of_tables(path: &[String]) -> bool {
    let mut element = path.to_vec();
    element.push("0".to_owned());
    !leads_by_name(&element) && leads_somewhere(&element)
}

fn leads_by_name(path: &[String]) -> bool {
    KEYS.iter().any(|(pattern, _)| {
        let segments: Vec<&str> = pattern.split('.').collect();
        segments.len() >= path.len()
            && fits(&segments, path)
            && segments.get(path.len() - 1) == Some(&"*")
    })
}

/// What the last segment of an unknown path was perhaps meant to be.
pub(super) fn nearest(path: &[String]) -> Option<&'static str> {
    let (wrong, parent) = path.split_last()?;
    KEYS.iter()
        .filter_map(|(pattern, _)| {
            let segments: Vec<&'static str> = pattern.split('.').collect();
            let here = *segments.get(parent.len())?;
            (fits(&segments, parent) && !matches!(here, "*" | "#")).then_some(here)
        })
        .map(|candidate| (distance(wrong, candidate), candidate))
        .filter(|(far, candidate)| *far <= candidate.len() / 3 + 1)
        .min_by_key(|&(far, _)| far)
        .map(|(_, candidate)| candidate)
}

fn fits(segments: &[&str], path: &[String]) -> bool {
    segments
        .iter()
        .zip(path)
        .all(|(segment, name)| match *segment {
            "*" => !name.is_empty(),
            "#" => name.parse::<usize>().is_ok(),
            fixed => fixed == name,
        })
}

/// Number of single-letter edits between two names (Levenshtein).
pub(super) fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &b) in right.iter().enumerate() {
            let swap = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = swap.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}
