//! `sftoken authorize`: the first time, a person allows sftoken to read the mailbox.
//!
//! Knows what to show, and where the refresh token goes. Never shows a token. Consent comes from the
//! provider, by a code that is entered anywhere or by a browser on this machine.

use std::io::{self, Write as _};
use std::sync::Arc;

use serde::Serialize;

use super::args::{Authorize, Global};
use super::exit::{Exit, Failure};
use super::oauth::Providers;
use super::{engine, json, render, settings, signals};
use crate::config::{Config, Mailbox, Oauth, OauthGrant};
use crate::ingest::event::SCHEMA;
use crate::oauth::{Browser, Client, Tokens};
use crate::secret::{SaveError, SecretRef};

/// Runs `authorize`.
pub(crate) fn run(global: &Global, args: &Authorize) -> Result<Exit, Failure> {
    let config = settings::read(global, None)?;
    let (mailbox, oauth) = chosen(&config, args.mailbox.as_deref())?;
    let reference = writable(mailbox, oauth)?;
    if let Some(secret) = &oauth.client_secret {
        engine::secret(secret)?;
    }
    let client = Arc::new(Providers::default().client(oauth));
    let by_browser = args.browser || client.provider().device_url.is_none();
    let show = Show {
        mailbox,
        as_json: global.json,
    };
    engine::block_on(async {
        tokio::select! {
            signal = signals::first() => Ok(Exit::Signal(signal)),
            tokens = consent(&client, &show, by_browser) => {
                keep(&show, reference, &tokens?)?;
                Ok(Exit::Done)
            }
        }
    })
}

/// The mailbox that was named; or the only one with OAuth.
fn chosen<'c>(config: &'c Config, name: Option<&str>) -> Result<(&'c Mailbox, &'c Oauth), Failure> {
    let usage = |problem: String, hint: &str| Err(Failure::new(Exit::Usage, problem, hint));
    let with_oauth: Vec<(&Mailbox, &Oauth)> = config
        .mailboxes
        .iter()
        .filter_map(|mailbox| Some((mailbox, mailbox.oauth.as_ref()?)))
        .collect();
    let Some(name) = name else {
        return match with_oauth[..] {
            [only] => Ok(only),
            [] => usage(
                "no mailbox logs in by OAuth".to_owned(),
                "add auth = { oauth2 = \"google\", … } to a [mailbox.NAME]",
            ),
            _ => {
                let names: Vec<&str> = with_oauth.iter().map(|(m, _)| m.name.as_str()).collect();
                let hint = format!("name one of them: {}", names.join(", "));
                usage("several mailboxes log in by OAuth".to_owned(), &hint)
            }
        };
    };
    if let Some(found) = with_oauth.iter().find(|(mailbox, _)| mailbox.name == name) {
        return Ok(*found);
    }
    match config.mailboxes.iter().any(|mailbox| mailbox.name == name) {
        true => usage(
            format!("mailbox {name} logs in by password"),
            "give it auth = { oauth2 = \"google\", … }",
        ),
        false => usage(
            format!("no mailbox is called {name:?}"),
            "name one of the configuration's [mailbox.NAME]",
        ),
    }
}

/// Where the refresh token will go; told before anybody takes the trouble to log in.
fn writable<'o>(mailbox: &Mailbox, oauth: &'o Oauth) -> Result<&'o SecretRef, Failure> {
    let name = &mailbox.name;
    match &oauth.grant {
        OauthGrant::RefreshToken(reference) if reference.is_writable() => {
            engine::check_place(reference)?;
            Ok(reference)
        }
        OauthGrant::RefreshToken(reference) => Err(Failure::new(
            Exit::Usage,
            format!("mailbox {name}: {reference} can only be read"),
            "write refresh_token = \"keyring:sftoken-oauth/NAME\" or \"file:PATH\"",
        )),
        OauthGrant::ClientCredentials => Err(Failure::new(
            Exit::Usage,
            format!("mailbox {name}: client credentials need nobody's consent here"),
            "an administrator grants the app its right; then `sftoken watch --once` shows whether it works",
        )),
    }
}

