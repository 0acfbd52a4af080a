//! Replays one mail from a file: pure, offline, no store.
//!
//! ```sh
//! cargo run --example replay --no-default-features -- MAIL.eml MAIL.keys
//! ```

#![expect(clippy::print_stdout, reason = "an example")]

use std::error::Error;

use sftoken::{KeyAnswers, Mail, Outcome, Policy, Recipe, as_sent, examine};

fn main() -> Result<(), Box<dyn Error>> {
    let mut paths = std::env::args().skip(1);
    let (Some(mail), Some(keys)) = (paths.next(), paths.next()) else {
        return Err("usage: replay MAIL.eml MAIL.keys".into());
    };
    let bytes = std::fs::read(mail)?;
    let keys = KeyAnswers::from_key_file(&std::fs::read_to_string(keys)?)?;

    let sent = as_sent(&bytes);
    let mail = Mail::parse(&sent);
    let now = mail.date().ok_or("no date")?;
    match examine(&mail, &keys, &Policy::default(), Recipe::built_in(), now) {
        Outcome::Found(found) => {
            println!("{} got token {}", found.username, found.token.fingerprint());
        }
        Outcome::NotOurs(why) => println!("not ours: {why}"),
        Outcome::Refused(why) => println!("refused: {why}; {}", why.hint()),
        Outcome::Undecided(why) => println!("cannot be told yet: {why}"),
    }
    Ok(())
}
