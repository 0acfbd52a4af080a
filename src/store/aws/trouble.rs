//! What AWS says when it does not do it, in plain words.
//!
//! Knows the words of its refusals, and what each asks of a person. Never repeats its sentences: some hold what was sent. Words
//! come from the services and from the SDK.

use aws_credential_types::provider::error::CredentialsError;

use super::Service;
use super::api::{Api, Refusal};
use super::connector::Ended;
use super::session::Session;
use crate::http::{Fault, HttpError};
use crate::store::plain::plain;
use crate::store::remote::unanswered;
use crate::store::{StoreError, StoreErrorKind as Kind};

/// What a refusal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Who we are: others may be there by now.
    Credentials,
    /// The service has too much to do, or a trouble of its own.
    Busy,
    /// What we may do.
    Permission,
    /// The key that secrets are encrypted with.
    Kms,
    /// A quota.
    Limit,
    /// Anything else.
    Other,
}

const AGAIN: &str = "nothing to do if it passes: it will be tried again";

impl Refusal {
    pub(super) fn is(&self, code: &str) -> bool {
        self.code == code
    }

    pub(super) fn trouble(&self) -> Trouble {
        match self.code.as_str() {
            "ExpiredTokenException"
            | "ExpiredToken"
            | "RequestExpired"
            | "UnrecognizedClientException"
            | "InvalidClientTokenId"
            | "InvalidAccessKeyId"
            | "AuthFailure"
            | "InvalidSignatureException"
            | "SignatureDoesNotMatch"
            | "IncompleteSignature"
            | "IncompleteSignatureException"
            | "MissingAuthenticationToken"
            | "MissingAuthenticationTokenException" => Trouble::Credentials,
            "ThrottlingException"
            | "Throttling"
            | "ThrottledException"
            | "TooManyRequestsException"
            | "TooManyUpdates"
            | "RequestLimitExceeded"
            | "RequestThrottled"
            | "SlowDown"
            | "InternalServiceError"
            | "InternalServerError"
            | "InternalFailure"
            | "ServiceUnavailable" => Trouble::Busy,
            "EncryptionFailure" | "DecryptionFailure" | "InvalidKeyId" => Trouble::Kms,
            code if code.contains("KMS") => Trouble::Kms,
            // NOTE: AWS has no word of its own for a key that we may not use.
            "AccessDeniedException" | "AccessDenied" if self.speaks_of_kms() => Trouble::Kms,
            "AccessDeniedException" | "AccessDenied" => Trouble::Permission,
            "LimitExceededException"
            | "ParameterLimitExceeded"
            | "ParameterMaxVersionLimitExceeded" => Trouble::Limit,
            _ if self.status == 429 || self.status >= 500 => Trouble::Busy,
            _ => Trouble::Other,
        }
    }

    fn speaks_of_kms(&self) -> bool {
        let words = ["KMS", "kms:", "customer master key", "ciphertext"];
        words.iter().any(|word| self.sentence.contains(word))
    }

    fn is_about_time(&self) -> bool {
        let words = ["Signature expired", "Signature not yet current"];
        words.iter().any(|word| self.sentence.contains(word))
    }
}

impl Api {
    /// A refusal that has no meaning of its own for what was asked.
    pub(super) fn refused(&self, action: &str, name: &str, refusal: &Refusal) -> StoreError {
        let action = self.service().action(action);
        match refusal.trouble() {
            Trouble::Credentials => self.not_us(refusal),
            Trouble::Busy => {
                let problem = match refusal.status {
                    500.. => "AWS has a trouble of its own",
                    _ => "AWS asks to slow down",
                };
                self.fail(Kind::Unreachable, told(problem, refusal), AGAIN)
            }
            Trouble::Permission => {
                let problem = format!("these credentials may not {action} on {name}");
                let hint = format!(
                    "allow {action} on it in their policy: docs/stores.md has the smallest one; a deny of the organization wins over it"
                );
                self.fail(Kind::Refused, problem, &hint)
            }
            Trouble::Kms => {
                let problem = told(&format!("{action} fails for its KMS key"), refusal);
                let hint = "see that the key is enabled, and that these credentials may kms:Decrypt and kms:GenerateDataKey with it (a parameter: kms:Encrypt)";
                self.fail(Kind::Refused, problem, hint)
            }
            Trouble::Limit => {
                let problem = told("a quota of the account is reached", refusal);
                let hint = "remove what is not needed, or ask AWS for more; parameters with labels on all versions take no new one";
                self.fail(Kind::Refused, problem, hint)
            }
            Trouble::Other => self.otherwise(&action, name, refusal),
        }
    }

    fn otherwise(&self, action: &str, name: &str, refusal: &Refusal) -> StoreError {
        let (problem, hint) = match refusal.code.as_str() {
            "InvalidRequestException" if refusal.sentence.contains("delet") => (
                format!("the secret {name} is scheduled for deletion"),
                format!(
                    "take it back (`aws secretsmanager restore-secret --secret-id {name}`), or wait until it is gone"
                ),
            ),
            "ValidationException" | "ParameterPatternMismatchException" => (
                told(
                    &format!("AWS does not take the name or the value of {name}"),
                    refusal,
                ),
                "check the name in the store's URL; a parameter's allowed pattern must fit tokens"
                    .to_owned(),
            ),
            _ => (
                told(&format!("AWS refuses {action} on {name}"), refusal),
                "see CloudTrail for what it says, and check the store's URL".to_owned(),
            ),
        };
        self.fail(Kind::Refused, problem, &hint)
    }

