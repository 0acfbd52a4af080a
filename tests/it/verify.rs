//! Does the token log in? Against a Salesforce on loopback: each result, one attempt, no secret told.

mod command;
mod oracle;
mod outcomes;
mod quiet;

use std::time::Duration;

use sftoken::Token;
use sftoken::ingest::secret::Secret;
use sftoken::testing::salesforce::SalesforceStub;
use sftoken::verify::{Http, LogIn, Outcome, Way};

use crate::support::salesforce::ANN;

/// Letters that XML, forms and shells have their own thoughts about.
const PASSWORD: &str = "p<w&'\">]]>%+=;é日 \t/&amp;#";
const APP: &str = "3MVG9.app_of_the_test";
const APP_WORD: &str = "app&word=%41+";

/// Both ways.
fn ways() -> [Way; 2] {
    [Way::soap(), oauth(APP_WORD)]
}

fn oauth(secret: &str) -> Way {
    Way::OauthPassword {
        client_id: APP.to_owned(),
        client_secret: Some(Secret::new(secret.to_owned())),
    }
}

/// A Salesforce that knows ANN, and her token.
struct Org {
    stub: SalesforceStub,
    token: Token,
}

impl Org {
    fn new() -> Self {
        let stub = SalesforceStub::start().unwrap();
        stub.add_client(APP, APP_WORD);
        let token = Token::new(&stub.add_user(ANN, PASSWORD)).unwrap();
        Self { stub, token }
    }

    fn log_in(&self, way: Way) -> LogIn {
        let http = Http::new().within(Duration::from_secs(2));
        LogIn::new(way, &self.stub.url(), http)
    }

    fn attempt(&self, way: Way) -> Outcome {
        self.attempt_with(way, PASSWORD, &self.token)
    }

    /// One attempt is one: whatever comes of it.
    #[track_caller]
    fn attempt_with(&self, way: Way, password: &str, token: &Token) -> Outcome {
        let before = self.stub.attempts(ANN);
        let password = Secret::new(password.to_owned());
        let outcome = self.log_in(way).attempt(ANN, &password, token);
        assert_eq!(self.stub.attempts(ANN), before + 1, "{outcome:?}");
        outcome
    }
}
