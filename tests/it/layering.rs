//! The architecture's invariants, read from the source.
//!
//! A scan that finds no file fails: a folder that was renamed would pass for a clean one.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::run::files_below;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// One line of code, without what is said in comments.
struct Line {
    file: String,
    number: usize,
    code: String,
}

/// The code of every file below `src/FOLDER`; tests and comments are not looked at.
fn code_of(folder: &str) -> Vec<Line> {
    let mut sources: Vec<(PathBuf, Vec<u8>)> = files_below(&root().join("src").join(folder));
    sources.retain(|(path, _)| path.extension().is_some_and(|ext| ext == "rs"));
    assert!(!sources.is_empty(), "src/{folder} holds no source");
    sources.sort();
    let is_test = |path: &Path| {
        let in_folder = path.components().any(|part| part.as_os_str() == "tests");
        in_folder || path.to_string_lossy().ends_with("tests.rs")
    };
    // Below the checkout only: it may stand in a folder of that name itself.
    sources.retain(|(path, _)| !is_test(path.strip_prefix(root()).unwrap_or(path)));
    sources
        .iter()
        .flat_map(|(path, bytes)| lines(path, bytes))
        .collect()
}

fn lines(path: &Path, bytes: &[u8]) -> Vec<Line> {
    let file = path.strip_prefix(root()).unwrap().display().to_string();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let line = |(number, text): (usize, &str)| Line {
        file: file.clone(),
        number: number + 1,
        code: text.split("//").next().unwrap_or_default().to_owned(),
    };
    text.lines().enumerate().map(line).collect()
}

/// Whether a word stands there, and not only a part of a longer one.
fn mentions(code: &str, word: &str) -> bool {
    let part = |letter: Option<char>| letter.is_some_and(|c| c.is_alphanumeric() || c == '_');
    code.match_indices(word).any(|(at, _)| {
        !part(code[..at].chars().next_back()) && !part(code[at + word.len()..].chars().next())
    })
}

/// That no line of a folder mentions one of the words.
#[track_caller]
fn check_absent(folder: &str, words: &[&str]) {
    let code = code_of(folder);
    // a group would hide its modules from this scan
    let group = code.iter().find(|line| line.code.contains("crate::{"));
    assert!(group.is_none(), "{:?}", group.map(|line| &line.file));
    let bad: Vec<String> = code
        .iter()
        .flat_map(|line| {
            let found = words.iter().filter(|word| mentions(&line.code, word));
            found.map(move |word| format!("{}:{}: {word}", line.file, line.number))
        })
        .collect();
    assert!(
        bad.is_empty(),
        "src/{folder} must not know:\n{}",
        bad.join("\n")
    );
}

#[test]
fn the_scan_sees_what_it_looks_for() {
    assert!(mentions("use std::fs;", "std::fs"));
    assert!(mentions("crate::dns::Resolver", "crate::dns"));
    assert!(!mentions("operand * brand", "rand"));
    assert!(
        code_of("watch")
            .iter()
            .any(|line| mentions(&line.code, "crate::dns"))
    );
    let nowhere = std::panic::catch_unwind(|| code_of("no-such-folder"));
    assert!(nowhere.is_err());
}

#[test]
fn the_heart_does_no_io_and_reads_no_clock() {
    check_absent(
        "ingest",
        &[
            "std::fs",
            "std::net",
            "std::env",
            "std::process",
            "std::thread",
            "tokio",
            "SystemTime",
            "Instant",
            "Timestamp::now",
            "Zoned::now",
            "rand",
            "async",
            "tracing",
            "println",
            "crate::dns",
            "crate::inbox",
            "crate::oauth",
            "crate::store",
            "crate::ledger",
            "crate::notify",
            "crate::watch",
            "crate::cli",
            "crate::config",
            "crate::consumer",
            "crate::files",
            "crate::secret",
            "crate::testing",
            "crate::verify",
        ],
    );
}

/// What consumers want is known without asking anything of the world.
#[test]
fn the_consumers_words_are_values() {
    let edges = EDGES.map(|edge| format!("crate::{edge}"));
    let mut words: Vec<&str> = edges.iter().map(String::as_str).collect();
    words.extend([
        "crate::config",
        "crate::cli",
        "crate::watch",
        "crate::testing",
    ]);
    words.extend([
        "std::fs",
        "std::env",
        "std::process",
        "std::net",
        "tokio",
        "tracing",
    ]);
    check_absent("consumer", &words);
}

const EDGES: [&str; 9] = [
    "dns", "inbox", "oauth", "store", "ledger", "files", "secret", "verify", "notify",
];

#[test]
fn the_edges_do_not_know_one_another_nor_who_calls_them() {
    for edge in EDGES {
        let others = EDGES.iter().filter(|&&other| other != edge).copied();
        let above = ["watch", "config", "cli", "testing"];
        let words: Vec<String> = others
            .chain(above)
            .map(|name| format!("crate::{name}"))
            .collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        check_absent(edge, &words);
        check_absent(edge, &["clap"]);
    }
}

/// What edges share knows none of them.
#[test]
fn a_request_knows_nobody() {
    let known: Vec<String> = code_of(".")
        .into_iter()
        .filter(|line| {
            let ours = ["src/./http.rs", "src/./http/trust.rs"];
            ours.iter().any(|file| line.file.ends_with(file)) && line.code.contains("crate::")
        })
        .map(|line| line.code)
        .collect();
    assert!(known.is_empty(), "{known:?}");
    assert!(
        code_of(".")
            .iter()
            .any(|line| line.file.ends_with("src/./http.rs"))
    );
}

