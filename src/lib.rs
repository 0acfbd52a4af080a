//! sftoken waits for the mail that Salesforce sends after a security-token reset, proves that it is
//! genuine, takes the token out and writes it to a secret store.
//!
//! Begin with [`examine`]: it is the whole judgement, as one pure function. Then [`watch`]: the loop
//! around it. The README has a first example, `examples/` has more.
//!
//! # The way of the data
//!
//! ```text
//! bytes of a mail ─► Mail ─► (which DNS keys?) ─► KeyAnswers ─► Authentic | Refusal ─► Match ─► Token ─► store ─► Receipt
//! IMAP session    ─► Wake ─► UIDs past the cursor ─► bytes                                                 ─► cursor moves
//! ```
//!
//! # Layers
//!
//! Arrows go one way, and the edges do not know one another.
//!
//! ```text
//! cli ─► files        cli ─► config ─► consumer        cli ─► watch ─► { inbox  oauth  dns  store  ledger  verify  notify } ─► ingest
//! ```
//!
//! - [`ingest`]: the heart, from bytes to [`Outcome`]. Values in, values out.
//! - [`dns`], [`inbox`], [`oauth`], [`files`], [`store`], [`ledger`], [`verify`], [`notify`]: the edges, each named after the part
//!   of the world that it touches. `http` is below those that ask over HTTPS, `process` below those that run programs; neither
//!   knows any of them.
//! - [`watch`]: the order of the edges, retry and shutdown.
//! - [`config`], [`secret`]: the user's words, and where secrets stand.
//! - [`consumer`]: what consumers of a token are given, and what they call it. Values in, values out.
//! - [`cli`]: the commands, thin over the rest.
//! - [`testing`]: mails, signatures, a DNS, an IMAP server, a store and Salesforce's log-in, for other people's tests.
//!
//! # Invariants, as absences
//!
//! - `ingest` has no socket, no file, no clock, no randomness, no async: the same arguments give the same
//!   [`Outcome`].
//! - No [`Token`] can be printed: it has no `Display` and no `Serialize`, and `Debug` is redacted in every build
//!   profile. `rg 'expose\('` finds each place where the value leaves.
//! - No recipe sees a mail that is not proven: it takes an [`Authentic`](ingest::authentic::Authentic), which only the proof
//!   can make.
//! - No mail is both unknown and decided: what could not be told ([`Outcome::Undecided`]) stays open, and no cursor
//!   passes it.
//! - No older mail replaces a newer token: each slot is locked and ordered by the ledger while it is written, and by the
//!   store itself where it can compare and set, for whoever else writes there.
//! - No mailbox is written to, unless the user wants handled mail marked or claims made: EXAMINE and `BODY.PEEK`
//!   otherwise, and no command that changes anything is sent in a folder that is open for reading.
//! - No silence passes for "nothing there": a connection that cannot prove that it lives is given up.
//! - No store stands in for another: which one is used is decided by its URL, once.
//! - No unsafe code, but two system calls that forbid core files.
//!
//! # Features
//!
//! Without any, there is the heart, and mails from files. Features add edges and never exclude one another.
//!
//! | feature | brings |
//! |---|---|
//! | `cli` (default) | the commands, with all below but `aws` and `testing` |
//! | `watch` | the loop; with `imap`, `dns` and `ledger` |
//! | `imap` | [`inbox`]: mailboxes over IMAP. Compiles TRACE records of the crate `log` out of the whole program: a dependency would trace tokens |
//! | `dns` | [`dns`]: DKIM keys from the DNS |
//! | `ledger` | [`ledger`]: cursors, receipts, decisions and the audit trail in SQLite |
//! | `verify` | [`verify`]: does the token log in? |
//! | `oauth` | [`oauth`]: access tokens for mailboxes |
//! | `config` | [`config`], [`secret`] and [`consumer`] |
//! | `keyring`, `age`, `exec`, `vault`, `kubernetes`, `github`, `gcp`, `azure` | one [`store`] each |
//! | `aws` | two more: AWS Secrets Manager and Parameter Store. Not in `cli`, for its weight |
//! | `notify` | [`notify`]: commands and a webhook that are told what became of a token. TRACE records as with `imap`: one would show a webhook's URL |
//! | `desktop` | the same on a desktop |
//! | `testing` | [`testing`] |
//!
//! # Where `keyring` went
//!
//! The feature `keyring` does not depend on the crate `keyring`. Version 4 of it is a front for small programs; its own
//! documentation sends applications that choose their store to `keyring-core` and a crate for each store. So
//! the Secret Service is reached through `dbus-secret-service-keyring-store`, macOS through
//! `apple-native-keyring-store`, Windows through `windows-native-keyring-store`. Entries are where `keyring`, Python's
//! `keyring` and `secret-tool` look for them.

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub mod ingest;

#[cfg(feature = "config")]
pub mod consumer;
#[cfg(feature = "dns")]
pub mod dns;
pub mod files;
#[cfg(feature = "http")]
#[cfg_attr(
    not(any(feature = "oauth", feature = "verify", feature = "notify")),
    expect(
        unreachable_pub,
        reason = "`oauth`, `verify` and `notify` make it public"
    )
)]
mod http;
#[cfg(feature = "imap")]
pub mod inbox;
#[cfg(feature = "ledger")]
pub mod ledger;
#[cfg(feature = "notify")]
pub mod notify;
#[cfg(feature = "oauth")]
pub mod oauth;
#[cfg(any(
    feature = "keyring",
    all(feature = "exec", unix),
    feature = "vault",
    feature = "kubernetes",
    feature = "aws",
    feature = "notify"
))]
mod plain;
#[cfg(all(
    unix,
    any(feature = "exec", feature = "notify", feature = "kubernetes")
))]
mod process;
#[cfg(feature = "config")]
pub mod secret;
#[cfg(any(
    feature = "keyring",
    feature = "age",
    feature = "exec",
    feature = "vault",
    feature = "kubernetes",
    feature = "github",
    feature = "aws",
    feature = "gcp",
    feature = "azure",
    feature = "watch",
    feature = "testing"
))]
pub mod store;

#[cfg(feature = "verify")]
pub mod verify;
#[cfg(feature = "watch")]
pub mod watch;

#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "config")]
pub mod config;
#[cfg(feature = "testing")]
pub mod testing;

pub use ingest::explain::{Explanation, explain};
pub use ingest::keys::{KeyAnswer, KeyAnswers};
pub use ingest::mail::{Mail, as_sent};
pub use ingest::policy::{Account, Org, Policy};
pub use ingest::recipe::Recipe;
pub use ingest::token::Token;
pub use ingest::{Found, Outcome, examine, questions};
