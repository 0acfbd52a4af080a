//! A plugin that gives credentials: `exec` in a kubeconfig.
//!
//! Knows the exchange of `client.authentication.k8s.io`, and a deadline. Never asks a person, and never shows what a
//! plugin said. Its data comes from the program that the kubeconfig names.

use std::path::{Path, PathBuf};
#[cfg(unix)]
use std::process::{Child, Command, Stdio};

use jiff::Timestamp;
use serde::Deserialize;

use super::file::{Cluster, hidden};
use super::{Wanted, Wrong};
use crate::ingest::secret::Secret;

const VERSIONS: [&str; 2] = [
    "client.authentication.k8s.io/v1",
    "client.authentication.k8s.io/v1beta1",
];
/// A token and a chain of certificates have some kilobytes.
#[cfg(unix)]
const LONGEST: u64 = 1024 * 1024;

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(not(unix), expect(dead_code, reason = "plugins are run on Unix only"))]
pub(super) struct Plugin {
    #[serde(default)]
    api_version: String,
    command: PathBuf,
    args: Option<Vec<String>>,
    env: Option<Vec<Variable>>,
    install_hint: Option<String>,
    interactive_mode: Option<String>,
    #[serde(default)]
    provide_cluster_info: bool,
}

/// One of the environment.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(not(unix), expect(dead_code, reason = "plugins are run on Unix only"))]
struct Variable {
    name: String,
    #[serde(default, deserialize_with = "hidden")]
    value: Option<Secret>,
}

/// What a plugin gave.
#[derive(Debug, Default)]
pub(super) struct Given {
    pub(super) token: Option<Secret>,
    pub(super) certificate: Option<String>,
    pub(super) key: Option<Secret>,
    pub(super) until: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    api_version: String,
    kind: String,
    status: Status,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    #[serde(default, deserialize_with = "hidden")]
    token: Option<Secret>,
    client_certificate_data: Option<String>,
    #[serde(default, deserialize_with = "hidden")]
    client_key_data: Option<Secret>,
    expiration_timestamp: Option<Timestamp>,
}

impl Plugin {
    /// A command with a slash is relative to the file that it stands in; a bare one is looked for in `PATH`.
    pub(super) fn anchor(&mut self, folder: &Path) {
        if self.command.components().count() > 1 {
            self.command = folder.join(&self.command);
        }
    }

    /// Runs it.
    pub(super) fn run(&self, cluster: &Cluster, wanted: &Wanted) -> Result<Given, Wrong> {
        if !VERSIONS.contains(&self.api_version.as_str()) {
            return Err(Wrong::new(
                format!(
                    "the kubeconfig's plugin {} speaks a version that is not known here",
                    self.name()
                ),
                "known are client.authentication.k8s.io/v1 and v1beta1: update the plugin and its kubeconfig",
            ));
        }
        if self.interactive_mode.as_deref() == Some("Always") {
            return Err(Wrong::new(
                format!(
                    "the kubeconfig's plugin {} wants to ask a person",
                    self.name()
                ),
                "nobody is there: use another way to log in, as a service account's token",
            ));
        }
        let told = self.ask(&self.info(cluster)?, wanted)?;
        self.read(&told)
    }

    fn read(&self, told: &Secret) -> Result<Given, Wrong> {
        let answer: Option<Answer> = serde_json::from_str(told.expose()).ok();
        let fits = |answer: &Answer| {
            answer.kind == "ExecCredential" && answer.api_version == self.api_version
        };
        let status = match answer.filter(fits) {
            Some(answer) => answer.status,
            None => {
                return Err(Wrong::passing(
                    format!(
                        "what the kubeconfig's plugin {} printed is no ExecCredential of its version",
                        self.name()
                    ),
                    "run it by hand to see what it says",
                ));
            }
        };
        Ok(Given {
            token: status.token,
            certificate: status.client_certificate_data,
            key: status.client_key_data,
            until: status.expiration_timestamp,
        })
    }