/// Nor does what runs a program for one of them.
#[test]
fn a_process_knows_no_edge() {
    let edges = EDGES.map(|edge| format!("crate::{edge}"));
    let mut words: Vec<&str> = edges.iter().map(String::as_str).collect();
    words.extend(["crate::http", "crate::watch", "crate::config", "crate::cli"]);
    check_absent("process", &words);
}

/// A hook is started in one place only, where its environment is cleaned.
#[test]
fn those_who_are_told_are_reached_in_one_way() {
    check_absent(
        "notify",
        &[
            "std::process::Command",
            "TcpStream",
            "ureq",
            "std::env",
            "std::fs",
            "println",
        ],
    );
}

#[test]
fn the_loop_knows_no_command_line_and_no_configuration() {
    let words = [
        "clap",
        "toml",
        "crate::config",
        "crate::cli",
        "crate::files",
        "crate::secret",
        "crate::testing",
    ];
    check_absent("watch", &words);
    check_absent(
        "watch",
        &["println", "eprintln", "std::env", "std::process"],
    );
}

#[test]
fn the_configuration_runs_nothing() {
    let words = [
        "crate::dns",
        "crate::inbox",
        "crate::oauth",
        "crate::store",
        "crate::ledger",
        "crate::verify",
        "crate::notify",
        "crate::watch",
        "crate::cli",
    ];
    check_absent("config", &words);
    check_absent(
        "config",
        &[
            "std::fs",
            "TcpStream",
            "UdpSocket",
            "ToSocketAddrs",
            "std::process",
            "tokio",
            "clap",
        ],
    );
}

#[test]
fn the_heart_alone_depends_on_no_edge() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(root())
        .args([
            "tree",
            "--offline",
            "-e",
            "normal",
            "--no-default-features",
            "--prefix",
            "none",
        ])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let tree = String::from_utf8(output.stdout).unwrap();
    let names: Vec<&str> = tree
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert!(
        names.contains(&"sftoken") && names.contains(&"ring"),
        "{tree}"
    );
    let edges = [
        "tokio",
        "hickory",
        "rusqlite",
        "async-imap",
        "native-tls",
        "clap",
        "age",
        "keyring",
        "quick-xml",
        "tracing",
        "ureq",
    ];
    let held: Vec<_> = names
        .iter()
        .filter(|name| {
            edges
                .iter()
                .any(|edge| *name == edge || name.starts_with(&format!("{edge}-")))
        })
        .collect();
    assert!(held.is_empty(), "{held:?}");
}

/// Where a secret's value may be taken out.
const EXPOSED_IN: [&str; 38] = [
    "src/cli/get.rs",
    "src/cli/summary.rs",
    "src/consumer/field.rs",
    "src/inbox/authenticate.rs",
    "src/inbox/proxy/http.rs",
    "src/inbox/proxy/socks.rs",
    "src/inbox/tls.rs",
    "src/notify/webhook.rs",
    "src/oauth/browser.rs",
    "src/oauth/client.rs",
    "src/process/words.rs",
    "src/secret/save.rs",
    "src/store/age/mod.rs",
    "src/store/aws/history.rs",
    "src/store/aws/session.rs",
    "src/store/aws/value.rs",
    "src/store/azure/auth.rs",
    "src/store/azure/call.rs",
    "src/store/azure/mod.rs",
    "src/store/exec/run.rs",
    "src/store/gcp/auth.rs",
    "src/store/gcp/call.rs",
    "src/store/gcp/credentials.rs",
    "src/store/gcp/secret.rs",
    "src/store/github/call.rs",
    "src/store/github/mod.rs",
    "src/store/jwt.rs",
    "src/store/keyring/slot.rs",
    "src/store/kubernetes/call.rs",
    "src/store/kubernetes/kubeconfig/file.rs",
    "src/store/kubernetes/kubeconfig/plugin.rs",
    "src/store/kubernetes/kubeconfig/user.rs",
    "src/store/kubernetes/mod.rs",
    "src/store/vault/auth.rs",
    "src/store/vault/call.rs",
    "src/store/vault/kv.rs",
    "src/verify/oauth.rs",
    "src/verify/soap.rs",
];

#[test]
fn a_secret_is_taken_out_in_a_handful_of_places() {
    let mut found: Vec<String> = code_of(".")
        .into_iter()
        .filter(|line| line.code.contains(".expose(") || line.code.contains("::expose"))
        .map(|line| line.file.replace("/./", "/"))
        .collect();
    found.sort();
    found.dedup();
    assert_eq!(
        found, EXPOSED_IN,
        "the places where `.expose(` stands have changed: {found:#?}"
    );
}

/// A check of the TLS library's may be off only where a pinned key takes its place.
#[test]
fn no_check_of_a_certificate_is_off_but_for_a_pinned_key() {
    let found: Vec<String> = code_of(".")
        .into_iter()
        .filter(|line| line.code.contains("danger_"))
        .map(|line| line.file.replace("/./", "/"))
        .collect();
    assert_eq!(found, ["src/inbox/tls.rs"; 2]);
    // and where a kubeconfig and the store's URL both say so
    let off = code_of(".")
        .into_iter()
        .filter(|line| mentions(&line.code, "disable_verification"));
    let off: Vec<String> = off.map(|line| line.file.replace("/./", "/")).collect();
    assert_eq!(off, ["src/http/trust.rs"]);
    let asked = code_of(".")
        .into_iter()
        .filter(|line| line.code.contains(".trusting_anybody("));
    let asked: Vec<String> = asked.map(|line| line.file.replace("/./", "/")).collect();
    assert_eq!(asked, ["src/store/kubernetes/kubeconfig/mod.rs"]);
}
