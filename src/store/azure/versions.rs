//! A secret's versions, and the newest token among them.
//!
//! Knows pages. Never follows a link to another host: our access token would go there. Its data comes from the vault.

use serde::Deserialize;
use url::Url;

use super::Azure;
use super::note::{self, Tags};
use crate::http::Response;
use crate::store::conditional::Note;
use crate::store::{StoreError, StoreErrorKind as Kind};

/// A page has 25 versions at most, and each token makes one: this is a thousand tokens.
const PAGES: usize = 40;

/// A version that has a note.
pub(super) struct Newest {
    pub(super) id: String,
    pub(super) note: Note,
    pub(super) enabled: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    value: Vec<Item>,
    #[serde(default)]
    next_link: Option<String>,
}

#[derive(Deserialize)]
struct Item {
    id: String,
    attributes: Attributes,
    #[serde(default)]
    tags: Option<Tags>,
}

#[derive(Deserialize)]
struct Attributes {
    enabled: bool,
}

impl Azure {
    /// The version whose note has the highest rank.
    pub(super) fn newest(&self, name: &str) -> Result<Option<Newest>, StoreError> {
        let mut url = self.url(&format!("{name}/versions"));
        let mut newest: Option<Newest> = None;
        for _ in 0..PAGES {
            let answer = self.authorized("GET", &url, None)?;
            let page = match answer.status {
                200 => self.page(&answer)?,
                404 => return Ok(None),
                _ => return Err(self.refused("list the versions of", &answer)),
            };
            for item in page.value {
                let tags = item.tags.unwrap_or_default();
                let note = note::read(&tags).map_err(|()| self.unread_note())?;
                let Some(note) = note
                    .filter(|note| super::newer(note, newest.as_ref().map(|newest| &newest.note)))
                else {
                    continue;
                };
                newest = Some(Newest {
                    id: self.version_of(&item.id)?,
                    note,
                    enabled: item.attributes.enabled,
                });
            }
            match page.next_link.filter(|link| !link.is_empty()) {
                None => return Ok(newest),
                Some(link) => url = self.ours(link)?,
            }
        }
        Err(self.fail(
            Kind::Corrupt,
            format!("the secret {name} has more versions than are looked at"),
            "delete and purge the secret, or name another one; the next token makes a new one",
        ))
    }

    fn page(&self, answer: &Response) -> Result<Page, StoreError> {
        let page = serde_json::from_slice(&answer.body).ok();
        page.ok_or_else(|| self.odd("the list of versions is not understood"))
    }

    /// `https://VAULT/secrets/NAME/VERSION`.
    fn version_of(&self, id: &str) -> Result<String, StoreError> {
        let version = id.rsplit('/').next().unwrap_or_default();
        let fits = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_alphanumeric());
        match fits {
            true => Ok(version.to_owned()),
            false => Err(self.odd("a version's id is not understood")),
        }
    }

    /// A link to the next page, if it leads to the same vault.
    fn ours(&self, link: String) -> Result<String, StoreError> {
        let origin = |text: &str| Url::parse(text).ok().map(|url| url.origin());
        let same = origin(&link).is_some_and(|there| Some(there) == origin(&self.secrets));
        match same {
            true => Ok(link),
            false => Err(self.odd("the list of versions goes on at another host")),
        }
    }
}
