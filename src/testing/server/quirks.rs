//! What kind of server it is: its capabilities, and habits that are no accidents.
//!
//! Knows habits that were seen in the field. Never acts on them: the commands do. Its data comes from
//! the test.

use std::time::Duration;

/// What the server says before anyone has logged in.
const BEFORE: &str = "IMAP4rev1 LITERAL+ SASL-IR ID AUTH=PLAIN";
/// What it says afterwards.
const AFTER: &str =
    "IMAP4rev1 LITERAL+ ID ENABLE IDLE NOTIFY SPECIAL-USE UNSELECT UIDPLUS MOVE CONDSTORE";

/// What is part of IMAP4rev2 (RFC 9051, appendix E).
const BUILT_IN: [&str; 7] = [
    "ENABLE",
    "IDLE",
    "MOVE",
    "SASL-IR",
    "SPECIAL-USE",
    "UIDPLUS",
    "UNSELECT",
];

/// The server's habits. The default is a server that has everything and does nothing odd.
///
/// A command whose capability is not told is answered BAD, so the two lists are also what it *can* do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quirks {
    /// The capabilities before the log-in.
    pub before_login: Vec<String>,
    /// The capabilities after it: iCloud's proxy hides most of them before.
    pub after_login: Vec<String>,
    /// Capabilities stand in the greeting and in the answer to the log-in; else one must ask.
    pub tells_capabilities: bool,
    /// `Imap4Rev1 Sasl-Ir`: capabilities are case-insensitive, and not every client knows.
    pub odd_case: bool,
    /// UIDNEXT stands in the answer to SELECT and EXAMINE (Winmail and 163.com leave it out).
    pub tells_uid_next: bool,
    /// `* SEARCH` comes although nothing was found (iCloud says nothing then).
    pub tells_empty_search: bool,
    /// What is new is told between IDLE and its `+`, not after it.
    pub exists_before_plus: bool,
    /// How often `* OK Still here` comes in IDLE (Dovecot: every two minutes).
    pub keepalive: Option<Duration>,
    /// An IDLE of this age tells nothing new any more (Outlook).
    pub deaf_after: Option<Duration>,
    /// Mails can bear keywords, `\*` in PERMANENTFLAGS; else they are dropped without a word.
    pub keywords: bool,
    /// It speaks IMAP4rev2 and nothing else (RFC 9051): ESEARCH, no RECENT, names in UTF-8.
    pub rev2_only: bool,
    /// The most connections of one user; the next is refused (Gmail: 15).
    pub max_connections: Option<usize>,
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            before_login: words(BEFORE),
            after_login: words(AFTER),
            tells_capabilities: true,
            odd_case: false,
            tells_uid_next: true,
            tells_empty_search: true,
            exists_before_plus: false,
            keepalive: None,
            deaf_after: None,
            keywords: true,
            rev2_only: false,
            max_connections: None,
        }
    }
}

impl Quirks {
    /// The same server without a capability, before and after the log-in.
    #[must_use]
    pub fn without(mut self, capability: &str) -> Self {
        for list in [&mut self.before_login, &mut self.after_login] {
            list.retain(|has| !has.eq_ignore_ascii_case(capability));
        }
        self
    }

    /// The capabilities of Exchange Online (jstedfast/MailKit#1494), without OAuth.
    #[must_use]
    pub fn exchange() -> Self {
        let told = "IMAP4 IMAP4rev1 AUTH=PLAIN SASL-IR UIDPLUS MOVE ID UNSELECT IDLE LITERAL+";
        Self {
            before_login: words(told),
            after_login: words(told),
            ..Self::default()
        }
    }

    /// A server that shows its capabilities, and says nothing of a search that finds nothing, as iCloud.
    #[must_use]
    pub fn icloud() -> Self {
        Self {
            before_login: words("IMAP4rev1 SASL-IR AUTH=PLAIN"),
            after_login: words("IMAP4rev1 IDLE CONDSTORE ENABLE UIDPLUS ID LITERAL+"),
            tells_capabilities: false,
            tells_empty_search: false,
            ..Self::default()
        }
    }

    /// A server that speaks IMAP4rev2 only, and does not tell what is part of it. None is known in the field.
    #[must_use]
    pub fn rev2() -> Self {
        Self {
            before_login: words("IMAP4rev2 AUTH=PLAIN"),
            after_login: words("IMAP4rev2 CONDSTORE"),
            rev2_only: true,
            ..Self::default()
        }
    }

    /// Whether it has a capability now.
    pub(super) fn has(&self, logged_in: bool, capability: &str) -> bool {
        let built_in = BUILT_IN.iter().filter(|_| self.rev2_only).copied();
        let told = self.list(logged_in).iter().map(String::as_str);
        told.chain(built_in)
            .any(|has| has.eq_ignore_ascii_case(capability))
    }

    /// The capabilities as they are told now.
    pub(super) fn told(&self, logged_in: bool) -> String {
        let list = self.list(logged_in).join(" ");
        if self.odd_case { odd(&list) } else { list }
    }

    fn list(&self, logged_in: bool) -> &[String] {
        if logged_in {
            &self.after_login
        } else {
            &self.before_login
        }
    }
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

/// `IDLE` becomes `Idle`.
fn odd(text: &str) -> String {
    let mut begins = true;
    let mut turned = String::with_capacity(text.len());
    for c in text.chars() {
        turned.push(if begins {
            c.to_ascii_uppercase()
        } else {
            c.to_ascii_lowercase()
        });
        begins = !c.is_ascii_alphanumeric();
    }
    turned
}
