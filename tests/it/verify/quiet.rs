//! Nothing that is secret is told, whatever the other side says.

use sftoken::ingest::secret::Secret;
use sftoken::testing::salesforce::Fault;
use sftoken::verify::{LogIn, Outcome};

use super::{APP_WORD, Org, oauth, ways};
use crate::support::salesforce::ANN;

const WORD: &str = "planted_word_of_ann";

/// Answers that give back what was sent, in each place that is read.
fn echoes(login: &str) -> Vec<Fault> {
    let fault = |code: &str, message: &str| {
        format!(
            "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\"><e:Body><e:Fault><faultcode>{code}</faultcode>\
             <faultstring>{message}</faultstring><detail><x><exceptionCode>{code}</exceptionCode><exceptionMessage>{message}</exceptionMessage>\
             </x></detail></e:Fault></e:Body></e:Envelope>"
        )
    };
    let result = format!(
        "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\"><e:Body><loginResponse xmlns=\"urn:partner.soap.sforce.com\">\
         <result><sessionId>{login}</sessionId><userId>0055e0000000001</userId><serverUrl>https://{login}@{login}/</serverUrl>\
         <userInfo><organizationId>{login}</organizationId></userInfo></result></loginResponse></e:Body></e:Envelope>"
    );
    let denied = |error: &str, description: &str| {
        format!("{{\"error\":\"{error}\",\"error_description\":\"{description}\"}}")
    };
    let granted = format!(
        "{{\"access_token\":\"{login}\",\"id\":\"https://x/id/{login}/{login}\",\"instance_url\":\"https://{login}@x\"}}"
    );
    let texts = [
        (500, fault(login, login)),
        (500, fault(WORD, "x")),
        (500, fault("INVALID_LOGIN", login)),
        (200, result),
        (400, denied(login, login)),
        (400, denied(WORD, "x")),
        (400, denied("invalid_grant", login)),
        (200, granted),
        (200, login.to_owned()),
        (302, login.to_owned()),
    ];
    texts
        .into_iter()
        .map(|(status, body)| Fault::Answer(status, body))
        .collect()
}

fn shown(log_in: &LogIn, outcome: &Outcome) -> String {
    let json = serde_json::to_string(outcome).unwrap();
    format!(
        "{outcome} {outcome:?} {outcome:#?} {} {json} {log_in:?} {log_in:#?}",
        outcome.hint()
    )
}

#[test]
fn no_outcome_tells_a_secret() {
    let org = Org::new();
    let login = format!("{WORD}{}", org.token.expose());
    let mut number = 0;
    for echo in echoes(&login) {
        for way in ways() {
            org.stub.fail_next(1, echo.clone());
            let log_in = org.log_in(way);
            let outcome = log_in.attempt(ANN, &Secret::new(WORD.to_owned()), &org.token);
            let shown = shown(&log_in, &outcome);
            for secret in [WORD, org.token.expose(), APP_WORD] {
                assert!(!shown.contains(secret), "{echo:?}: {shown}");
            }
            number += 1;
        }
    }
    assert_eq!(number, 20);
    let log_in = org.log_in(oauth("planted_app_word"));
    let outcome = log_in.attempt(ANN, &Secret::new(WORD.to_owned()), &org.token);
    assert!(!shown(&log_in, &outcome).contains("planted"));
}
