//! The DNS edge, against the test server of `testing` and against a real dnsmasq.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sftoken::dns::Resolver;
use sftoken::ingest::keys::{KeyAnswer, KeyAnswers};
use sftoken::testing::dns::{DnsServer, Says};

const NAME: &str = "s1._domainkey.salesforce.com";

/// Longer than a string (255) and than a UDP answer (512): it must come over TCP, joined.
fn long_key() -> String {
    format!("v=DKIM1; k=rsa; p={}", "MIIBIjANBgkq".repeat(60))
}

fn records(texts: &[&str]) -> KeyAnswer {
    KeyAnswer::Records(texts.iter().map(|&text| text.to_owned()).collect())
}

#[track_caller]
fn check(answers: &KeyAnswers, name: &str, expected: &KeyAnswer) {
    assert_eq!(answers.get(name), expected, "{name}");
}

async fn ask(resolver: &Resolver, name: &str) -> KeyAnswer {
    resolver.ask(&[name.to_owned()]).await.get(name).clone()
}

#[tokio::test]
async fn a_no_and_a_failure_are_different_answers() {
    let server = DnsServer::start().await.unwrap();
    server.set(NAME, Says::Records(vec!["v=DKIM1; p=abc".into()]));
    server.set("none._domainkey.salesforce.com", Says::NoData);
    server.set("broken._domainkey.salesforce.com", Says::ServFail);
    server.set("refused._domainkey.salesforce.com", Says::Refused);
    let resolver = Resolver::server(server.address());
    for (name, expected) in [
        (NAME, records(&["v=DKIM1; p=abc"])),
        ("nobody._domainkey.salesforce.com", KeyAnswer::Absent),
        ("none._domainkey.salesforce.com", KeyAnswer::Absent),
        ("broken._domainkey.salesforce.com", KeyAnswer::Unknown),
        ("refused._domainkey.salesforce.com", KeyAnswer::Unknown),
    ] {
        assert_eq!(ask(&resolver, name).await, expected, "{name}");
    }
}

#[tokio::test]
async fn a_silent_server_costs_two_seconds_however_many_names_are_asked() {
    let server = DnsServer::start().await.unwrap();
    let names: Vec<String> = (1..=3)
        .map(|n| format!("s{n}._domainkey.salesforce.com"))
        .collect();
    for name in &names {
        server.set(name, Says::Silent);
    }
    let begin = Instant::now();
    let answers = Resolver::server(server.address()).ask(&names).await;
    let took = begin.elapsed();
    for name in &names {
        check(&answers, name, &KeyAnswer::Unknown);
        assert!(server.asked(name) >= 1, "{name} was not asked for");
    }
    assert!(took < Duration::from_millis(3500), "took {took:?}");
}

#[tokio::test]
async fn a_key_is_seen_as_soon_as_the_server_is_back() {
    let server = DnsServer::start().await.unwrap();
    let resolver = Resolver::server(server.address());
    server.set(NAME, Says::ServFail);
    assert_eq!(ask(&resolver, NAME).await, KeyAnswer::Unknown);
    server.set(NAME, Says::NxDomain);
    assert_eq!(ask(&resolver, NAME).await, KeyAnswer::Absent);
    server.set(NAME, Says::Records(vec!["v=DKIM1; p=new".into()]));
    assert_eq!(ask(&resolver, NAME).await, records(&["v=DKIM1; p=new"]));
}

#[tokio::test]
async fn mails_of_one_sender_share_the_answer() {
    let server = DnsServer::start().await.unwrap();
    server.set(NAME, Says::Records(vec!["v=DKIM1; p=abc".into()]));
    let resolver = Resolver::server(server.address());
    for _ in 0..20 {
        assert_eq!(ask(&resolver, NAME).await, records(&["v=DKIM1; p=abc"]));
    }
    assert_eq!(server.asked(NAME), 1);
}

#[tokio::test]
async fn a_long_key_comes_over_tcp_with_its_strings_joined() {
    let server = DnsServer::start().await.unwrap();
    let key = long_key();
    server.set(NAME, Says::Records(vec![key.clone()]));
    let resolver = Resolver::server(server.address());
    assert_eq!(ask(&resolver, NAME).await, records(&[&key]));
    assert!(
        server.asked_by_tcp() >= 1,
        "the answer fitted into a datagram"
    );
}

#[tokio::test]
async fn every_record_of_a_name_is_told() {
    let server = DnsServer::start().await.unwrap();
    let two = vec!["v=DKIM1; p=one".to_owned(), "v=DKIM1; p=two".to_owned()];
    server.set(NAME, Says::Records(two.clone()));
    let answer = ask(&Resolver::server(server.address()), NAME).await;
    let KeyAnswer::Records(mut records) = answer else {
        panic!("{answer:?}")
    };
    records.sort();
    assert_eq!(records, two);
}

