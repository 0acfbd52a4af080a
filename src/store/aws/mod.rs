//! Amazon's two stores: Secrets Manager, and the Parameter Store of Systems Manager.
//!
//! Knows what both share: names, who we are, one signed request, and refusals in plain words. Never lets a token through
//! Amazon's SDK, which only finds credentials. Region, profile and name come from the URL, the rest from where Amazon's
//! tools look.
//!
//! ```text
//! Secret | Parameter ─► api: one request ─► session: credentials, region, endpoint ─► sign ─► http
//!                                             └─ aws-config, on a thread of its own, unheard ─► connector ─► http
//! ```

mod api;
mod connector;
mod endpoint;
mod history;
mod name;
mod open;
mod parameter;
mod quiet;
mod secret;
mod session;
mod sign;
mod trouble;
mod value;
mod wipe;

use crate::ingest::policy::Org;
use crate::store::Key;

pub(super) use open::open;

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Service {
    SecretsManager,
    ParameterStore,
}

impl Service {
    /// What its host names begin with, and what signatures are for.
    fn word(self) -> &'static str {
        match self {
            Self::SecretsManager => "secretsmanager",
            Self::ParameterStore => "ssm",
        }
    }

    /// What `X-Amz-Target` begins with.
    fn target(self) -> &'static str {
        match self {
            Self::SecretsManager => "secretsmanager",
            Self::ParameterStore => "AmazonSSM",
        }
    }

    /// As configuration files and variables name it.
    fn id(self) -> &'static str {
        match self {
            Self::SecretsManager => "Secrets Manager",
            Self::ParameterStore => "SSM",
        }
    }

    /// An action, as policies name it.
    fn action(self, action: &str) -> String {
        format!("{}:{action}", self.word())
    }
}

/// Whom a name is asked about that is nobody's.
fn nobody() -> Key {
    Key {
        username: "sftoken.check".to_owned(),
        org: Org::Production,
    }
}
