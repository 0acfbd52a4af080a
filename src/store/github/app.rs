//! Who we are to GitHub.
//!
//! Knows tokens that are given, and GitHub Apps, whose installations get one for an hour. Never keeps the app's key: it is
//! read for each use. Its data comes from the URL.

use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::GitHub;
use crate::ingest::secret::Secret;
use crate::store::jwt;
use crate::store::remote::Place;
use crate::store::session::{Grant, Granted, Session};
use crate::store::{StoreError, StoreErrorKind as Kind};

/// GitHub takes ten minutes at most, and advises to begin a minute before now, for clocks that differ.
const EARLIER: i64 = 60;
const LATER: i64 = 300;

/// A way to prove who we are.
#[derive(Debug)]
pub(super) enum LogIn {
    /// A token that a person has made.
    Token(Place),
    App(App),
}

/// A GitHub App.
#[derive(Debug)]
pub(super) struct App {
    /// Its id, or its client id.
    pub(super) id: String,
    pub(super) key: Place,
    /// Where it is installed; `None`: GitHub is asked.
    pub(super) installation: Option<String>,
    /// Of whom it is asked: `https://API/orgs/ORG` or `https://API/repos/OWNER/REPO`.
    pub(super) place: String,
    /// `https://API`.
    pub(super) api: String,
    pub(super) session: Session,
}

#[derive(Deserialize)]
struct Installation {
    id: u64,
}

#[derive(Deserialize)]
struct Told {
    token: String,
    expires_at: Timestamp,
}

impl LogIn {
    /// A token that holds, as far as is known.
    pub(super) fn token(&self, github: &GitHub) -> Result<Granted, StoreError> {
        match self {
            Self::Token(place) => {
                let (token, is_fresh) = place.recent(&github.shown)?;
                Ok(Granted { token, is_fresh })
            }
            Self::App(app) => app.session.token(|| app.get(github)),
        }
    }

    /// It does not hold any more.
    pub(super) fn forget(&self) {
        match self {
            Self::Token(place) => place.forget(),
            Self::App(app) => app.session.forget(),
        }
    }
}

impl App {
    fn get(&self, github: &GitHub) -> Result<Grant, StoreError> {
        let ours = self.assertion(github)?;
        let installation = match &self.installation {
            Some(id) => id.clone(),
            None => self.installation(github, &ours)?,
        };
        let url = format!(
            "{}/app/installations/{installation}/access_tokens",
            self.api
        );
        let answer = github.send("POST", &url, None, &ours)?;
        if answer.status != 201 {
            return Err(self.refused(github, answer.status));
        }
        let told: Option<Told> = serde_json::from_slice(&answer.body).ok();
        let told =
            told.ok_or_else(|| github.odd("the answer to the app's log-in holds no token"))?;
        let left = told.expires_at.duration_since(Timestamp::now());
        Ok(Grant {
            token: Secret::new(told.token),
            lives: Duration::try_from(left).unwrap_or_default(),
        })
    }

    fn assertion(&self, github: &GitHub) -> Result<Secret, StoreError> {
        let (key, _) = self.key.recent(&github.shown)?;
        let now = Timestamp::now().as_second();
        let claims = json!({"iss": self.id, "iat": now - EARLIER, "exp": now + LATER});
        jwt::signed(&json!({"alg": "RS256", "typ": "JWT"}), &claims, &key).ok_or_else(|| {
            self.key.forget();
            let problem = "the app's private key is no RSA key in PEM form".to_owned();
            let hint =
                "give the file that GitHub made, to where private-key= in the store's URL says";
            github.fail(Kind::Misconfigured, problem, hint)
        })
    }

    fn installation(&self, github: &GitHub, ours: &Secret) -> Result<String, StoreError> {
        let answer = github.send("GET", &format!("{}/installation", self.place), None, ours)?;
        if answer.status != 200 {
            return Err(self.refused(github, answer.status));
        }
        let told: Option<Installation> = serde_json::from_slice(&answer.body).ok();
        let told = told.ok_or_else(|| github.odd("the app's installation is not understood"))?;
        Ok(told.id.to_string())
    }

    fn refused(&self, github: &GitHub, status: u16) -> StoreError {
        self.key.forget();
        let (what, hint) = match status {
            401 => (
                "GitHub does not take the app's key",
                "check app= and private-key= in the store's URL, and this machine's clock",
            ),
            403 => (
                "the app's installation is suspended",
                "see the installed apps in the settings of the organization or the account",
            ),
            404 => (
                "the app is not installed there",
                "install it on the repository or the organization; check installation= in the store's URL, if it is given",
            ),
            _ => (
                "the app's log-in is refused",
                "check app= in the store's URL",
            ),
        };
        github.fail(Kind::Refused, format!("{what} (HTTP {status})"), hint)
    }
}
