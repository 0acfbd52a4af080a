//! Why Salesforce refuses a log-in.
//!
//! Knows the exception codes of the SOAP API and the errors of OAuth that a log-in can get, as reasons. Never
//! tells more than Salesforce does: one answer stands for a wrong password, a wrong token and a locked user. Codes come from answers.

use std::fmt;

use serde::Serialize;

use super::{Cause, Failed};

/// A refused log-in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// Who refused: `host` or `host:port`.
    pub host: String,
    /// Why, as far as it can be told.
    pub why: Why,
    /// Salesforce's own code, if it is one; the organization, if that is another one.
    pub code: Option<String>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} refuses the log-in: {}", self.host, self.why)?;
        match &self.code {
            Some(code) => write!(f, " ({code})"),
            None => Ok(()),
        }
    }
}

/// Reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Why {
    /// Wrong username, password or token, or a locked user.
    InvalidLogin,
    /// From here a token is wanted, and this is not it.
    WrongToken,
    /// The same of OAuth, which also says so when the flow is blocked.
    InvalidGrant,
    /// Too many wrong log-ins.
    LockedOut,
    /// This way is switched off for the org.
    LoginDisabled,
    /// The user may not log in this way.
    PermissionMissing,
    /// The org or the user has no API.
    ApiDisabled,
    /// The password must be changed first.
    PasswordExpired,
    /// Not from this address, or not at this hour.
    IpOrHoursRestricted,
    /// A second factor is wanted.
    ChallengeRequired,
    /// The user is not active.
    UserInactive,
    /// The org is locked or expired.
    OrganizationUnusable,
    /// The API's version has no `login()`.
    UnsupportedVersion,
    /// The connected app is not accepted.
    ClientRefused,
    /// The org is somewhere else.
    WrongEndpoint,
    /// The log-in ended in another organization than the configured one.
    OtherOrganization,
    /// A code that is not known here.
    Refused,
}

impl Why {
    /// Every reason.
    pub const ALL: &'static [Self] = &[
        Self::InvalidLogin,
        Self::WrongToken,
        Self::InvalidGrant,
        Self::LockedOut,
        Self::LoginDisabled,
        Self::PermissionMissing,
        Self::ApiDisabled,
        Self::PasswordExpired,
        Self::IpOrHoursRestricted,
        Self::ChallengeRequired,
        Self::UserInactive,
        Self::OrganizationUnusable,
        Self::UnsupportedVersion,
        Self::ClientRefused,
        Self::WrongEndpoint,
        Self::OtherOrganization,
        Self::Refused,
    ];

    /// The stable word for machines.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::InvalidLogin => "invalid_login",
            Self::WrongToken => "wrong_token",
            Self::InvalidGrant => "invalid_grant",
            Self::LockedOut => "locked_out",
            Self::LoginDisabled => "login_disabled",
            Self::PermissionMissing => "permission_missing",
            Self::ApiDisabled => "api_disabled",
            Self::PasswordExpired => "password_expired",
            Self::IpOrHoursRestricted => "ip_or_hours_restricted",
            Self::ChallengeRequired => "challenge_required",
            Self::UserInactive => "user_inactive",
            Self::OrganizationUnusable => "organization_unusable",
            Self::UnsupportedVersion => "unsupported_version",
            Self::ClientRefused => "client_refused",
            Self::WrongEndpoint => "wrong_endpoint",
            Self::OtherOrganization => "other_organization",
            Self::Refused => "refused",
        }
    }

    /// Whether the token may be the reason.
    #[must_use]
    pub fn speaks_against_the_token(self) -> bool {
        matches!(
            self,
            Self::InvalidLogin | Self::WrongToken | Self::InvalidGrant
        )
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(self) -> &'static str {
        match self {
            Self::InvalidLogin => {
                "see the user's Login History in Setup, which tells them apart; do not just try again: wrong log-ins lock the user out"
            }
            Self::WrongToken => "see whether a newer mail has come, or reset the token",
            Self::InvalidGrant => {
                "see the user's Login History in Setup, which tells them apart: \"Username-Password Flow Disabled\" is the org's setting, and not the token"
            }
            Self::LockedOut => {
                "unlock the user in Setup, or wait; then find who still uses the old token or password"
            }
            Self::LoginDisabled => {
                "an administrator enables it in Setup (User Interface, \"Enable SOAP API login()\"; for OAuth, \"Allow OAuth Username-Password Flows\"), or set verify = \"never\""
            }
            Self::PermissionMissing => {
                "give the user the permission \"Use Any API Auth\" (and \"API Enabled\"), or set verify = \"never\""
            }
            Self::ApiDisabled => {
                "give the user's profile \"API Enabled\"; the org's edition must have the API"
            }
            Self::PasswordExpired => {
                "change the password in a browser; that makes a new token, too"
            }
            Self::IpOrHoursRestricted => {
                "see the login IP ranges and login hours of the user's profile; add this machine's address"
            }
            Self::ChallengeRequired => {
                "exempt the user from the second factor for API log-ins, or set verify = \"never\""
            }
            Self::UserInactive => "activate or unfreeze the user in Setup",
            Self::OrganizationUnusable => {
                "ask the org's administrator; a sandbox may be just being refreshed"
            }
            Self::UnsupportedVersion => {
                "SOAP login() has been retired there: use login = \"oauth-password\" where the org allows it, or set verify = \"never\""
            }
            Self::ClientRefused => {
                "check client_id and client_secret of the connected app, and its policies (permitted users, IP relaxation)"
            }
            Self::WrongEndpoint => {
                "check org, or set login_url to the org's My Domain (https://acme.my.salesforce.com)"
            }
            Self::OtherOrganization => {
                "check org, login_url and organization_id: a sandbox has an id of its own"
            }
            Self::Refused => "look the code up in Salesforce's documentation (ExceptionCode)",
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InvalidLogin => {
                "the password or the token is wrong, or the user is locked out or unknown: Salesforce does not tell which"
            }
            Self::WrongToken => "from this address it wants the token, and this is not the one",
            Self::InvalidGrant => {
                "the password or the token is wrong, the user is locked out, or the org blocks this flow: Salesforce does not tell which"
            }
            Self::LockedOut => "the user is locked out after too many wrong log-ins",
            Self::LoginDisabled => "this way to log in is switched off for the org",
            Self::PermissionMissing => "the user lacks the permission to log in this way",
            Self::ApiDisabled => "the API is not enabled for this org or user",
            Self::PasswordExpired => "the password has expired",
            Self::IpOrHoursRestricted => "not from this address, or not at this hour",
            Self::ChallengeRequired => "a second factor is wanted",
            Self::UserInactive => "the user is not active",
            Self::OrganizationUnusable => "the org is locked, expired or not ready",
            Self::UnsupportedVersion => "this version of the API has no login()",
            Self::ClientRefused => "the connected app is not accepted",
            Self::WrongEndpoint => "the org is not at this address",
            Self::OtherOrganization => {
                "the log-in ended in another organization than the configured one"
            }
            Self::Refused => "the reason is not known here",
        })
    }
}

