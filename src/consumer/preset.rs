//! The names that well-known consumers look for.
//!
//! Knows, for each, its variables and what stands in them. Never guesses: each row has its source. Used
//! by whoever writes `preset = "restforce"`.

use super::field::Field::{
    self, Airflow, Domain, Host, Login, Password, Sandbox, Token, Url, Username,
};
use super::wanted::Wanted;

/// A name, what stands in it, and whether it may be absent where no password is known.
type Row = (&'static str, Field, bool);

const NEEDED: bool = false;
const IF_KNOWN: bool = true;

/// Every preset, by name.
pub const PRESETS: &[(&str, &[Row])] = &[
    // The library reads no variables: these are what most scripts around it read, and hand to its arguments
    // username, password, security_token and domain (simple_salesforce/login.py).
    (
        "simple-salesforce",
        &[
            ("SF_USERNAME", Username, NEEDED),
            ("SF_PASSWORD", Password, IF_KNOWN),
            ("SF_SECURITY_TOKEN", Token, NEEDED),
            ("SF_DOMAIN", Domain, NEEDED),
        ],
    ),
    // restforce, lib/restforce/config.rb
    (
        "restforce",
        &[
            ("SALESFORCE_USERNAME", Username, NEEDED),
            ("SALESFORCE_PASSWORD", Password, IF_KNOWN),
            ("SALESFORCE_SECURITY_TOKEN", Token, NEEDED),
            ("SALESFORCE_HOST", Host, NEEDED),
        ],
    ),
    // CumulusCI, cumulusci/tasks/push/README.md: "password and security token"
    (
        "cumulusci",
        &[
            ("SF_USERNAME", Username, NEEDED),
            ("SF_PASSWORD", Login, NEEDED),
            ("SF_SERVERURL", Url, NEEDED),
        ],
    ),
    // MeltanoLabs tap-salesforce, README: settings as TAP_SALESFORCE_…
    (
        "meltano",
        &[
            ("TAP_SALESFORCE_USERNAME", Username, NEEDED),
            ("TAP_SALESFORCE_PASSWORD", Password, IF_KNOWN),
            ("TAP_SALESFORCE_SECURITY_TOKEN", Token, NEEDED),
            ("TAP_SALESFORCE_IS_SANDBOX", Sandbox, NEEDED),
        ],
    ),
    // Airflow's Salesforce provider, "Salesforce Connection"; its default connection
    (
        "airflow",
        &[("AIRFLOW_CONN_SALESFORCE_DEFAULT", Airflow, NEEDED)],
    ),
    // Data Loader reads no variables: a script puts these into sfdc.username, sfdc.password (encrypted
    // first) and sfdc.endpoint (AppConfig.java)
    (
        "dataloader",
        &[
            ("SFDC_USERNAME", Username, NEEDED),
            ("SFDC_PASSWORD", Login, NEEDED),
            ("SFDC_ENDPOINT", Url, NEEDED),
        ],
    ),
    // Kafka Connect: for ${env:…} in salesforce.username, salesforce.password and
    // salesforce.password.token (docs.confluent.io; EnvVarConfigProvider, KIP-887)
    (
        "kafka-connect",
        &[
            ("SALESFORCE_USERNAME", Username, NEEDED),
            ("SALESFORCE_PASSWORD", Password, IF_KNOWN),
            ("SALESFORCE_PASSWORD_TOKEN", Token, NEEDED),
        ],
    ),
];

/// The variables of a preset, if there is one of this name.
#[must_use]
pub fn preset(name: &str) -> Option<Vec<Wanted>> {
    let (_, rows) = PRESETS.iter().find(|(known, _)| *known == name)?;
    let wanted = |&(name, field, if_known): &Row| Wanted::named(name, field, if_known);
    Some(rows.iter().map(wanted).collect())
}
