//! Folder names: as a person writes them, and as they go over the wire.
//!
//! Knows modified UTF-7, quoting, and special-use folders. Never opens a folder. Its data comes from the
//! caller and from the server's LIST.

use async_imap::imap_proto::{MailboxDatum, MailboxListData, NameAttribute, Response};
use base64::Engine as _;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};

use super::InboxError;
use super::login::Capabilities;
use super::wire::Wire;

/// Names that servers without special-use (Exchange Online, for one) give to the junk folder.
const JUNK_NAMES: [&str; 7] = [
    "Junk",
    "Spam",
    "Junk Email",
    "Junk E-mail",
    "Bulk Mail",
    "Bulk",
    "INBOX.Junk",
];

/// A folder of a server. Made by [`Session::resolve_folder`](super::Session::resolve_folder).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Folder {
    wire: String,
}

impl Folder {
    /// The folder with this name, which is not a special-use name.
    pub(super) fn named(name: &str) -> Self {
        Self { wire: encode(name) }
    }

    /// The same on a server that speaks IMAP4rev2 only: names are UTF-8 there (RFC 9051, 5.1), but line
    /// ends and the like have no place in a quoted string.
    pub(super) fn in_utf8(name: &str) -> Self {
        match name.contains(char::is_control) {
            true => Self::named(name),
            false => Self {
                wire: name.to_owned(),
            },
        }
    }

    /// The name as the server has it: in modified UTF-7 (RFC 3501, 5.1.3), or in UTF-8 where it speaks
    /// IMAP4rev2 only. Stable, so it can be a key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.wire
    }

    /// The name as an argument of a command.
    pub(super) fn quoted(&self) -> String {
        quoted(&self.wire)
    }
}

/// Whether two names on the wire are one folder's: only INBOX has no case (RFC 9051, 5.1).
pub(super) fn is_same(one: &str, other: &str) -> bool {
    one == other || (one.eq_ignore_ascii_case("INBOX") && other.eq_ignore_ascii_case("INBOX"))
}

/// A quoted string. Line ends cannot be in it: names are encoded before, credentials are checked before.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Modified UTF-7: what is not printable ASCII becomes `&…-`, and `&` becomes `&-`.
fn encode(name: &str) -> String {
    let mut out = String::new();
    let mut pending = Vec::new();
    for c in name.chars() {
        if (' '..='~').contains(&c) {
            flush(&mut pending, &mut out);
            out.push(c);
            if c == '&' {
                out.push('-');
            }
        } else {
            let mut units = [0; 2];
            pending.extend(
                c.encode_utf16(&mut units)
                    .iter()
                    .flat_map(|unit| unit.to_be_bytes()),
            );
        }
    }
    flush(&mut pending, &mut out);
    out
}

fn flush(pending: &mut Vec<u8>, out: &mut String) {
    if !pending.is_empty() {
        let base64 = GeneralPurpose::new(&IMAP_MUTF7, NO_PAD);
        out.push('&');
        base64.encode_string(&pending, out);
        out.push('-');
        pending.clear();
    }
}

/// The server's folder for a special use (RFC 6154), such as `\Junk`.
pub(super) async fn special(
    wire: &mut Wire,
    known: Capabilities,
    name: &str,
) -> Result<Folder, InboxError> {
    let mut listed = Vec::new();
    if known.has("SPECIAL-USE") {
        // a server may list without the attributes unless it is asked for them (RFC 6154, 5.2)
        let asked = list(wire, "LIST \"\" \"*\" RETURN (SPECIAL-USE)").await;
        listed = match asked {
            Err(InboxError::Refused { .. }) => Vec::new(),
            other => other?,
        };
    }
    if listed.is_empty() {
        listed = list(wire, "LIST \"\" \"*\"").await?;
    }
    let by_use = listed
        .iter()
        .find(|(uses, _)| uses.iter().any(|u| u.eq_ignore_ascii_case(name)));
    match by_use.or_else(|| by_name(&listed, name)) {
        Some((_, found)) => Ok(Folder {
            wire: found.clone(),
        }),
        None => Err(InboxError::NoSuchFolder {
            at: wire.at.clone(),
            folder: super::text::clean(name),
        }),
    }
}

/// Whether the server lists the folder. One that refuses to tell is believed to have it: its first refusal
/// says more then.
pub(super) async fn exists(wire: &mut Wire, folder: &Folder) -> Result<bool, InboxError> {
    let mut listed = false;
    let line = format!("LIST \"\" {}", folder.quoted());
    let told = wire
        .command("LIST", &[&line], |response| {
            listed |= matches!(response, Response::MailboxData(MailboxDatum::List(_)));
        })
        .await;
    match told {
        Ok(_) => Ok(listed),
        Err(InboxError::Refused { .. }) => Ok(true),
        Err(error) => Err(error),
    }
}

/// Special uses and names.
type Listed = Vec<(Vec<String>, String)>;

fn by_name<'a>(listed: &'a Listed, name: &str) -> Option<&'a (Vec<String>, String)> {
    let junk = name.eq_ignore_ascii_case("\\Junk");
    let fits = |found: &str| {
        JUNK_NAMES
            .iter()
            .any(|known| known.eq_ignore_ascii_case(found))
    };
    listed.iter().find(|(_, found)| junk && fits(found))
}

async fn list(wire: &mut Wire, line: &str) -> Result<Listed, InboxError> {
    let mut found = Listed::new();
    wire.command("LIST", &[line], |response| {
        if let Response::MailboxData(MailboxDatum::List(data)) = response {
            found.extend(entry(data));
        }
    })
    .await?;
    Ok(found)
}

/// A folder worth keeping: one with a special use, or with a name that may tell one. Mailboxes of
/// thousands of folders exist.
fn entry(data: &MailboxListData<'_>) -> Option<(Vec<String>, String)> {
    if data.name_attributes.contains(&NameAttribute::NoSelect) {
        return None;
    }
    let uses: Vec<String> = data
        .name_attributes
        .iter()
        .filter_map(special_use)
        .collect();
    let named = JUNK_NAMES
        .iter()
        .any(|known| known.eq_ignore_ascii_case(&data.name));
    (named || !uses.is_empty()).then(|| (uses, data.name.clone().into_owned()))
}

fn special_use(attribute: &NameAttribute<'_>) -> Option<String> {
    let name = match attribute {
        NameAttribute::All => "\\All",
        NameAttribute::Archive => "\\Archive",
        NameAttribute::Drafts => "\\Drafts",
        NameAttribute::Flagged => "\\Flagged",
        NameAttribute::Junk => "\\Junk",
        NameAttribute::Sent => "\\Sent",
        NameAttribute::Trash => "\\Trash",
        NameAttribute::Extension(other) if !is_structural(other) => other,
        _ => return None,
    };
    Some(name.to_owned())
}

/// Attributes about the hierarchy, not about the use (RFC 3348, RFC 5258).
fn is_structural(name: &str) -> bool {
    [
        "\\HasChildren",
        "\\HasNoChildren",
        "\\Subscribed",
        "\\NonExistent",
        "\\Remote",
    ]
    .iter()
    .any(|known| known.eq_ignore_ascii_case(name))
}

#[cfg(test)]
#[path = "folder_tests.rs"]
mod tests;
