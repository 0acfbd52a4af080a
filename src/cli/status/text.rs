//! `status` for people: a line for each account and folder, and below an account whatever is not in order.
//!
//! Knows the words. Never decides what is in order. Lines come from `accounts` and the ledger.

use std::io::{self, Write};

use super::accounts::{AccountLine, SlotLine};
use super::{FolderLine, Status};
use crate::cli::render::{Colour, Style, escape};
use crate::ingest::policy::Org;

pub(super) fn write(out: &mut impl Write, status: &Status, style: Style) -> io::Result<()> {
    if status.accounts.is_empty() && status.mailboxes.is_empty() {
        return writeln!(
            out,
            "no account and no mailbox is configured, and no token was stored yet"
        );
    }
    for account in &status.accounts {
        head(out, account, style)?;
        for slot in &account.slots {
            place(out, slot, account, style)?;
        }
        rest(out, account, style)?;
    }
    for line in &status.mailboxes {
        folder(out, line, style)?;
    }
    Ok(())
}

fn head(out: &mut impl Write, account: &AccountLine, style: Style) -> io::Result<()> {
    let age = account.age_seconds.map_or_else(
        || "no token yet".to_owned(),
        |age| format!("{} old", rough(age)),
    );
    let late = match (account.state, account.age) {
        ("failing", "due" | "overdue") => format!(" ({})", account.age),
        _ => String::new(),
    };
    let org = account.org.map_or("", Org::as_str);
    let slot = account.slot.as_deref().unwrap_or("-");
    let limit = rough(account.max_age_seconds);
    let verified = match account.verified {
        Some(true) => ", logs in",
        Some(false) => ", does not log in",
        None => "",
    };
    writeln!(
        out,
        "{} {} ({org}): {age}{late}, limit {limit}, in {}{verified}",
        style.paint(colour(account.state), account.state),
        escape(&account.username),
        escape(slot)
    )
}

/// A slot, where there are several, or something is not in order.
fn place(
    out: &mut impl Write,
    slot: &SlotLine,
    account: &AccountLine,
    style: Style,
) -> io::Result<()> {
    if account.slots.len() == 1 && matches!(slot.state, "ok" | "empty") {
        return Ok(());
    }
    let state = style.paint(colour(slot.state), slot.state);
    write!(out, "  {state} {}", escape(&slot.slot))?;
    if let Some(detail) = &slot.detail {
        write!(out, ": {}", escape(detail))?;
    }
    if let (Some(since), Some(tries)) = (&slot.since, slot.tries) {
        write!(out, " (since {since}, tried {tries} times)")?;
    }
    writeln!(out)
}

fn rest(out: &mut impl Write, account: &AccountLine, style: Style) -> io::Result<()> {
    let failing = style.paint(Colour::Yellow, "failing");
    if let Some(login) = &account.login {
        let detail = login.detail.as_deref().unwrap_or("nobody answered");
        let kept = match login.stored {
            true => "stored",
            false => "kept out until it logs in: sftoken verify --again tries it",
        };
        let (at, print) = (&login.at, &login.fingerprint);
        writeln!(
            out,
            "  {failing} log-in {}, {at}: {} (token {print}, {kept})",
            login.state,
            escape(detail)
        )?;
    }
    for step in account.steps.iter().filter(|step| !step.ok) {
        let detail = step.detail.as_deref().unwrap_or_default();
        let (name, at) = (escape(&step.step), &step.at);
        writeln!(out, "  {failing} {name}, {at}: {}", escape(detail))?;
    }
    match account.waiting {
        0 => Ok(()),
        waiting => writeln!(
            out,
            "  {waiting} of its hooks, tests and messages are still to be done"
        ),
    }
}

fn folder(out: &mut impl Write, folder: &FolderLine, style: Style) -> io::Result<()> {
    let contact = folder
        .silent_seconds
        .map_or_else(|| "never".to_owned(), |ago| format!("{} ago", rough(ago)));
    writeln!(
        out,
        "{} mailbox {}/{}: last proven contact {contact}",
        style.paint(colour(folder.state), folder.state),
        escape(&folder.mailbox),
        escape(&folder.folder)
    )
}

fn colour(state: &str) -> Colour {
    match state {
        "ok" => Colour::Green,
        "failing" | "overdue" => Colour::Red,
        _ => Colour::Yellow,
    }
}

/// A length of time as people say it.
fn rough(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}