    /// `KUBERNETES_EXEC_INFO`. The authorities in it are always bytes.
    fn info(&self, cluster: &Cluster) -> Result<String, Wrong> {
        use base64::Engine as _;
        use serde_json::json;
        let mut spec = json!({"interactive": false});
        if self.provide_cluster_info {
            let encode = |pem: Vec<u8>| base64::engine::general_purpose::STANDARD.encode(pem);
            spec["cluster"] = json!({
                "server": cluster.server,
                "certificate-authority-data": cluster.authorities()?.map(encode),
                "insecure-skip-tls-verify": cluster.insecure_skip_tls_verify,
                "config": null,
            });
        }
        let info = json!({"apiVersion": self.api_version, "kind": "ExecCredential", "spec": spec});
        Ok(info.to_string())
    }

    fn name(&self) -> String {
        let name = self.command.file_name().unwrap_or_default();
        crate::store::plain::plain(&name.to_string_lossy())
    }

    #[cfg(not(unix))]
    fn ask(&self, _: &str, _: &Wanted) -> Result<Secret, Wrong> {
        Err(Wrong::new(
            "plugins of a kubeconfig are run on Unix only",
            "give server= and token= in the store's URL",
        ))
    }

    /// Its standard output, once it has ended well.
    #[cfg(unix)]
    fn ask(&self, info: &str, wanted: &Wanted) -> Result<Secret, Wrong> {
        use crate::process::{end, watch};

        let mut child = self.command(info, wanted).spawn().map_err(|error| {
            let problem = format!(
                "the kubeconfig's plugin {} cannot be run: {}",
                self.name(),
                error.kind()
            );
            let hint = self.install_hint.as_deref().map(crate::store::plain::plain);
            Wrong::new(
                problem,
                hint.unwrap_or_else(|| {
                    "install it, or correct its command in the kubeconfig".to_owned()
                }),
            )
        })?;
        let output = drain(&mut child);
        let ended = watch(&child);
        let in_time = ended.recv_timeout(wanted.deadline).is_ok();
        if !in_time {
            end(&child);
        }
        // It has ended or was killed: this only takes the status.
        let status = child.wait().ok();
        let again = "run it by hand to see what it says; it will be tried again";
        if !in_time {
            let problem = format!("the kubeconfig's plugin {} took too long", self.name());
            return Err(Wrong::passing(problem, again));
        }
        if !status.is_some_and(|status| status.success()) {
            let status = status.map_or(String::new(), |status| format!(" ({status})"));
            let problem = format!("the kubeconfig's plugin {} failed{status}", self.name());
            return Err(Wrong::passing(problem, again));
        }
        // One that leaves a helper behind keeps its pipe open; its words are not waited for longer.
        output.recv_timeout(AFTERWARDS).map_err(|_| {
            let problem = format!(
                "the kubeconfig's plugin {} has not ended its output",
                self.name()
            );
            Wrong::passing(problem, again)
        })
    }

    /// NOTE: it sees our environment, as for kubectl: cloud plugins take their log-in from there. What is private to
    /// sftoken is taken out.
    #[cfg(unix)]
    fn command(&self, info: &str, wanted: &Wanted) -> Command {
        use std::os::unix::process::CommandExt as _;

        let mut command = Command::new(&self.command);
        for name in &wanted.private {
            command.env_remove(name);
        }
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("SFTOKEN_") {
                command.env_remove(name);
            }
        }
        for Variable { name, value } in self.env.iter().flatten() {
            command.env(name, value.as_ref().map_or("", Secret::expose));
        }
        command
            .args(self.args.iter().flatten())
            .env("KUBERNETES_EXEC_INFO", info)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0);
        command
    }
}

#[cfg(unix)]
const AFTERWARDS: std::time::Duration = std::time::Duration::from_millis(500);

/// Reads on a thread of its own, so that the plugin never waits for us.
#[cfg(unix)]
fn drain(child: &mut Child) -> std::sync::mpsc::Receiver<Secret> {
    use std::io::Read as _;

    let (done, told) = std::sync::mpsc::channel();
    let pipe = child.stdout.take();
    std::thread::spawn(move || {
        let mut text = String::new();
        if let Some(pipe) = pipe {
            // What is no text, or too long, is no credential either.
            let _ = pipe.take(LONGEST).read_to_string(&mut text);
        }
        let _ = done.send(Secret::new(text));
    });
    told
}
