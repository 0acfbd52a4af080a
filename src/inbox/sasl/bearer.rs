//! OAUTHBEARER (RFC 7628) and XOAUTH2 (Google's older form): an access token.
//!
//! Knows both messages, and the challenge by which a server tells why it refuses. Never sends the token
//! twice: that challenge is answered once, with nothing (facts, 4.2 row 16). Its data comes from a source of
//! tokens.

use serde_json::Value;
use zeroize::Zeroizing;

use super::{ASKS_FOR_MORE, Answer, Fault, Mechanism, empty};
use crate::inbox::text::clean;
use crate::ingest::secret::joined;

/// The largest reason of a refusal that is looked at.
const MAX_REASON: usize = 8 * 1024;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::inbox) enum Form {
    /// RFC 7628.
    OAuthBearer,
    /// As Google and Microsoft document it.
    XOAuth2,
}

/// A log-in with an access token.
pub(in crate::inbox) struct Bearer {
    form: Form,
    message: Answer,
    token: Zeroizing<String>,
    refused: bool,
    detail: Option<String>,
}

impl Bearer {
    /// For a user and a token; `at` is the server's `host:port`.
    pub(in crate::inbox) fn new(form: Form, user: &str, token: &str, at: &str) -> Self {
        let message = match form {
            Form::XOAuth2 => joined(&["user=", user, "\x01auth=Bearer ", token, "\x01\x01"]),
            Form::OAuthBearer => {
                let (host, port) = at.rsplit_once(':').unwrap_or((at, "993"));
                let user = user.replace('=', "=3D").replace(',', "=2C");
                let head = format!("n,a={user},\x01host={host}\x01port={port}\x01auth=Bearer ");
                joined(&[&head, token, "\x01\x01"])
            }
        };
        Self {
            form,
            message: Zeroizing::new(message.as_bytes().to_vec()),
            token: Zeroizing::new(token.to_owned()),
            refused: false,
            detail: None,
        }
    }

    /// The server's reason, from its JSON: `status` and `scope` (RFC 7628, 3.2.2).
    fn reason(&self, challenge: &[u8]) -> Option<String> {
        let json: Value = serde_json::from_slice(challenge.get(..MAX_REASON).unwrap_or(challenge))
            .ok()
            .filter(Value::is_object)?;
        let told = ["status", "scope"].iter().filter_map(|&key| {
            let value = match json.get(key)? {
                Value::String(text) => clean(text),
                Value::Number(number) => number.to_string(),
                _ => return None,
            };
            (!value.is_empty() && !value.contains(self.token.as_str()))
                .then(|| format!("{key} {value}"))
        });
        let told: Vec<String> = told.collect();
        (!told.is_empty()).then(|| told.join(", "))
    }
}

impl Mechanism for Bearer {
    fn name(&self) -> &'static str {
        match self.form {
            Form::OAuthBearer => "OAUTHBEARER",
            Form::XOAuth2 => "XOAUTH2",
        }
    }

    fn begin(&mut self) -> Answer {
        self.message.clone()
    }

    fn answer(&mut self, challenge: &[u8]) -> Result<Answer, Fault> {
        if std::mem::replace(&mut self.refused, true) {
            return Err(ASKS_FOR_MORE);
        }
        self.detail = self.reason(challenge);
        Ok(match self.form {
            Form::OAuthBearer => Zeroizing::new(vec![1]),
            Form::XOAuth2 => empty(),
        })
    }

    fn finish(&self) -> Result<(), Fault> {
        match self.refused {
            true => Err(Fault::Challenge("the server takes a token that it refused")),
            false => Ok(()),
        }
    }

    fn detail(&self) -> Option<String> {
        self.detail.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==";

    /// Google's documentation of XOAUTH2; RFC 7628, 4.1.
    #[test]
    fn the_messages_are_those_of_the_documents() {
        let mut old = Bearer::new(Form::XOAuth2, "someuser@example.com", TOKEN, "x:1");
        let said = format!("user=someuser@example.com\x01auth=Bearer {TOKEN}\x01\x01");
        assert_eq!(*old.begin(), said.as_bytes());
        let at = "server.example.com:143";
        let mut new = Bearer::new(Form::OAuthBearer, "user@example.com", TOKEN, at);
        let said = format!(
            "n,a=user@example.com,\x01host=server.example.com\x01port=143\x01auth=Bearer {TOKEN}\x01\x01"
        );
        assert_eq!(*new.begin(), said.as_bytes());
        let mut odd = Bearer::new(Form::OAuthBearer, "a=b,c", TOKEN, at);
        assert!(odd.begin().starts_with(b"n,a=a=3Db=2Cc,\x01"));
    }

    #[test]
    fn a_refusal_is_answered_once_and_never_with_the_token() {
        let reason = br#"{"status":"401","schemes":"bearer","scope":"https://mail.example/"}"#;
        for (form, answer) in [(Form::XOAuth2, &b""[..]), (Form::OAuthBearer, b"\x01")] {
            let mut bearer = Bearer::new(form, "user", TOKEN, "x:1");
            bearer.begin();
            assert_eq!(*bearer.answer(reason).unwrap(), answer);
            let detail = bearer.detail().unwrap();
            assert_eq!(detail, "status 401, scope https://mail.example/");
            assert_eq!(bearer.answer(reason), Err(ASKS_FOR_MORE));
            assert!(bearer.finish().is_err());
        }
    }

    #[test]
    fn a_reason_is_cleaned_and_holds_no_token() {
        let detail = |reason: &str| {
            let mut bearer = Bearer::new(Form::XOAuth2, "user", TOKEN, "x:1");
            bearer.answer(reason.as_bytes()).unwrap();
            bearer.detail()
        };
        assert_eq!(detail(r#"{"status":400}"#).as_deref(), Some("status 400"));
        assert_eq!(
            detail("{\"status\":\"4\\u001b[0m\"}").as_deref(),
            Some("status 4\\u{1b}[0m")
        );
        let echo = format!(r#"{{"status":"bad","scope":"{TOKEN}"}}"#);
        assert_eq!(detail(&echo).as_deref(), Some("status bad"));
        for none in ["", "no JSON", "[1]", "{}", r#"{"status":{}}"#] {
            assert_eq!(detail(none), None, "{none}");
        }
        let large = format!(r#"{{"scope":"{}"}}"#, "x".repeat(MAX_REASON));
        assert_eq!(detail(&large), None);
    }
}
