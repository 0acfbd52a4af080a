//! What each target begins with, made from `fixtures/`.
//!
//! Knows where the fixtures are and how each target wants its bytes. Never writes a file.

use std::fs;
use std::path::{Path, PathBuf};

use sftoken::Mail;

use super::Seed;

/// Files below a folder with this ending, in order.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.extension().is_some_and(|end| end == ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn named(path: &Path, bytes: Vec<u8>) -> Seed {
    let name = path.file_stem().unwrap().to_string_lossy().into_owned();
    (name, bytes)
}

/// Each mail, examined for the configured account.
pub(crate) fn mails(fixtures: &Path) -> Vec<Seed> {
    let seed = |path: &PathBuf| {
        let mail = fs::read(path).unwrap();
        (mail.len() < 64 * 1024).then(|| named(path, [b"\0", mail.as_slice()].concat()))
    };
    let paths = files(&fixtures.join("mails"), "eml");
    paths.iter().filter_map(seed).collect()
}

/// Each mail's own MIME fields and its body.
pub(crate) fn contents(fixtures: &Path) -> Vec<Seed> {
    let seed = |path: &PathBuf| {
        let bytes = fs::read(path).unwrap();
        let mail = Mail::parse(&bytes);
        let mime = |name: &[u8]| name.to_ascii_lowercase().starts_with(b"content-");
        let fields = mail.fields().iter().filter(|field| mime(field.name));
        let mut content = vec![0, 0xff];
        fields.for_each(|field| content.extend_from_slice(field.raw));
        content.extend_from_slice(b"\r\n");
        content.extend_from_slice(mail.body());
        (content.len() < 16 * 1024).then(|| named(path, content))
    };
    let paths = files(&fixtures.join("mails"), "eml");
    paths.iter().filter_map(seed).collect()
}

/// What stands above the sender's own fields in the mails that providers have marked; each once for a
/// mail without a signature, and once for one with.
pub(crate) fn tops(fixtures: &Path) -> Vec<Seed> {
    let seeds = |path: &PathBuf| {
        let bytes = fs::read(path).unwrap();
        let mail = Mail::parse(&bytes);
        let own = |name: &[u8]| {
            let name = name.to_ascii_lowercase();
            [&b"dkim-signature"[..], b"date", b"from"].contains(&&*name)
        };
        let above = mail.fields().iter().take_while(|field| !own(field.name));
        let above: Vec<u8> = above.flat_map(|field| field.raw).copied().collect();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        [0, 1].map(|bits| (format!("{name}-{bits}"), [&[bits], &above[..]].concat()))
    };
    let paths = files(&fixtures.join("mails/policy"), "eml");
    paths.iter().flat_map(seeds).collect()
}

/// The HTML parts that stand there as they are.
pub(crate) fn pages(fixtures: &Path) -> Vec<Seed> {
    let seed = |path: &PathBuf| {
        let text = String::from_utf8(fs::read(path).unwrap()).ok()?;
        let (_, page) = text.split_once("\r\n<")?;
        let page = page.split("\r\n--").next()?;
        (page.len() < 16 * 1024).then(|| named(path, format!("<{page}").into_bytes()))
    };
    let paths = files(&fixtures.join("mails"), "eml");
    paths.iter().filter_map(seed).collect()
}

/// What the servers of the scripted sessions say, without the pauses.
pub(crate) fn sessions(fixtures: &Path) -> Vec<Seed> {
    let seed = |path: &PathBuf| {
        let script = fs::read_to_string(path).unwrap();
        let mut said = vec![64];
        script.lines().for_each(|line| said.extend(says(line)));
        named(path, said)
    };
    let paths = files(&fixtures.join("imap"), "session");
    paths.iter().map(seed).collect()
}

/// What a line of a script makes its server say (`testing::imap` has the forms).
fn says(line: &str) -> Vec<u8> {
    let login = "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] ready\r\n\
                 $ OK [CAPABILITY IMAP4rev1 IDLE SPECIAL-USE] welcome\r\n";
    let examine = "* FLAGS (\\Seen)\r\n* 5 EXISTS\r\n* OK [UIDVALIDITY 1] valid\r\n\
                   * OK [UIDNEXT 6] next\r\n$ OK [READ-ONLY] opened\r\n";
    let text = match line.split_once(": ") {
        None if line == "login" => login.to_owned(),
        None if line == "examine" => examine.to_owned(),
        Some((form, text)) if form.starts_with('S') => format!("{text}\r\n"),
        Some((form, text)) if form.starts_with('R') => {
            text.replace("\\r", "\r").replace("\\n", "\n")
        }
        _ => String::new(),
    };
    text.into_bytes()
}