async fn consent(
    client: &Arc<Client>,
    show: &Show<'_>,
    by_browser: bool,
) -> Result<Tokens, Failure> {
    let tokens = if by_browser {
        let browser = Browser::begin(client, &show.mailbox.url.user).await?;
        show.browser(&browser)?;
        browser.await_consent(client).await?
    } else {
        let code = client.device_code().await?;
        show.code(&code.url, &code.user_code, code.lives.as_secs())?;
        client.await_approval(&code).await?
    };
    Ok(tokens)
}

/// Puts the refresh token into its place.
fn keep(show: &Show<'_>, reference: &SecretRef, tokens: &Tokens) -> Result<(), Failure> {
    let Some(refresh) = &tokens.refresh else {
        let problem = "the provider allowed it, and gave no refresh token";
        let hint = "ask for offline access in auth.scope (Microsoft: offline_access); with Google, remove sftoken's access at https://myaccount.google.com/permissions and run this again";
        return Err(Failure::new(Exit::Mailbox, problem, hint));
    };
    // a daemon that is just replacing the old one would put its successor over this one
    let alone = engine::lock_secret(reference)?;
    engine::save_secret(reference, refresh)?;
    drop(alone);
    show.done(reference)
}

/// What a person, or a program, is shown.
struct Show<'s> {
    mailbox: &'s Mailbox,
    as_json: bool,
}

#[derive(Serialize)]
struct Step<'s> {
    schema: u32,
    mailbox: &'s str,
    /// `code`, `browser` or `authorized`
    step: &'s str,
    url: Option<&'s str>,
    user_code: Option<&'s str>,
    port: Option<u16>,
    expires_in: Option<u64>,
    saved_to: Option<&'s str>,
}

impl Show<'_> {
    fn step<'s>(&'s self, step: &'s str) -> Step<'s> {
        Step {
            schema: SCHEMA,
            mailbox: &self.mailbox.name,
            step,
            url: None,
            user_code: None,
            port: None,
            expires_in: None,
            saved_to: None,
        }
    }

    fn code(&self, url: &str, user_code: &str, lives: u64) -> Result<(), Failure> {
        self.say(&format!(
            "Open {url}\nand enter the code {user_code}\nas {}. It is waited for, {} minutes at most.",
            self.mailbox.url.user,
            lives.div_ceil(60)
        ))?;
        self.print(&Step {
            url: Some(url),
            user_code: Some(user_code),
            expires_in: Some(lives),
            ..self.step("code")
        })
    }

    fn browser(&self, browser: &Browser) -> Result<(), Failure> {
        let port = browser.port;
        self.say(&format!(
            "Open this in a browser on this machine, and allow it as {}:\n{}\n\
             A browser elsewhere reaches it through: ssh -L {port}:127.0.0.1:{port} THIS-MACHINE",
            self.mailbox.url.user, browser.url
        ))?;
        self.print(&Step {
            url: Some(&browser.url),
            port: Some(port),
            ..self.step("browser")
        })
    }

    fn done(&self, reference: &SecretRef) -> Result<(), Failure> {
        let saved_to = reference.to_string();
        self.say(&format!(
            "Allowed: the refresh token is in {saved_to}.\nNext: `sftoken watch --once` shows whether the mailbox opens."
        ))?;
        self.print(&Step {
            saved_to: Some(&saved_to),
            ..self.step("authorized")
        })
    }

    fn say(&self, text: &str) -> Result<(), Failure> {
        let lines: Vec<_> = text.lines().map(render::escape).collect();
        let text = format!("{}\n", lines.join("\n"));
        Ok(io::stderr().lock().write_all(text.as_bytes())?)
    }

    fn print(&self, step: &Step<'_>) -> Result<(), Failure> {
        if self.as_json {
            json::line(&mut io::stdout().lock(), step)?;
        }
        Ok(())
    }
}

impl From<SaveError> for Failure {
    fn from(error: SaveError) -> Self {
        Self::new(Exit::Store, &error, error.hint())
    }
}
