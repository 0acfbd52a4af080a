//! The server in memory, by raw lines and by Python's imaplib.

use std::process::Stdio;
use std::time::Duration;

use sftoken::testing::server::{Quirks, Server};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream};
use tokio::time::timeout;

use super::server::{MAIL, at, morning};

fn server(quirks: Quirks) -> Server {
    let server = Server::with(quirks);
    server.add_user("ann", "pass word");
    server
}

/// A client that says what it is told to.
struct Raw(BufReader<DuplexStream>);

impl Raw {
    async fn of(server: &Server) -> Self {
        let mut raw = Self(BufReader::new(server.connect().unwrap()));
        assert!(raw.line().await.starts_with("* OK [CAPABILITY IMAP4rev1 "));
        raw
    }

    async fn in_inbox(server: &Server, how: &str) -> Self {
        let mut raw = Self::of(server).await;
        raw.ask("LOGIN ann \"pass word\"").await;
        raw.ask(&format!("{how} INBOX")).await;
        raw
    }

    async fn line(&mut self) -> String {
        let mut line = String::new();
        let read = timeout(Duration::from_secs(30), self.0.read_line(&mut line));
        read.await.expect("a line in time").unwrap();
        line.trim_end_matches("\r\n").to_owned()
    }

    async fn say(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// The lines of an answer, up to the tagged one; its tag is left out.
    async fn ask(&mut self, line: &str) -> Vec<String> {
        self.say(&format!("x {line}\r\n")).await;
        let mut lines = Vec::new();
        loop {
            let line = self.line().await;
            let tagged = line.strip_prefix("x ").map(str::to_owned);
            let ended = tagged.is_some();
            lines.push(tagged.unwrap_or(line));
            if ended {
                return lines;
            }
        }
    }

    #[track_caller]
    fn check(told: &[String], expected: &[&str]) {
        assert_eq!(told, expected);
    }
}

#[tokio::test]
async fn of_two_claims_one_wins() {
    let server = server(Quirks::default());
    server.deliver("ann", "INBOX", MAIL, morning());
    let mut one = Raw::in_inbox(&server, "SELECT").await;
    let mut other = Raw::in_inbox(&server, "SELECT").await;
    let told = one.ask("UID FETCH 1 (FLAGS MODSEQ)").await;
    Raw::check(&told, &["* 1 FETCH (UID 1 FLAGS () MODSEQ (2))", "OK done"]);
    let claim = "UID STORE 1 (UNCHANGEDSINCE 2) +FLAGS.SILENT ($Claim)";
    let won = one.ask(claim).await;
    Raw::check(&won, &["* 1 FETCH (UID 1 MODSEQ (3))", "OK done"]);
    let lost = other.ask(claim).await;
    let told = "* 1 FETCH (FLAGS ($Claim) MODSEQ (3))";
    Raw::check(&lost, &[told, "OK [MODIFIED 1] conditional STORE failed"]);
    assert_eq!(server.flags("ann", "INBOX", 1), ["$Claim"]);
    assert_eq!(server.counts().writes, 2);
}

#[tokio::test]
async fn what_is_examined_is_not_changed() {
    let server = server(Quirks::default());
    server.deliver("ann", "INBOX", MAIL, morning());
    let mut raw = Raw::in_inbox(&server, "EXAMINE").await;
    let refused = "NO [READ-ONLY] the folder was opened to be read";
    for change in [
        "UID STORE 1 +FLAGS (\\Seen)",
        "UID MOVE 1 Junk",
        "EXPUNGE",
        "UID EXPUNGE 1",
    ] {
        Raw::check(&raw.ask(change).await, &[refused]);
    }
    let told = raw.ask("UID FETCH 1 BODY[TEXT]<0.4>").await;
    Raw::check(
        &told,
        &["* 1 FETCH (UID 1 BODY[TEXT]<0> {4}", "body)", "OK done"],
    );
    Raw::check(&raw.ask("CLOSE").await, &["OK done"]);
    assert_eq!(server.flags("ann", "INBOX", 1), [] as [&str; 0]);
    assert_eq!(server.counts().writes, 4);
}

#[tokio::test]
async fn a_mail_is_marked_copied_moved_and_removed() {
    let server = server(Quirks::default());
    for _ in 0..4 {
        server.deliver("ann", "INBOX", MAIL, morning());
    }
    let mut raw = Raw::in_inbox(&server, "SELECT").await;
    let told = raw.ask("UID STORE 1:2 +FLAGS (\\seen Mine)").await;
    let marked = [
        "* 1 FETCH (UID 1 FLAGS (Mine \\Seen))",
        "* 2 FETCH (UID 2 FLAGS (Mine \\Seen))",
        "OK done",
    ];
    Raw::check(&told, &marked);
    let copied = raw.ask("UID COPY 1,4 Junk").await;
    Raw::check(&copied, &["OK [COPYUID 1 1,4 1:2] copied"]);
    let moved = raw.ask("UID MOVE 2 Junk").await;
    Raw::check(
        &moved,
        &["* OK [COPYUID 1 2 3] moved", "* 2 EXPUNGE", "OK done"],
    );
    assert_eq!(server.flags("ann", "Junk", 3), ["Mine", "\\Seen"]);
    Raw::check(
        &raw.ask("UID COPY 1 Nowhere").await,
        &["NO [TRYCREATE] no such folder"],
    );
    raw.ask("UID STORE 3:4 FLAGS.SILENT \\Deleted").await;
    Raw::check(
        &raw.ask("UID EXPUNGE 1:3").await,
        &["* 2 EXPUNGE", "OK done"],
    );
    assert_eq!(server.uids("ann", "INBOX"), [1, 4]);
    Raw::check(
        &raw.ask("FETCH 1 BODY[TEXT]<0.1>").await[..1],
        &["* 1 FETCH (BODY[TEXT]<0> {1}"],
    );
    Raw::check(&raw.ask("CLOSE").await, &["OK done"]);
    assert_eq!(server.uids("ann", "INBOX"), [1]);
    let told = raw
        .ask("STATUS Junk (MESSAGES UIDNEXT UIDVALIDITY UNSEEN)")
        .await;
    let status = "* STATUS \"Junk\" (MESSAGES 3 UIDNEXT 4 UIDVALIDITY 1 UNSEEN 1)";
    Raw::check(&told, &[status, "OK done"]);
}

#[tokio::test]
async fn notify_tells_of_two_folders_without_idle() {
    let server = server(Quirks::default());
    let mut raw = Raw::in_inbox(&server, "EXAMINE").await;
    let set = "NOTIFY SET (selected (MessageNew MessageExpunge)) (mailboxes \"Junk\" (MessageNew MessageExpunge))";
    Raw::check(&raw.ask(set).await, &["OK done"]);
    server.deliver("ann", "Junk", MAIL, morning());
    let junk = "* STATUS \"Junk\" (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 1)";
    assert_eq!(raw.line().await, junk);
    server.deliver("ann", "INBOX", MAIL, morning());
    assert_eq!(raw.line().await, "* 1 EXISTS");
    assert_eq!(raw.line().await, "* 0 RECENT");
    server.expunge("ann", "INBOX", &[1]);
    assert_eq!(raw.line().await, "* 1 EXPUNGE");
    // also in IDLE
    raw.say("x IDLE\r\n").await;
    assert_eq!(raw.line().await, "+ idling");
    server.expunge("ann", "Junk", &[1]);
    assert_eq!(raw.line().await, junk.replace("MESSAGES 1", "MESSAGES 0"));
    raw.say("done\r\n").await;
    assert_eq!(raw.line().await, "x OK done");
    server.overflow_all();
    assert!(raw.line().await.starts_with("* OK [NOTIFICATIONOVERFLOW]"));
    server.deliver("ann", "Junk", MAIL, morning());
    Raw::check(&raw.ask("NOTIFY NONE").await, &["OK done"]);
    let half = raw.ask("NOTIFY SET (selected (MessageNew))").await;
    assert!(half[0].starts_with("BAD"), "{half:?}");
}

#[tokio::test]
async fn what_is_left_out_is_not_understood() {
    let cases = [
        ("IDLE", "IDLE"),
        ("NOTIFY", "NOTIFY NONE"),
        ("UIDPLUS", "UID EXPUNGE 1"),
        ("MOVE", "UID MOVE 1 Junk"),
        ("CONDSTORE", "UID STORE 1 (UNCHANGEDSINCE 9) +FLAGS (a)"),
        ("CONDSTORE", "UID FETCH 1 (MODSEQ)"),
        ("CONDSTORE", "SELECT INBOX (CONDSTORE)"),
        ("UNSELECT", "UNSELECT"),
        ("SPECIAL-USE", "LIST \"\" \"*\" RETURN (SPECIAL-USE)"),
        ("ID", "ID NIL"),
    ];
    for (capability, line) in cases {
        let whole = server(Quirks::default());
        whole.deliver("ann", "INBOX", MAIL, morning());
        let mut raw = Raw::in_inbox(&whole, "SELECT").await;
        if line != "IDLE" {
            let told = raw.ask(line).await;
            assert!(told.last().unwrap().starts_with("OK"), "{line}: {told:?}");
        }
        let without = server(Quirks::default().without(capability));
        let mut raw = Raw::in_inbox(&without, "SELECT").await;
        let told = raw.ask(line).await;
        assert!(told[0].starts_with("BAD"), "{line}: {told:?}");
    }
}

#[tokio::test]
async fn nonsense_is_bad_and_the_connection_lives() {
    let server = server(Quirks::default());
    let mut raw = Raw::of(&server).await;
    for line in [
        "",
        "FETCH",
        "XYZZY",
        "UID",
        "LOGIN (",
        "SELECT INBOX",
        "AUTHENTICATE PLAIN x y",
        "\u{1f4e7}",
    ] {
        let told = raw.ask(line).await;
        assert!(told[0].starts_with("BAD"), "{line}: {told:?}");
    }
    Raw::check(
        &raw.ask("AUTHENTICATE XOAUTH2 x").await,
        &["NO [CANNOT] unknown mechanism"],
    );
    raw.ask("LOGIN {3+}\r\nann {9+}\r\npass word").await;
    raw.ask("EXAMINE InBox").await;
    let deep = format!("UID SEARCH {}SEEN", "NOT ".repeat(9000));
    for line in [
        &deep[..],
        "UID FETCH 0 FLAGS",
        "UID SEARCH",
        "UID STORE 1 FLAGS",
        "UID FETCH 1 (ENVELOPE)",
    ] {
        let told = raw.ask(line).await;
        assert!(told[0].starts_with("BAD"), "{told:?}");
    }
    Raw::check(&raw.ask("LOGOUT").await, &["* BYE see you", "OK done"]);
    let mut rest = Vec::new();
    raw.0.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"");
}

