//! Who in an organization may read a secret.
//!
//! Knows visibilities, and lists of repositories. Never changes what is there: each write says it again as it was, since GitHub
//! takes none without. Its data comes from GitHub; for a secret that is made, from the URL.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{About, GitHub};
use crate::store::{StoreError, StoreErrorKind as Kind};

/// As many repositories as GitHub gives at once.
const PAGE: usize = 100;
const PAGES: usize = 100;

/// Who may read a secret that is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Visibility {
    All,
    Private,
    Selected,
}

impl Visibility {
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "all" => Some(Self::All),
            "private" => Some(Self::Private),
            "selected" => Some(Self::Selected),
            _ => None,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Private => "private",
            Self::Selected => "selected",
        }
    }
}

#[derive(Deserialize)]
struct Page {
    total_count: usize,
    repositories: Vec<Repository>,
}

#[derive(Deserialize)]
struct Repository {
    id: u64,
}

impl GitHub {
    /// What a write to an organization's secret says beside the value.
    pub(super) fn readers(&self, url: &str, before: Option<&About>) -> Result<Value, StoreError> {
        let visibility = match before {
            None => self.visibility,
            Some(about) => {
                let told = about.visibility.as_deref().and_then(Visibility::parse);
                told.ok_or_else(|| self.odd("who may read the secret is not understood"))?
            }
        };
        let mut readers = json!({"visibility": visibility.as_str()});
        if visibility == Visibility::Selected {
            let selected = match before {
                None => Vec::new(),
                Some(_) => self.selected(url)?,
            };
            readers["selected_repository_ids"] = json!(selected);
        }
        Ok(readers)
    }

    fn selected(&self, url: &str) -> Result<Vec<u64>, StoreError> {
        let mut selected = Vec::new();
        for page in 1..=PAGES {
            let url = format!("{url}/repositories?per_page={PAGE}&page={page}");
            let answer = self.ask("GET", &url, None)?;
            if answer.status != 200 {
                return Err(self.refused(&answer));
            }
            let page: Option<Page> = serde_json::from_slice(&answer.body).ok();
            let page =
                page.ok_or_else(|| self.odd("the list of repositories is not understood"))?;
            let last = page.repositories.len() < PAGE;
            let total = page.total_count;
            selected.extend(
                page.repositories
                    .into_iter()
                    .map(|repository| repository.id),
            );
            if last && selected.len() == total {
                return Ok(selected);
            }
            if last {
                return Err(self.fail(
                    Kind::Refused,
                    "the secret is for repositories that the token may not see, which would lose it".to_owned(),
                    "let the token or the app see all of them",
                ));
            }
        }
        Err(self.fail(
            Kind::Corrupt,
            "the secret is for more repositories than are looked at".to_owned(),
            "let it be for all or for all private ones, or give each repository its own",
        ))
    }
}
