//! Who we are to Azure.
//!
//! Knows a client's secret, a workload's federated token and the machine's managed identity. Never keeps a secret that
//! stands elsewhere, nor shows an answer. Its data comes from the URL, and from what Azure puts into the environment.

use std::path::{Path, PathBuf};

use crate::http::{Http, Response};
use crate::ingest::secret::Secret;
use crate::store::grant;
use crate::store::remote::{Place, unanswered};
use crate::store::session::Grant;
use crate::store::{StoreError, StoreErrorKind as Kind};

/// A way to prove who we are.
#[derive(Debug)]
pub(super) enum LogIn {
    /// An app of the tenant.
    App {
        http: Http,
        /// `https://login.microsoftonline.com/TENANT/oauth2/v2.0/token`.
        url: String,
        client: String,
        /// What the token is for.
        scope: String,
        proof: Proof,
    },
    /// The machine's own identity.
    Machine {
        http: Http,
        url: String,
        /// App Service's header; without one, it is the metadata service of virtual machines.
        header: Option<Secret>,
    },
}

#[derive(Debug)]
pub(super) enum Proof {
    Secret(Place),
    /// A file that the cluster renews.
    Federated(PathBuf),
}

impl LogIn {
    /// A new access token.
    pub(super) fn get(&self, shown: &str) -> Result<Grant, StoreError> {
        match self {
            Self::App {
                http,
                url,
                client,
                scope,
                proof,
            } => {
                let secret = proof.read(shown)?;
                let forget = |error| {
                    proof.forget();
                    error
                };
                let mut form = vec![
                    ("grant_type", "client_credentials"),
                    ("client_id", client),
                    ("scope", scope),
                ];
                match proof {
                    Proof::Secret(_) => form.push(("client_secret", secret.expose())),
                    Proof::Federated(_) => form.extend([
                        (
                            "client_assertion_type",
                            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                        ),
                        ("client_assertion", secret.expose()),
                    ]),
                }
                let answer = grant::post(http, url, &form);
                let answer = answer.map_err(|error| unanswered(shown, error))?;
                match answer.status {
                    200 => granted(shown, &answer),
                    _ => Err(forget(refused_app(shown, &answer))),
                }
            }
            Self::Machine { http, url, header } => {
                let mark = match header {
                    Some(header) => ("X-IDENTITY-HEADER", header.expose()),
                    None => ("Metadata", "true"),
                };
                let answer =
                    grant::get(http, url, &[mark]).map_err(|error| nowhere(shown, &error.host))?;
                match answer.status {
                    200 => granted(shown, &answer),
                    _ => Err(refused_machine(shown, &answer)),
                }
            }
        }
    }
}

impl Proof {
    fn read(&self, shown: &str) -> Result<Secret, StoreError> {
        match self {
            Self::Secret(place) => place.recent(shown).map(|(secret, _)| secret),
            Self::Federated(path) => federated(path, shown),
        }
    }

    /// It was refused: another may stand there next time.
    fn forget(&self) {
        if let Self::Secret(place) = self {
            place.forget();
        }
    }
}

/// NOTE: its mode is the cluster's affair, as for a service account's token.
fn federated(path: &Path, shown: &str) -> Result<Secret, StoreError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Secret::new(text.trim_end().to_owned())),
        Err(error) => Err(StoreError::new(
            shown,
            Kind::Misconfigured,
            format!(
                "the workload's federated token {} cannot be read: {}",
                path.display(),
                error.kind()
            ),
            "run in a pod with workload identity, or say where the token is: federated-token= in the store's URL",
        )),
    }
}

fn granted(shown: &str, answer: &Response) -> Result<Grant, StoreError> {
    grant::read(answer).ok_or_else(|| {
        let problem = "the answer to the log-in holds no token";
        let hint = "check authority= in the store's URL, and that no proxy answers in its place";
        StoreError::new(shown, Kind::Corrupt, problem, hint)
    })
}

/// Statuses that say "not now", for whoever gives tokens.
fn not_now(shown: &str, answer: &Response) -> Option<StoreError> {
    let what = match answer.status {
        // the metadata service says 410 while it is updated (Azure's documentation of managed identities)
        410 | 429 => "the log-in is to slow down",
        500..=599 => "the log-in has a trouble of its own",
        _ => return None,
    };
    let problem = format!("{what} (HTTP {})", answer.status);
    let hint = "nothing to do if it passes: it will be tried again";
    Some(StoreError::new(shown, Kind::Unreachable, problem, hint))
}

/// By Microsoft's numbers (Microsoft's list of AADSTS codes), and none of its words: some repeat what was sent.
fn refused_app(shown: &str, answer: &Response) -> StoreError {
    if let Some(error) = not_now(shown, answer) {
        return error;
    }
    let number = grant::number(answer);
    let (what, hint) = match number {
        Some(7_000_215) => (
            "the client secret is wrong",
            "give the secret's value, not its id, to where the store's URL says",
        ),
        Some(7_000_222) => (
            "the client secret has expired",
            "make a new one, and put it where the store's URL says",
        ),
        Some(700_016) => (
            "the tenant has no such client",
            "check client-id= and tenant= in the store's URL",
        ),
        Some(90_002 | 900_023) => (
            "there is no such tenant",
            "check tenant= and cloud= in the store's URL",
        ),
        Some(70_021 | 700_213 | 700_211 | 700_212) => (
            "no federated credential of the client fits this workload's token",
            "compare issuer, subject and audience of the client's federated credential with the workload's",
        ),
        _ => (
            "the log-in is refused",
            "check tenant= and client-id= in the store's URL, and this machine's clock; see the tenant's sign-in log",
        ),
    };
    let number = number.map_or(String::new(), |number| format!(", AADSTS{number}"));
    let problem = format!("{what} (HTTP {}{number})", answer.status);
    StoreError::new(shown, Kind::Refused, problem, hint)
}

fn refused_machine(shown: &str, answer: &Response) -> StoreError {
    if let Some(error) = not_now(shown, answer) {
        return error;
    }
    let problem = format!(
        "this machine has no such managed identity (HTTP {})",
        answer.status
    );
    let hint = "assign one to the machine; where it has several, name one with client-id= in the store's URL";
    StoreError::new(shown, Kind::Refused, problem, hint)
}

/// Outside Azure nobody answers there; inside, it may be restarting.
fn nowhere(shown: &str, host: &str) -> StoreError {
    let problem = format!("{host}: no managed identity service answers");
    let hint = "elsewhere than on Azure, give tenant=, client-id= and client-secret= in the store's URL; on Azure it will be tried again";
    StoreError::new(shown, Kind::Unreachable, problem, hint)
}