    fn not_us(&self, refusal: &Refusal) -> StoreError {
        let (problem, hint) = match refusal.code.as_str() {
            "ExpiredTokenException" | "ExpiredToken" => (
                "the credentials have expired",
                "get new ones where they come from (`aws sso login`, or whoever writes AWS_SESSION_TOKEN); roles renew themselves",
            ),
            "UnrecognizedClientException" | "InvalidClientTokenId" | "InvalidAccessKeyId" => (
                "AWS does not know these credentials",
                "see `aws sts get-caller-identity`: the access key may be deleted, or of another partition; a temporary one needs its session token",
            ),
            "RequestExpired" => (CLOCK, SET_CLOCK),
            _ if refusal.is_about_time() => (CLOCK, SET_CLOCK),
            _ => (
                "the signature does not fit the access key",
                "check the secret access key, and this machine's clock; a proxy must not change requests",
            ),
        };
        self.fail(Kind::Refused, told(problem, refusal), hint)
    }

    pub(super) fn fail(&self, kind: Kind, problem: String, hint: &str) -> StoreError {
        StoreError::new(self.shown(), kind, problem, hint)
    }

    /// NOTE: a note that a newer version wrote must not pass for none, or an older token could win.
    pub(super) fn unread_note(&self, place: &str) -> StoreError {
        let problem =
            format!("the note in {place}, which says how new the token is, cannot be read");
        let hint = "update sftoken, if a newer one has written it; otherwise remove the note, and the next token writes it anew";
        self.fail(Kind::Corrupt, problem, hint)
    }

    pub(super) fn no_token(&self, name: &str) -> StoreError {
        let hint = match self.service() {
            Service::SecretsManager => {
                "if it is not wanted, remove the field; the next token makes a new one"
            }
            Service::ParameterStore => {
                "the next token replaces it; give sftoken a parameter of its own"
            }
        };
        self.fail(Kind::Corrupt, format!("{name} holds no token"), hint)
    }
}

const CLOCK: &str = "this machine's clock is not AWS's";
const SET_CLOCK: &str = "set this machine's clock (NTP): more than five minutes are too many";

/// With AWS's own word.
fn told(problem: &str, refusal: &Refusal) -> String {
    match refusal.code.is_empty() {
        true => format!("{problem} (HTTP {})", refusal.status),
        false => format!("{problem} ({})", plain(&refusal.code)),
    }
}

pub(super) fn wrong(session: &Session, problem: impl Into<String>, hint: &str) -> StoreError {
    StoreError::new(&session.shown, Kind::Misconfigured, problem, hint)
}

/// What to say when there was no answer: AWS always speaks TLS.
pub(super) fn unreached(shown: &str, error: HttpError) -> StoreError {
    let hint = match error.fault {
        Fault::ConnectionFailed | Fault::Handshake | Fault::NoHttp | Fault::NoAddress => {
            "check the region and the endpoint, this machine's network and DNS, and HTTPS_PROXY if there is one; it will be tried again"
        }
        _ => return unanswered(shown, error),
    };
    StoreError {
        hint: hint.to_owned(),
        ..unanswered(shown, error)
    }
}

/// Why there are no credentials. NOTE: by kind and by who was asked last: the SDK's own texts may repeat lines of files, and what
/// programs print.
pub(super) fn no_credentials(
    session: &Session,
    error: &CredentialsError,
    last: Option<Ended>,
) -> StoreError {
    let of = match &session.profile {
        Some(profile) => format!("the profile {profile}"),
        None => "this machine".to_owned(),
    };
    let see = match &session.profile {
        Some(profile) => format!("see `aws sts get-caller-identity --profile {profile}`"),
        None => "see `aws sts get-caller-identity`".to_owned(),
    };
    let fail =
        |kind, problem: String, hint: String| StoreError::new(&session.shown, kind, problem, hint);
    match (error, last) {
        (CredentialsError::CredentialsNotLoaded(_), _) => fail(
            Kind::Misconfigured,
            format!("{of} has no AWS credentials"),
            format!(
                "{see}; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, log in (`aws configure sso`), run where a role is given, or name an access key in the store's URL (docs/stores.md)"
            ),
        ),
        (CredentialsError::InvalidConfiguration(_), _) => fail(
            Kind::Misconfigured,
            format!("the AWS configuration of {of} does not hold"),
            format!("{see}; check the files config and credentials in ~/.aws"),
        ),
        (CredentialsError::ProviderTimedOut(_), _) => session.too_late(),
        (_, Some(Ended::Unanswered(error))) => unreached(&session.shown, error),
        (_, Some(Ended::Answered { host, status })) => {
            let kind = match status {
                429 | 500.. => Kind::Unreachable,
                _ => Kind::Refused,
            };
            let problem = format!(
                "no credentials: {} answered with HTTP {status}",
                plain(&host)
            );
            fail(
                kind,
                problem,
                format!(
                    "{see}: a role that may not be taken, or a log-in that has expired (`aws sso login`)"
                ),
            )
        }
        (_, None) => fail(
            Kind::Locked,
            format!("{of} gives no AWS credentials now"),
            format!(
                "{see}: a log-in that has expired (`aws sso login`), or a credential_process that fails"
            ),
        ),
    }
}