/// An exception code of the SOAP API. `message` is looked at where one code has several meanings.
pub(super) fn of_soap(code: &str, message: &str) -> Failed {
    let why = match code {
        "INVALID_LOGIN" => Why::InvalidLogin,
        "LOGIN_MUST_USE_SECURITY_TOKEN" => Why::WrongToken,
        "PASSWORD_LOCKOUT" => Why::LockedOut,
        // Salesforce's only words for it; the call's name is in every language.
        "INVALID_OPERATION" if message.contains("login()") => Why::LoginDisabled,
        "INSUFFICIENT_ACCESS" | "CLIENT_NOT_ACCESSIBLE_FOR_USER" => Why::PermissionMissing,
        "API_DISABLED_FOR_ORG" => Why::ApiDisabled,
        "INVALID_OPERATION_WITH_EXPIRED_PASSWORD" => Why::PasswordExpired,
        "LOGIN_DURING_RESTRICTED_DOMAIN" | "LOGIN_DURING_RESTRICTED_TIME" => {
            Why::IpOrHoursRestricted
        }
        "LOGIN_CHALLENGE_ISSUED" | "LOGIN_CHALLENGE_PENDING" | "TXN_SECURITY_TWO_FA_REQUIRED" => {
            Why::ChallengeRequired
        }
        "INACTIVE_OWNER_OR_USER" => Why::UserInactive,
        "ORG_LOCKED" | "ORG_IS_SIGNING_UP" | "TRIAL_EXPIRED" => Why::OrganizationUnusable,
        "UNSUPPORTED_API_VERSION" => Why::UnsupportedVersion,
        // What Salesforce says of a call that a version's WSDL does not have.
        "Client" if message.contains("No operation available") => Why::UnsupportedVersion,
        "ORG_NOT_OWNED_BY_INSTANCE" => Why::WrongEndpoint,
        "REQUEST_LIMIT_EXCEEDED" | "LIMIT_EXCEEDED" | "TOO_MANY_APEX_REQUESTS" => {
            return Failed::Unknown(Cause::Throttled, true);
        }
        "SERVER_UNAVAILABLE"
        | "API_CURRENTLY_DISABLED"
        | "FUNCTIONALITY_TEMPORARILY_UNAVAILABLE"
        | "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE"
        | "ORG_IN_MAINTENANCE"
        | "REQUEST_RUNNING_TOO_LONG"
        | "SSO_SERVICE_DOWN"
        | "UNKNOWN_EXCEPTION" => return Failed::Unknown(Cause::Unavailable, true),
        _ => Why::Refused,
    };
    Failed::Refused(why, Some(code.to_owned()))
}

/// An `error` of OAuth with its `error_description`.
pub(super) fn of_oauth(error: &str, description: &str) -> Failed {
    let description = description.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| description.contains(word));
    let why = match error {
        "invalid_grant" if says(&["ip restricted", "login hours"]) => Why::IpOrHoursRestricted,
        "invalid_grant" if says(&["password expired", "expired password"]) => Why::PasswordExpired,
        "invalid_grant" if says(&["inactive user"]) => Why::UserInactive,
        "invalid_grant" if says(&["inactive organization", "inactive org"]) => {
            Why::OrganizationUnusable
        }
        "invalid_grant" if says(&["locked"]) => Why::LockedOut,
        "invalid_grant" if says(&["challenge", "verification required"]) => Why::ChallengeRequired,
        "invalid_grant" if says(&["approved this consumer", "app access"]) => Why::ClientRefused,
        "invalid_grant" if says(&["authentication failure"]) => Why::InvalidGrant,
        "inactive_user" => Why::UserInactive,
        "inactive_org" => Why::OrganizationUnusable,
        "unsupported_grant_type" => Why::LoginDisabled,
        "invalid_client_id"
        | "invalid_client"
        | "invalid_client_credentials"
        | "invalid_app_access"
        | "app_not_found"
        | "unauthorized_client" => Why::ClientRefused,
        "rate_limit_exceeded" => return Failed::Unknown(Cause::Throttled, true),
        "temporarily_unavailable" | "server_error" | "unknown_error" => {
            return Failed::Unknown(Cause::Unavailable, true);
        }
        _ => Why::Refused,
    };
    Failed::Refused(why, Some(error.to_owned()))
}