#[tokio::test]
async fn a_dead_server_is_not_a_no() {
    let resolver = Resolver::server(free_port());
    assert_eq!(ask(&resolver, NAME).await, KeyAnswer::Unknown);
}

#[tokio::test]
async fn a_name_that_cannot_stand_in_the_dns_is_absent() {
    let server = DnsServer::start().await.unwrap();
    let name = format!("{}._domainkey.salesforce.com", "x".repeat(64));
    let resolver = Resolver::server(server.address());
    assert_eq!(ask(&resolver, &name).await, KeyAnswer::Absent);
    assert_eq!(server.asked_in_all(), 0);
}

#[tokio::test]
async fn key_files_never_ask_the_network() {
    let text = format!("# a comment\n\n{NAME} v=DKIM1; p=abc\n");
    let resolver = Resolver::from_files(KeyAnswers::from_key_file(&text).unwrap());
    assert_eq!(ask(&resolver, NAME).await, records(&["v=DKIM1; p=abc"]));
    assert_eq!(
        ask(&resolver, "s2._domainkey.salesforce.com").await,
        KeyAnswer::Absent
    );
}

/// A real dnsmasq on a port of the loopback interface, stopped when dropped.
struct Dnsmasq {
    child: Child,
    address: SocketAddr,
    _config: tempfile::NamedTempFile,
}

impl Drop for Dnsmasq {
    fn drop(&mut self) {
        // It may have ended by itself, which the test will have seen.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> SocketAddr {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.local_addr().unwrap()
}

/// NOTE: dnsmasq may stand in a folder that is not on an ordinary user's PATH.
fn dnsmasq() -> &'static str {
    let places = [
        "/usr/sbin/dnsmasq",
        "/usr/local/sbin/dnsmasq",
        "/opt/homebrew/sbin/dnsmasq",
    ];
    let found = places
        .into_iter()
        .find(|path| std::path::Path::new(path).exists());
    found.unwrap_or("dnsmasq")
}

impl Dnsmasq {
    fn start(records: &[(&str, &str)]) -> Self {
        let address = free_port();
        let mut config = tempfile::NamedTempFile::new().unwrap();
        writeln!(
            config,
            "port={}\nlisten-address=127.0.0.1\nbind-interfaces\nno-resolv\nno-hosts\nlocal=/#/",
            address.port()
        )
        .unwrap();
        for (name, text) in records {
            let strings: Vec<String> = text
                .as_bytes()
                .chunks(250)
                .map(|chunk| format!("\"{}\"", String::from_utf8_lossy(chunk)))
                .collect();
            writeln!(config, "txt-record={name},{}", strings.join(",")).unwrap();
        }
        config.flush().unwrap();
        let child = Command::new(dnsmasq())
            .arg("--keep-in-foreground")
            .arg(format!("--conf-file={}", config.path().display()))
            .args(["--user=", "--group=", "--pid-file="])
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("dnsmasq is needed for this test: tests/run.sh installs it");
        Self {
            child,
            address,
            _config: config,
        }
    }

    /// Asks until it answers: it needs a moment to open its port.
    async fn ask(&mut self, resolver: &Resolver, name: &str) -> KeyAnswer {
        for _ in 0..40 {
            let answer = ask(resolver, name).await;
            if answer != KeyAnswer::Unknown {
                return answer;
            }
            assert!(
                self.child.try_wait().unwrap().is_none(),
                "dnsmasq ended by itself"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        KeyAnswer::Unknown
    }
}

#[tokio::test]
async fn dnsmasq_serves_keys_short_and_long_and_says_no() {
    let key = long_key();
    let mut server = Dnsmasq::start(&[
        (NAME, "v=DKIM1; k=rsa; p=abc"),
        ("long._domainkey.salesforce.com", &key),
    ]);
    let resolver = Resolver::server(server.address);
    for (name, expected) in [
        (NAME, records(&["v=DKIM1; k=rsa; p=abc"])),
        ("long._domainkey.salesforce.com", records(&[&key])),
        ("nobody._domainkey.salesforce.com", KeyAnswer::Absent),
        // An inner node of the tree: it exists, and has no TXT record.
        ("_domainkey.salesforce.com", KeyAnswer::Absent),
    ] {
        assert_eq!(server.ask(&resolver, name).await, expected, "{name}");
    }
}

#[tokio::test]
async fn a_dnsmasq_that_dies_and_comes_back_is_no_no() {
    let mut server = Dnsmasq::start(&[(NAME, "v=DKIM1; p=abc")]);
    let resolver = Resolver::server(server.address);
    assert_eq!(
        server.ask(&resolver, "nobody.salesforce.com").await,
        KeyAnswer::Absent
    );
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    assert_eq!(ask(&resolver, NAME).await, KeyAnswer::Unknown);
}
