//! Which variables of the environment hold secrets of ours.
//!
//! Knows every reference that a configuration holds. Never reads one. What is named here is kept from the
//! programs that sftoken starts.

use std::collections::BTreeSet;

use super::auth::OauthGrant;
use super::{Account, Config, LoginWay, Mailbox, Webhook, WebhookUrl};
use crate::secret::SecretRef;

impl Config {
    /// Variables that hold secrets of the mailboxes, the stores, the webhook and the apps that tokens are tried with:
    /// `env:` references, and what an `exec:` store's URL passes on to its program.
    #[must_use]
    pub fn private_variables(&self) -> Vec<String> {
        let mailboxes = self.mailboxes.iter().flat_map(references);
        let mut names: BTreeSet<String> = mailboxes.filter_map(variable).collect();
        names.extend(self.accounts.iter().filter_map(client_secret));
        let webhook = self.notify.webhook.iter().flat_map(of_webhook);
        names.extend(webhook.filter_map(variable));
        names.extend(self.stores.values().flat_map(|url| store_variables(url)));
        names.into_iter().collect()
    }
}

impl Account {
    /// The variable that holds its password, if one does.
    #[must_use]
    pub fn private_variable(&self) -> Option<String> {
        self.password.as_ref().and_then(variable)
    }
}

fn client_secret(account: &Account) -> Option<String> {
    match &account.verification.way {
        LoginWay::OauthPassword { client_secret, .. } => client_secret.as_ref().and_then(variable),
        LoginWay::Soap => None,
    }
}

fn references(mailbox: &Mailbox) -> impl Iterator<Item = &SecretRef> {
    let oauth = mailbox.oauth.as_ref();
    let grant = oauth.and_then(|oauth| match &oauth.grant {
        OauthGrant::RefreshToken(reference) => Some(reference),
        OauthGrant::ClientCredentials => None,
    });
    let secret = oauth.and_then(|oauth| oauth.client_secret.as_ref());
    let transport = &mailbox.transport;
    let proxy = transport
        .proxy
        .as_ref()
        .and_then(|proxy| proxy.login.as_ref());
    let client = transport.tls.client.as_ref();
    [
        mailbox.password.as_ref(),
        secret,
        grant,
        proxy.map(|(_, password)| password),
        client.map(|client| &client.key),
    ]
    .into_iter()
    .flatten()
}

fn of_webhook(webhook: &Webhook) -> impl Iterator<Item = &SecretRef> {
    let url = match &webhook.url {
        WebhookUrl::Reference(reference) => Some(reference),
        WebhookUrl::Text(_) => None,
    };
    [url, webhook.secret.as_ref()].into_iter().flatten()
}

/// Where systemd's credentials stand is a secret as good as they are.
fn variable(reference: &SecretRef) -> Option<String> {
    match reference {
        SecretRef::Env(name) => Some(name.clone()),
        SecretRef::Systemd(_) => Some("CREDENTIALS_DIRECTORY".to_owned()),
        SecretRef::Keyring { .. } | SecretRef::File(_) | SecretRef::Command(_) => None,
    }
}

/// Variables that hold secrets of the store at a URL: `env=NAME`, and any parameter that is an `env:` reference.
pub fn store_variables(url: &str) -> impl Iterator<Item = String> {
    let parameters = url.split(['?', '&']).skip(1);
    parameters.filter_map(|parameter| {
        let (key, value) = parameter.split_once('=')?;
        let name = value
            .strip_prefix("env:")
            .or((key == "env").then_some(value))?;
        Some(name.to_owned())
    })
}
