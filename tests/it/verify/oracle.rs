//! Others read what we write, and log in where we do.

use std::process::Command;

use serde_json::{Value, json};
use sftoken::Token;
use sftoken::ingest::secret::Secret;
use sftoken::testing::salesforce::Fault;
use sftoken::verify::{Http, LogIn};

use super::{APP, APP_WORD, Org, PASSWORD, ways};
use crate::support::salesforce::ANN;
use crate::support::stub::{Asked, Stub};

/// Python's own readers of XML and of forms.
const READER: &str = r#"
import json, sys, urllib.parse, xml.etree.ElementTree as tree
kind, body = sys.argv[1], sys.stdin.buffer.read()
if kind == "soap":
    names = {"e": "http://schemas.xmlsoap.org/soap/envelope/", "p": "urn:partner.soap.sforce.com"}
    root = tree.fromstring(body)
    assert root.tag == "{http://schemas.xmlsoap.org/soap/envelope/}Envelope", root.tag
    login = root.find("e:Body/p:login", names)
    print(json.dumps({e.tag.split("}")[1]: e.text for e in login}))
else:
    form = urllib.parse.parse_qs(body.decode("ascii"), strict_parsing=True, keep_blank_values=True)
    print(json.dumps({name: value for name, [value] in form.items()}))
"#;

/// simple-salesforce, against a server of the test's.
const CLIENT: &str = r#"
import os
from simple_salesforce import SalesforceLogin
try:
    session, instance = SalesforceLogin(
        username=os.environ["NAME"], password=os.environ["WORD"], security_token=os.environ["TOKEN"],
        scratch_url=os.environ["URL"], sf_version="64.0")
    print("in", instance, session[:15])
except Exception as error:
    print(type(error).__name__, error)
"#;

fn python() -> String {
    std::env::var("SFTOKEN_TEST_PYTHON").expect("SFTOKEN_TEST_PYTHON")
}

fn read(kind: &str, asked: &Asked) -> Value {
    let mut command = Command::new(python());
    command.args(["-c", READER, kind]);
    let running = crate::support::run::Running::of(command, asked.body.as_bytes());
    serde_json::from_str(&running.end().check(0).out).unwrap()
}

#[test]
fn python_reads_the_password_that_was_meant() {
    let stub = Stub::start(|_: &Asked| (503, String::new()));
    let url = format!("http://{}", stub.authority());
    let token = Token::new("AbCdEfGhIjKlMnOpQrStUvWx").unwrap();
    let words = [
        PASSWORD,
        "word",
        "\r\n\r \t",
        "]]>",
        "&#38;&lt;",
        "<!--x-->",
        "日本語🎉",
    ];
    for word in words {
        for way in ways() {
            let password = Secret::new(word.to_owned());
            let outcome = LogIn::new(way, &url, Http::new()).attempt(ANN, &password, &token);
            assert_eq!(outcome.kind(), "unavailable");
        }
        let asked = stub.asked();
        let [.., soap, form] = &asked[..] else {
            panic!("{}", asked.len());
        };
        let login = format!("{word}{}", token.expose());
        assert_eq!(
            read("soap", soap),
            json!({"username": ANN, "password": login})
        );
        assert_eq!(
            read("oauth", form),
            json!({"grant_type": "password", "client_id": APP, "client_secret": APP_WORD, "username": ANN, "password": login})
        );
        assert_eq!(
            (soap.method.as_str(), soap.path.as_str()),
            ("POST", "/services/Soap/u/64.0")
        );
        assert_eq!(soap.headers["soapaction"], "login");
        assert_eq!(soap.headers["content-type"], "text/xml; charset=UTF-8");
        assert_eq!(
            (form.method.as_str(), form.path.as_str()),
            ("POST", "/services/oauth2/token")
        );
        let kind = &form.headers["content-type"];
        assert_eq!(kind, "application/x-www-form-urlencoded");
        // the password is nowhere but in the body
        for asked in [soap, form] {
            let head = format!("{:?} {}", asked.headers, asked.path);
            assert!(!head.contains("AbCdEfGhIjKl"), "{head}");
        }
    }
    assert_eq!(stub.asked().len(), 2 * words.len());
}

fn simple_salesforce(org: &Org, password: &str, token: &str) -> String {
    let mut command = Command::new(python());
    command.args(["-c", CLIENT]);
    command.envs([("NAME", ANN), ("WORD", password), ("TOKEN", token)]);
    command.env("URL", org.stub.url()).env("NO_PROXY", "*");
    crate::support::run::Running::of(command, b"")
        .end()
        .check(0)
        .out
}

/// A client that nobody here wrote takes the stub for Salesforce.
#[test]
fn simple_salesforce_logs_in_to_the_stub() {
    let org = Org::new();
    let inside = simple_salesforce(&org, PASSWORD, org.token.expose());
    let address = org.stub.address();
    assert_eq!(inside, format!("in {address} 00D5e000001Xy7Q\n"));
    let wrong = simple_salesforce(&org, PASSWORD, "AbCdEfGhIjKlMnOpQrStUvWx");
    assert_eq!(
        wrong,
        "SalesforceAuthenticationFailed Authentication failed (code: INVALID_LOGIN): Invalid username, password, security token; or user locked out.\n"
    );
    let none = simple_salesforce(&org, PASSWORD, "");
    assert!(none.contains("LOGIN_MUST_USE_SECURITY_TOKEN"), "{none}");
    org.stub.fail_next(1, Fault::LoginDisabled);
    let disabled = simple_salesforce(&org, PASSWORD, org.token.expose());
    assert!(
        disabled.contains("(code: INVALID_OPERATION): SOAP API login() is disabled"),
        "{disabled}"
    );
    assert_eq!(org.stub.attempts(ANN), 4);
}
