//! Writes a token mail as Salesforce would send it now, or at another time, signed with a test key.
//!
//! ```sh
//! cargo run --features testing --example token_mail -- --keys > dns.keys
//! echo 2kTfR8s1XyZ0aBcD3eFgH4iJ | cargo run --features testing --example token_mail -- U > mail.eml
//! ```
//!
//! The first prints the key's DNS record (`NAME VALUE`, for `--keys` and `[dns] keys`), the second a
//! mail that brings the token on standard input to the user U; a time behind U, as RFC 3339 has it, is
//! its Date. The private key is public: it proves nothing, and sftoken believes it only where somebody
//! gives it that record.

use std::error::Error;
use std::io::{Write, read_to_string, stdin, stdout};

use jiff::Timestamp;
use sftoken::testing::fixture::TokenMail;
use sftoken::testing::sign::{Signer, SigningKey};

const KEY: &str = include_str!("../fixtures/keys/rsa-2048.pem");

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let (wanted, date) = (words.next(), words.next());
    let key = SigningKey::from_pem(KEY)?;
    let signer = Signer::new(&key, "salesforce.com", "example");
    let out = match wanted.as_deref() {
        Some("--keys") => format!("{} {}\n", signer.key_name(), key.dns_record()).into_bytes(),
        Some(username) => {
            let token = read_to_string(stdin())?;
            let date = date.map_or(Ok(Timestamp::now()), |date| date.parse())?;
            let mail = TokenMail::new(username, token.trim(), date);
            signer.sign(&mail.bytes()?)
        }
        None => return Err("usage: token_mail --keys | token_mail USERNAME [TIME] < TOKEN".into()),
    };
    Ok(stdout().write_all(&out)?)
}
