//! Random mails: odd white space and folding, eight bits, no last line end, blank lines of white space at
//! the end; and what may befall them after they were signed.
//!
//! Knows how to throw dice for a mail. Never signs one, and never knows what a verifier says.

use super::dice::Dice;

/// Whose mails they are.
pub(super) const DOMAIN: &str = "acme.example";

/// Half of the mails are such as a milter passes on unchanged: for OpenDKIM's test mode.
fn tamed(dice: &mut Dice, mail: String) -> String {
    if dice.one_in(2) {
        return mail;
    }
    let (header, body) = mail.split_once("\r\n\r\n").unwrap();
    let mut fields = String::new();
    for line in header.split("\r\n") {
        match line.split_once(':') {
            Some((name, value)) if !line.starts_with([' ', '\t']) => {
                let value = value.trim_start();
                let value = if value.is_empty() { "." } else { value };
                fields.push_str(&format!("{name}: {value}\r\n"));
            }
            _ => fields.push_str(&format!("{line}\r\n")),
        }
    }
    let body = body.replace("\r\n.\r\n", "\r\n..\r\n");
    let body = body.strip_prefix(".\r\n").unwrap_or(&body);
    format!("{fields}\r\n{body}\r\n")
}

fn value(dice: &mut Dice) -> String {
    let pieces = [
        "word",
        "a",
        " ",
        "  ",
        "\t",
        "\r\n x",
        "\r\n\t y",
        "\r\n   z ",
        ":",
        ";",
        "=",
        "é",
        "b=",
    ];
    let mut value: String = (0..dice.below(10)).map(|_| dice.pick(&pieces)).collect();
    value.push_str(dice.pick(&[".", ".", ". ", ".\t"]));
    value
}

/// A mail without a signature.
pub(super) fn mail(dice: &mut Dice) -> Vec<u8> {
    let mut fields = vec![
        format!(
            "{}:{}",
            dice.pick(&["Subject", "SUBJECT", "subject"]),
            value(dice)
        ),
        format!(
            "From: {}<a@{DOMAIN}>",
            dice.pick(&["", "A ", "\"A, B\" ", "\r\n "])
        ),
        format!(
            "Date:{}Wed, 1 Apr 2026 15:08:44 +0000",
            dice.pick(&["", " ", "\t", "  "])
        ),
        format!(
            "To: b@{DOMAIN},{} c@{DOMAIN}",
            dice.pick(&["", "\r\n", " \r\n\t"])
        ),
        "Message-ID: <1@acme.example>".to_owned(),
    ];
    for _ in 0..dice.below(4) {
        let name = dice.pick(&["X-Extra", "x-extra", "X-EXTRA"]);
        fields.push(format!(
            "{name}:{}{}",
            dice.pick(&["", " ", "\t"]),
            value(dice)
        ));
    }
    dice.shuffle(&mut fields);
    let mut mail = fields.join("\r\n");
    mail.push_str("\r\n\r\n");
    let pieces = [
        "a",
        "token",
        " ",
        "  ",
        "\t",
        " \t ",
        "\r\n",
        "\r\n\r\n",
        "é",
        ".",
        "=",
        "b=",
        ";",
        "\r\n.\r\n",
    ];
    let endings = [
        "",
        "a\r\n",
        "a \t\r\n",
        "a\r\n\r\n",
        "a\r\n \r\n",
        "a\r\n \t\r\n\r\n",
        "a",
        "a  ",
        " \t",
        "\r\n",
    ];
    mail.extend((0..dice.below(30)).map(|_| dice.pick(&pieces)));
    mail.push_str(dice.pick(&endings));
    tamed(dice, mail).into_bytes()
}

/// What may befall a mail on its way.
pub(super) fn change(dice: &mut Dice, mail: &mut Vec<u8>) {
    let text = String::from_utf8(mail.clone()).unwrap();
    let body = text.find("\r\n\r\n").unwrap() + 4;
    let places: Vec<usize> = (0..text.len())
        .filter(|&at| text.is_char_boundary(at))
        .collect();
    let within = |dice: &mut Dice, from: usize| {
        let places: Vec<usize> = places.iter().copied().filter(|&at| at >= from).collect();
        if places.is_empty() {
            text.len()
        } else {
            places[dice.below(places.len())]
        }
    };
    let piece = dice
        .pick(&["x", " ", "\t", ":", ";", "\r\n", " \r\n"])
        .as_bytes();
    match dice.below(7) {
        0 => {
            let at = within(dice, body);
            mail.splice(at..at, piece.iter().copied());
        }
        1 => mail.extend_from_slice(piece),
        2 => mail.extend_from_slice(b"\r\n\r\n"),
        3 => drop(mail.splice(0..0, b"X-Extra: one more\r\n".iter().copied())),
        4 => {
            if let Some(at) = text.find("Subject:") {
                mail.splice(at + 8..at + 8, dice.pick(&[" ", "x", "\r\n "]).bytes());
            }
        }
        5 => mail.truncate(within(dice, body)),
        _ => {
            if let Some(at) = text.find("Date:") {
                mail[at] = b'd';
            }
        }
    }
}
