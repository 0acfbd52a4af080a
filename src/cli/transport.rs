//! How mailboxes' servers are reached and recognised: from the configuration to the library's values.
//!
//! Knows which mailboxes share what: a thousand of them read the authorities once, and each secret once.
//! Never reads a certificate: the first connection does. Everything comes from the configuration.

use super::engine::secret;
use super::exit::Failure;
use crate::config::{Mailbox, Proxy, ProxyKind, Security, Tls};
use crate::inbox::{self, ClientIdentity, Endpoint, Pin, ProxyLogin, TlsSetup};

/// What was made for earlier mailboxes.
#[derive(Default)]
pub(crate) struct Transports<'c> {
    tls: Vec<(&'c Tls, TlsSetup)>,
    proxies: Vec<(&'c Proxy, inbox::Proxy)>,
}

impl<'c> Transports<'c> {
    /// A mailbox's endpoint.
    pub(crate) fn endpoint(&mut self, mailbox: &'c Mailbox) -> Result<Endpoint, Failure> {
        let url = &mailbox.url;
        let transport = &mailbox.transport;
        let proxy = transport.proxy.as_ref();
        Ok(Endpoint {
            host: url.host.clone(),
            port: url.port,
            security: match url.security {
                Security::Tls => inbox::Security::ImplicitTls,
                Security::StartTls => inbox::Security::StartTls,
            },
            user: url.user.clone(),
            tls: shared(&mut self.tls, &transport.tls, tls)?,
            proxy: proxy
                .map(|words| shared(&mut self.proxies, words, through))
                .transpose()?,
        })
    }
}

/// The value that was made for the same words, or a new one.
fn shared<'c, W: PartialEq, V: Clone>(
    known: &mut Vec<(&'c W, V)>,
    words: &'c W,
    make: impl FnOnce(&W) -> Result<V, Failure>,
) -> Result<V, Failure> {
    if let Some((_, value)) = known.iter().find(|(other, _)| *other == words) {
        return Ok(value.clone());
    }
    let value = make(words)?;
    known.push((words, value.clone()));
    Ok(value)
}

fn tls(words: &Tls) -> Result<TlsSetup, Failure> {
    let setup = match &words.pinned_keys[..] {
        [] => TlsSetup::from(words.ca_file.clone()),
        pins => TlsSetup::pinned(pins.iter().copied().map(Pin::sha256)),
    };
    let Some(client) = &words.client else {
        return Ok(setup);
    };
    Ok(setup.and_client(ClientIdentity {
        certificate: client.certificate.clone(),
        key: secret(&client.key)?,
    }))
}

fn through(words: &Proxy) -> Result<inbox::Proxy, Failure> {
    let login = words.login.as_ref().map(|(user, password)| {
        let user = user.clone();
        secret(password).map(|password| ProxyLogin { user, password })
    });
    Ok(inbox::Proxy {
        kind: match words.kind {
            ProxyKind::Socks5 => inbox::ProxyKind::Socks5,
            ProxyKind::Http => inbox::ProxyKind::Http,
        },
        host: words.host.clone(),
        port: words.port,
        login: login.transpose()?,
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::load;

    #[test]
    fn mailboxes_with_the_same_words_share_one_setup() {
        let text = "[mailbox.a]\nurl = \"imaps://a@b.example\"\nca_file = \"x.pem\"\n\
                    proxy = \"http://p.example:3128\"\n\
                    [mailbox.b]\nurl = \"imaps://b@b.example\"\nca_file = \"x.pem\"\n\
                    [mailbox.c]\nurl = \"imaps://c@b.example\"\n";
        let config = load(text, Path::new("/etc/sftoken.toml"), []).unwrap();
        let mut transports = Transports::default();
        let made: Vec<Endpoint> = config
            .mailboxes
            .iter()
            .map(|mailbox| {
                transports
                    .endpoint(mailbox)
                    .unwrap_or_else(|_| panic!("{mailbox:?}"))
            })
            .collect();
        assert_eq!((transports.tls.len(), transports.proxies.len()), (2, 1));
        assert_eq!(made[0].tls, made[1].tls);
        assert_ne!(made[0].tls, made[2].tls);
        assert_eq!(made[2].tls, TlsSetup::system());
        assert!(made[0].proxy.is_some() && made[1].proxy.is_none());
    }
}
