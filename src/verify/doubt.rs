//! Why it is not known whether the token logs in.
//!
//! Knows every way in which there is no answer, and whether the question may have arrived. Never calls one of them a
//! refusal. Filled by `http` and by the two ways.

use std::fmt;

use serde::Serialize;

use crate::http::{Fault, HttpError};

/// A log-in of which nothing is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Doubt {
    /// Who was asked: `host` or `host:port`.
    pub host: String,
    /// What happened.
    pub cause: Cause,
    /// Whether it may have reached Salesforce, and so been counted.
    pub sent: bool,
}

impl Doubt {
    pub(super) fn unanswered(error: HttpError) -> Self {
        let (cause, sent) = unanswered(&error);
        Self {
            host: error.host,
            cause,
            sent,
        }
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.is_empty() {
            true => self.cause.fmt(f),
            false => write!(f, "{}: {}", self.host, self.cause),
        }
    }
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Cause {
    /// Nobody could be connected to.
    Unreachable,
    /// The connection was cut before there was an answer.
    Cut,
    /// No answer in time.
    Timeout,
    /// The connection cannot be trusted.
    Tls,
    /// Salesforce is not available.
    Unavailable,
    /// Salesforce wants fewer log-ins.
    Throttled,
    /// The answer points elsewhere.
    Redirected,
    /// The answer makes no sense.
    Unreadable,
    /// The endpoint's URL cannot be used.
    Endpoint,
    /// The file of authorities cannot be used.
    CaFile,
    /// The password cannot be sent.
    Unsendable,
}

impl Cause {
    /// Every cause.
    pub const ALL: &'static [Self] = &[
        Self::Unreachable,
        Self::Cut,
        Self::Timeout,
        Self::Tls,
        Self::Unavailable,
        Self::Throttled,
        Self::Redirected,
        Self::Unreadable,
        Self::Endpoint,
        Self::CaFile,
        Self::Unsendable,
    ];

    /// The stable word for machines.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Cut => "cut",
            Self::Timeout => "timeout",
            Self::Tls => "tls",
            Self::Unavailable => "unavailable",
            Self::Throttled => "throttled",
            Self::Redirected => "redirected",
            Self::Unreadable => "unreadable",
            Self::Endpoint => "endpoint",
            Self::CaFile => "ca_file",
            Self::Unsendable => "unsendable",
        }
    }

    /// Whether somebody must change the configuration before it can be any better.
    #[must_use]
    pub fn is_of_the_configuration(self) -> bool {
        matches!(self, Self::Endpoint | Self::CaFile | Self::Unsendable)
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(self) -> &'static str {
        match self {
            Self::Unreachable => {
                "check org or login_url, this machine's DNS and network, and HTTPS_PROXY if there is one"
            }
            Self::Cut | Self::Timeout => "check the network; the attempt may have been counted",
            Self::Tls => {
                "check login_url and this machine's clock; behind a proxy with an authority of its own, name that in ca_file"
            }
            Self::Unavailable => {
                "see https://status.salesforce.com; the attempt may have been counted"
            }
            Self::Throttled => "log in less often: a user has 3600 log-ins an hour",
            Self::Redirected => {
                "set login_url to the org's My Domain (https://acme.my.salesforce.com)"
            }
            Self::Unreadable => {
                "check that login_url is Salesforce's, and that no proxy answers in its place"
            }
            Self::Endpoint => "write login_url as https://acme.my.salesforce.com, without a path",
            Self::CaFile => "give a readable PEM file with the authority's certificate in ca_file",
            Self::Unsendable => {
                "correct the password at the place where its reference points: a control character in it is mostly a line end too many"
            }
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreachable => "nobody can be reached",
            Self::Cut => "the connection was cut before there was an answer",
            Self::Timeout => "no answer in time",
            Self::Tls => "the connection cannot be trusted",
            Self::Unavailable => "Salesforce is not available",
            Self::Throttled => "a limit of log-ins is reached",
            Self::Redirected => "the answer points to another address, which is not asked",
            Self::Unreadable => "the answer is not one of Salesforce's log-in",
            Self::Endpoint => "the address to log in to is not one of https://",
            Self::CaFile => "the file of certificate authorities cannot be used",
            Self::Unsendable => {
                "the username or the password holds a character that cannot be sent"
            }
        })
    }
}

/// What it means that there was no answer, and whether the question may have arrived all the same.
pub(super) fn unanswered(error: &HttpError) -> (Cause, bool) {
    match error.fault {
        Fault::NotHttps => (Cause::Endpoint, false),
        Fault::Authorities(..) => (Cause::CaFile, false),
        Fault::NoAddress | Fault::ConnectionRefused | Fault::NoWay => (Cause::Unreachable, false),
        Fault::Untrusted | Fault::Handshake => (Cause::Tls, false),
        // NOTE: it may have been cut after the question was read.
        Fault::ConnectionFailed => (Cause::Cut, true),
        Fault::Timeout => (Cause::Timeout, true),
        Fault::TooLarge | Fault::NoHttp => (Cause::Unreadable, true),
    }
}

/// What a status means by itself, if the answer says nothing more.
pub(super) fn of_status(status: u16) -> Cause {
    match status {
        300..=399 => Cause::Redirected,
        429 => Cause::Throttled,
        500..=599 => Cause::Unavailable,
        _ => Cause::Unreadable,
    }
}
