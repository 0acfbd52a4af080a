//! A throw-away AWS: moto, on loopback, in memory.
//!
//! Knows how to start the emulator, to ask it anything, and to stand between it and a store, so that it answers one request at a
//! time, as AWS does, and fails where a test wants it. Needs `moto` from PyPI, which `tests/run.sh` installs: without it, it
//! panics, because a test that is skipped in silence proves nothing.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::dovecot::{PORTS, free_ports};
use super::stub::{Asked, Stub};

/// The region of every test.
pub(crate) const REGION: &str = "eu-west-1";
/// An access key that moto takes from anybody, until it is told to look.
pub(crate) const ANYBODY: (&str, &str) = ("AKIAPLANTEDACCESSKEY", "planted-secret-access-key");

/// The server. Dropping it kills it.
pub(crate) struct Moto {
    folder: TempDir,
    port: u16,
    child: Child,
}

impl Moto {
    pub(crate) fn start() -> Self {
        let python = std::env::var("SFTOKEN_TEST_PYTHON")
            .expect("run the tests with tests/run.sh: it makes a Python with moto");
        let folder = TempDir::new().unwrap();
        let _one_at_a_time = PORTS.lock().unwrap_or_else(PoisonError::into_inner);
        let [port] = free_ports();
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let child = Command::new(python)
            .args(["-m", "moto.server", "-H", "127.0.0.1", "-p"])
            .arg(port.to_string())
            .env_clear()
            .env("HOME", folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut server = Self {
            folder,
            port,
            child,
        };
        server.await_health();
        server
    }

    fn await_health(&mut self) {
        let until = Instant::now() + Duration::from_secs(60);
        while agent().get(self.url("/moto-api/data.json")).call().is_err() {
            let ended = self.child.try_wait().unwrap();
            let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(
                ended.is_none() && Instant::now() < until,
                "no moto: run the tests with tests/run.sh\n{log}"
            );
            // it tells nobody when it is ready
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// `http://127.0.0.1:PORT` and a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The store's URL; parameters begin with `&`.
    pub(crate) fn store(&self, scheme: &str, name: &str, parameters: &str) -> String {
        store(scheme, name, &self.url(""), parameters)
    }

    /// Asks Secrets Manager; it must succeed.
    #[track_caller]
    pub(crate) fn secrets(&self, action: &str, body: Value) -> Value {
        self.json("secretsmanager", &format!("secretsmanager.{action}"), &body)
    }

    /// Asks Systems Manager; it must succeed.
    #[track_caller]
    pub(crate) fn parameters(&self, action: &str, body: Value) -> Value {
        self.json("ssm", &format!("AmazonSSM.{action}"), &body)
    }

    /// The current value of a secret, as JSON.
    #[track_caller]
    pub(crate) fn secret(&self, name: &str) -> Value {
        let asked = json!({"SecretId": name, "VersionStage": "AWSCURRENT"});
        let told = self.secrets("GetSecretValue", asked);
        serde_json::from_str(told["SecretString"].as_str().unwrap()).unwrap()
    }

    /// The labels of a secret's versions.
    #[track_caller]
    pub(crate) fn labels(&self, name: &str) -> Vec<(String, Vec<String>)> {
        let told = self.secrets("DescribeSecret", json!({"SecretId": name}));
        let versions = told["VersionIdsToStages"].as_object().unwrap();
        let words = |stages: &Value| serde_json::from_value(stages.clone()).unwrap();
        versions
            .iter()
            .map(|(id, stages)| (id.clone(), words(stages)))
            .collect()
    }

    /// The current version of a parameter.
    #[track_caller]
    pub(crate) fn parameter(&self, name: &str) -> Value {
        let asked = json!({"Name": name, "WithDecryption": true});
        self.parameters("GetParameter", asked)["Parameter"].clone()
    }

    #[track_caller]
    fn json(&self, service: &str, target: &str, body: &Value) -> Value {
        let request = ureq::http::Request::post(self.url("/"))
            .header("X-Amz-Target", target)
            .header("Content-Type", "application/x-amz-json-1.1")
            .header("Authorization", unchecked(service))
            .body(body.to_string())
            .unwrap();
        let (status, text) = self.send(request);
        assert_eq!(status, 200, "{target}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Asks IAM; it must succeed. The answer is XML.
    #[track_caller]
    pub(crate) fn iam(&self, action: &str, pairs: &[(&str, &str)]) -> String {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("Action", action);
        form.append_pair("Version", "2010-05-08");
        form.extend_pairs(pairs);
        let request = ureq::http::Request::post(self.url("/"))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .header("Authorization", unchecked("iam"))
            .body(form.finish())
            .unwrap();
        let (status, text) = self.send(request);
        assert_eq!(status, 200, "{action}: {text}");
        text
    }

    /// A user with this policy, and their access key: from now on, signatures and policies are looked at.
    pub(crate) fn guard(&self, policy: &Value) -> (String, String) {
        self.iam("CreateUser", &[("UserName", "sftoken")]);
        let policy = policy.to_string();
        let named = [
            ("UserName", "sftoken"),
            ("PolicyName", "p"),
            ("PolicyDocument", &*policy),
        ];
        self.iam("PutUserPolicy", &named);
        let made = self.iam("CreateAccessKey", &[("UserName", "sftoken")]);
        let between = |start: &str, end: &str| {
            let rest = made.split_once(start).unwrap().1;
            rest.split_once(end).unwrap().0.to_owned()
        };
        let request = ureq::http::Request::post(self.url("/moto-api/reset-auth"))
            .body("0".to_owned())
            .unwrap();
        assert_eq!(self.send(request).0, 200);
        (
            between("<AccessKeyId>", "</AccessKeyId>"),
            between("<SecretAccessKey>", "</SecretAccessKey>"),
        )
    }

    fn send(&self, request: ureq::http::Request<String>) -> (u16, String) {
        let mut answer = agent().run(request).unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        (answer.status().as_u16(), text)
    }

    fn forward(&self, asked: &Asked) -> (u16, String) {
        let mut request = ureq::http::Request::builder()
            .method(asked.method.as_str())
            .uri(self.url(&asked.path));
        for (name, value) in &asked.headers {
            // the host is signed
            let own = ["content-length", "accept-encoding", "connection"];
            if !own.contains(&name.as_str()) {
                request = request.header(name, value);
            }
        }
        let (status, text) = self.send(request.body(asked.body.clone()).unwrap());
        let action = action(asked);
        match as_aws_says(&text) {
            Some(told) if !action.is_empty() => (400, told),
            _ => (status, text),
        }
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// NOTE: where a signature or a policy does not hold, moto answers in XML, and with the words of older services; AWS does
/// not.
fn as_aws_says(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("<Code>")?;
    let code = match rest.split_once("</Code>")?.0 {
        "SignatureDoesNotMatch" => "InvalidSignatureException",
        "InvalidClientTokenId" => "UnrecognizedClientException",
        "AccessDenied" => "AccessDeniedException",
        _ => return None,
    };
    Some(json!({"__type": code, "message": text}).to_string())
}

/// What stands between: each request, whole, one after the other, as `rule` wants it. `rule` is given what was asked and how to
/// pass it on.
pub(crate) fn gate(
    server: &Arc<Moto>,
    rule: impl Fn(&Asked, &dyn Fn() -> (u16, String)) -> (u16, String) + Send + Sync + 'static,
) -> Stub {
    let (server, turn) = (Arc::clone(server), Mutex::new(()));
    Stub::start(move |asked| {
        // NOTE: moto does in several steps what AWS does in one, and its threads come between.
        let pass = || {
            let _mine = turn.lock().unwrap_or_else(PoisonError::into_inner);
            server.forward(asked)
        };
        rule(asked, &pass)
    })
}

/// The action of a request.
pub(crate) fn action(asked: &Asked) -> &str {
    let target = asked.headers.get("x-amz-target");
    target
        .and_then(|target| target.split_once('.'))
        .map_or("", |(_, action)| action)
}

/// The URL of a store at an endpoint, with anybody's access key.
pub(crate) fn store(scheme: &str, name: &str, endpoint: &str, parameters: &str) -> String {
    let (id, _) = ANYBODY;
    format!(
        "{scheme}://{REGION}/{name}?endpoint={endpoint}&access-key={id}&secret-key=env:AWS_SECRET{parameters}"
    )
}

/// A header by which moto knows the service; nobody looks at the signature.
fn unchecked(service: &str) -> String {
    let (id, _) = ANYBODY;
    format!(
        "AWS4-HMAC-SHA256 Credential={id}/20250101/{REGION}/{service}/aws4_request, SignedHeaders=host, Signature=0"
    )
}

fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .proxy(None)
        .timeout_global(Some(Duration::from_secs(60)))
        .build();
    ureq::Agent::new_with_config(config)
}
