//! Watches one mailbox and stores what comes, until Ctrl-C: the loop as a library, no configuration.
//!
//! ```sh
//! MAILBOX_PASSWORD=… watch_and_store imap.example.com ops@example.com keyring://sftoken ledger.db
//! ```
//!
//! Prints a line for each mail that has to do with tokens.

#![expect(clippy::print_stdout, reason = "an example")]

use std::error::Error;
use std::sync::Arc;

use jiff::SignedDuration;
use sftoken::Policy;
use sftoken::dns::Resolver;
use sftoken::inbox::{Endpoint, Security, Server, TlsSetup};
use sftoken::ingest::secret::Secret;
use sftoken::ledger::Ledger;
use sftoken::store::StoreOptions;
use sftoken::watch::{MailboxTask, Pipeline, Shutdown, Stores, Verdict, watch};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [host, user, store, ledger] = &words[..] else {
        return Err("usage: watch_and_store HOST USER STORE-URL LEDGER".into());
    };
    let store = sftoken::store::open(store, &StoreOptions::default())?;
    store.check()?;
    let policy = Policy {
        max_age: Some(SignedDuration::from_hours(7 * 24)),
        ..Policy::default()
    };
    let pipeline = Pipeline::new(
        Arc::new(policy),
        Arc::new(Resolver::system()),
        Arc::new(Stores::all_in(store)),
        Arc::new(Ledger::open(ledger)?),
    );
    let server = Server {
        endpoint: Endpoint {
            host: host.clone(),
            port: 993,
            security: Security::ImplicitTls,
            user: user.clone(),
            tls: TlsSetup::system(),
            proxy: None,
        },
        credential: Secret::new(std::env::var("MAILBOX_PASSWORD")?).into(),
    };
    // The inbox, and the junk folder if there is one; read-only.
    let mailbox = MailboxTask::new(user, Arc::new(server));

    let (sender, mut verdicts) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(verdict) = verdicts.recv().await {
            tell(&verdict);
        }
    });
    // Dropping the switch ends every connection.
    let (switch, shutdown) = Shutdown::new();
    tokio::select! {
        ended = watch(vec![mailbox], &pipeline, &sender, &shutdown) => match ended {
            Ok(()) => Ok(()),
            Err(given_up) => Err(given_up[0].to_string().into()),
        },
        stopped = tokio::signal::ctrl_c() => {
            drop(switch);
            Ok(stopped?)
        }
    }
}

fn tell(verdict: &Verdict) {
    match verdict {
        Verdict::Settled(receipt) => {
            let (report, slot) = (&receipt.report, receipt.slot.as_deref());
            let reason = report.reason.as_deref().unwrap_or_default();
            let outcome = report.outcome.as_str();
            println!(
                "{}: {outcome} {reason} {}",
                report.source,
                slot.unwrap_or_default()
            );
        }
        Verdict::Open(report, trouble) => println!("{}: kept: {trouble}", report.source),
    }
}
