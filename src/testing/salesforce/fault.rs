//! How a log-in fails.
//!
//! Knows Salesforce's own refusals by both ways, and the misfortunes between here and there. Never decides when one
//! happens: the test does.

use std::time::Duration;

/// How a log-in fails, whatever it brings.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// SOAP's `login()`, or OAuth's password flow, is switched off for the org.
    LoginDisabled,
    /// The user lacks "Use Any API Auth".
    PermissionMissing,
    /// The org has no API.
    ApiDisabled,
    /// The password has expired; the log-in succeeds, and its session is good for a new password only.
    PasswordExpired,
    /// Not from this address.
    IpRestricted,
    /// Not at this hour.
    HoursRestricted,
    /// The user is locked out, and Salesforce says so.
    LockedOut,
    /// A second factor is wanted.
    ChallengeIssued,
    /// The API's version has been removed.
    UnsupportedVersion,
    /// Too many log-ins.
    RateLimited,
    /// Salesforce's own word for "not now".
    ServerUnavailable,
    /// A code that nobody has heard of.
    Unheard,
    /// A page with this status, and nothing of Salesforce's.
    Status(u16),
    /// A page for people, as from a captive portal, with status 200.
    Html,
    /// Bytes that are neither XML nor JSON.
    Garbage,
    /// An answer without an end in sight.
    Huge,
    /// Somewhere else, please.
    Redirect(String),
    /// Nothing; the connection stays open.
    Silence,
    /// The connection is cut once the request has come.
    Cut,
    /// The right answer, later.
    Slow(Duration),
    /// This body, with this status.
    Answer(u16, String),
}

impl Fault {
    /// The fault that a word stands for: the names above, in the form `login_disabled`; `status_503`; `slow_2000` is in
    /// milliseconds. `Redirect` and `Answer` have none.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        let number = |start: &str| word.strip_prefix(start)?.parse().ok();
        Some(match word {
            "login_disabled" => Self::LoginDisabled,
            "permission_missing" => Self::PermissionMissing,
            "api_disabled" => Self::ApiDisabled,
            "password_expired" => Self::PasswordExpired,
            "ip_restricted" => Self::IpRestricted,
            "hours_restricted" => Self::HoursRestricted,
            "locked_out" => Self::LockedOut,
            "challenge_issued" => Self::ChallengeIssued,
            "unsupported_version" => Self::UnsupportedVersion,
            "rate_limited" => Self::RateLimited,
            "server_unavailable" => Self::ServerUnavailable,
            "unheard" => Self::Unheard,
            "html" => Self::Html,
            "garbage" => Self::Garbage,
            "huge" => Self::Huge,
            "silence" => Self::Silence,
            "cut" => Self::Cut,
            _ => match number("slow_") {
                Some(milliseconds) => Self::Slow(Duration::from_millis(milliseconds)),
                None => {
                    let status = number("status_").filter(|status| (200..600).contains(status));
                    Self::Status(u16::try_from(status?).ok()?)
                }
            },
        })
    }

    /// SOAP's exception code and message, if Salesforce itself refuses.
    pub(super) fn soap(&self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            Self::LoginDisabled => (
                "INVALID_OPERATION",
                "SOAP API login() is disabled by default in this org. Contact the org administrator to enable SOAP API login().",
            ),
            Self::PermissionMissing => ("INSUFFICIENT_ACCESS", "insufficient access rights"),
            Self::ApiDisabled => ("API_DISABLED_FOR_ORG", "API is disabled for this User"),
            Self::IpRestricted => (
                "LOGIN_DURING_RESTRICTED_DOMAIN",
                "The user is not allowed to log in from this IP address",
            ),
            Self::HoursRestricted => (
                "LOGIN_DURING_RESTRICTED_TIME",
                "The user is not allowed to log in during this time period",
            ),
            Self::LockedOut => ("PASSWORD_LOCKOUT", "Password lockout"),
            Self::ChallengeIssued => ("LOGIN_CHALLENGE_ISSUED", "An email has been sent"),
            Self::UnsupportedVersion => (
                "UNSUPPORTED_API_VERSION",
                "Invalid Api version specified on URL",
            ),
            Self::RateLimited => ("REQUEST_LIMIT_EXCEEDED", "Login rate exceeded"),
            Self::ServerUnavailable => ("SERVER_UNAVAILABLE", "Server is unavailable"),
            Self::Unheard => ("NOBODY_HAS_HEARD_OF_IT", "something new"),
            _ => return None,
        })
    }

    /// OAuth's error and description, likewise.
    pub(super) fn oauth(&self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            // a flow that is blocked looks as a wrong password does
            Self::LoginDisabled => ("invalid_grant", "authentication failure"),
            Self::PermissionMissing => (
                "invalid_app_access",
                "user is not admin approved to access this app",
            ),
            Self::ApiDisabled | Self::UnsupportedVersion => (
                "invalid_request",
                "API is not enabled for this Organization",
            ),
            Self::PasswordExpired => ("invalid_grant", "password expired"),
            Self::IpRestricted | Self::HoursRestricted => {
                ("invalid_grant", "ip restricted or invalid login hours")
            }
            Self::LockedOut => ("invalid_grant", "user is locked out"),
            Self::ChallengeIssued => ("invalid_grant", "challenge required"),
            Self::RateLimited => ("rate_limit_exceeded", "login rate exceeded"),
            Self::ServerUnavailable => ("temporarily_unavailable", "try again"),
            Self::Unheard => ("nobody_has_heard_of_it", "something new"),
            _ => return None,
        })
    }
}