#[tokio::test]
async fn a_search_knows_days_sizes_flags_and_headers() {
    let server = server(Quirks::default());
    server.deliver("ann", "INBOX", MAIL, at("2026-11-05T23:59:59Z"));
    server.deliver(
        "ann",
        "INBOX",
        b"Subject: other\r\n\r\n",
        at("2026-11-06T00:00:00Z"),
    );
    server.set_flags("ann", "INBOX", 2, &["\\Seen", "$Claim"]);
    let mut raw = Raw::in_inbox(&server, "EXAMINE").await;
    let cases = [
        ("ALL", "1 2"),
        ("UID 9:*", "2"),
        ("2 UID 1:2", "2"),
        ("SINCE 6-Nov-2026", "2"),
        ("BEFORE 6-Nov-2026", "1"),
        ("ON 05-Nov-2026", "1"),
        ("SEEN", "2"),
        ("UNSEEN", "1"),
        ("NOT KEYWORD $Claim", "1"),
        ("SUBJECT OTHER", "2"),
        ("OR SUBJECT other LARGER 40", "1 2"),
        ("(UNSEEN SMALLER 40)", ""),
        ("HEADER X-Other {0+}\r\n", "1"),
    ];
    for (criteria, found) in cases {
        let expected = format!("* SEARCH {found}");
        Raw::check(
            &raw.ask(&format!("UID SEARCH {criteria}")).await,
            &[expected.trim_end(), "OK done"],
        );
    }
    let refused = raw.ask("UID SEARCH CHARSET UTF-8 ALL").await;
    assert!(refused[0].starts_with("NO [BADCHARSET"), "{refused:?}");
}

/// A client that was written long before, for other servers.
#[tokio::test]
async fn imaplib_sees_an_ordinary_server() {
    let server = server(Quirks::default());
    server.deliver("ann", "INBOX", MAIL, morning());
    let listener = server.listen().await.unwrap();
    let child = tokio::process::Command::new("python3")
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/it/imap/client.py"
        ))
        .arg(listener.address().port().to_string())
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let ended = timeout(Duration::from_secs(60), child.wait_with_output());
    let ended = ended.await.expect("imaplib ends").unwrap();
    assert!(
        ended.status.success(),
        "{}",
        String::from_utf8_lossy(&ended.stderr)
    );
    assert_eq!(server.uids("ann", "INBOX"), [2]);
    assert_eq!(server.flags("ann", "INBOX", 2), ["Mine", "\\Flagged"]);
    assert_eq!(server.uids("ann", "Junk"), [1]);
}
