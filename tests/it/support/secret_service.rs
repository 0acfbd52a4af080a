//! A session bus and a GNOME Keyring of a test's own.
//!
//! Knows how to start, lock, restart and stop them in a home of their own. Never touches the user's
//! bus or keyring. A missing program fails the test.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// Unlocks the login collection.
const PASSWORD: &[u8] = b"correct horse";

/// No service directories: only what the test starts is on this bus. The policy is that of the usual
/// session.conf; without `eavesdrop` nobody may receive.
const BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:dir=RUN</listen><policy context="default">
<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>"#;

/// A bus, and perhaps a keyring on it; both end with the value.
pub(crate) struct SecretService {
    home: TempDir,
    address: String,
    bus: Child,
    daemon: Option<Child>,
    others: Vec<Child>,
}

impl SecretService {
    /// A bus with an unlocked keyring.
    pub(crate) fn unlocked() -> Self {
        let mut service = Self::bus_only();
        service.start_daemon();
        service
    }

    /// A bus on which nobody keeps secrets.
    pub(crate) fn bus_only() -> Self {
        let home = tempfile::tempdir().unwrap();
        let run = home.path().join("run");
        fs::create_dir(&run).unwrap();
        fs::set_permissions(&run, fs::Permissions::from_mode(0o700)).unwrap();
        let config = home.path().join("bus.conf");
        fs::write(&config, BUS.replace("RUN", run.to_str().unwrap())).unwrap();
        let mut bus = Command::new("dbus-daemon")
            .args(["--nofork", "--nopidfile", "--print-address=1"])
            .arg(format!("--config-file={}", config.display()))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("dbus-daemon must be installed (Debian: dbus)");
        let mut address = String::new();
        let mut out = BufReader::new(bus.stdout.take().unwrap());
        out.read_line(&mut address).unwrap();
        Self {
            home,
            address: address.trim().to_owned(),
            bus,
            daemon: None,
            others: Vec::new(),
        }
    }

    /// The surroundings of a process that uses this bus.
    pub(crate) fn environment(&self) -> Vec<(&'static str, PathBuf)> {
        let home = self.home.path();
        vec![
            ("HOME", home.to_owned()),
            ("XDG_RUNTIME_DIR", home.join("run")),
            ("XDG_DATA_HOME", home.join("data")),
            ("XDG_CACHE_HOME", home.join("cache")),
            ("XDG_CONFIG_HOME", home.join("config")),
            ("DBUS_SESSION_BUS_ADDRESS", PathBuf::from(&self.address)),
        ]
    }

    /// A program on this bus, without a display.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.envs(self.environment());
        command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
        command
    }

    /// Starts the keyring, unlocked, with a login collection.
    pub(crate) fn start_daemon(&mut self) {
        self.spawn_daemon(&["--unlock"], PASSWORD);
    }

    /// Starts a keyring that has no collection at all.
    pub(crate) fn start_empty_daemon(&mut self) {
        self.spawn_daemon(&[], b"");
    }

    fn spawn_daemon(&mut self, arguments: &[&str], password: &[u8]) {
        let mut daemon = self
            .command("gnome-keyring-daemon")
            .args(["--components=secrets", "--foreground"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("gnome-keyring-daemon must be installed (Debian: gnome-keyring)");
        daemon.stdin.take().unwrap().write_all(password).unwrap();
        self.daemon = Some(daemon);
        self.await_name("org.freedesktop.secrets");
    }

    /// Ends the keyring, as a crash or an update would, and starts it again.
    pub(crate) fn restart_daemon(&mut self) {
        self.stop_daemon();
        self.start_daemon();
    }

    /// Ends the keyring, and starts it again without its password.
    pub(crate) fn restart_daemon_locked(&mut self) {
        self.stop_daemon();
        self.spawn_daemon(&[], b"");
    }

    /// Ends the keyring.
    pub(crate) fn stop_daemon(&mut self) {
        stop(self.daemon.as_mut().unwrap());
        // what it leaves behind would be taken for a daemon that runs
        let _ = fs::remove_dir_all(self.home.path().join("run/keyring"));
    }

    /// Ends the bus, as the end of a desktop session would.
    pub(crate) fn stop_bus(&mut self) {
        stop(&mut self.bus);
    }

    /// Locks the login collection. Not by `secret-tool lock`, which crashes in Debian 12.
    pub(crate) fn lock(&self) {
        let output = self
            .command("dbus-send")
            .args([
                "--session",
                "--print-reply",
                "--dest=org.freedesktop.secrets",
            ])
            .args([
                "/org/freedesktop/secrets",
                "org.freedesktop.Secret.Service.Lock",
            ])
            .arg("array:objpath:/org/freedesktop/secrets/collection/login")
            .output()
            .expect("dbus-send must be installed (Debian: dbus)");
        assert!(output.status.success(), "{output:?}");
    }

    /// Sends the keyring a signal.
    pub(crate) fn signal_daemon(&self, signal: &str) {
        let id = self.daemon.as_ref().unwrap().id().to_string();
        let status = Command::new("kill").args([signal, &id]).status().unwrap();
        assert!(status.success());
    }

    /// Someone who shows the keyring's dialogs, and never gets an answer from the user.
    pub(crate) fn start_silent_prompter(&mut self) {
        let script = "import sys\n\
            from jeepney.io.blocking import open_dbus_connection\n\
            from jeepney.bus_messages import message_bus\n\
            bus = open_dbus_connection('SESSION')\n\
            bus.send_and_get_reply(message_bus.RequestName('org.gnome.keyring.SystemPrompter'))\n\
            while True: bus.receive()\n";
        let prompter = self.command(python()).args(["-c", script]).spawn().unwrap();
        self.others.push(prompter);
        self.await_name("org.gnome.keyring.SystemPrompter");
    }

    fn await_name(&self, name: &str) {
        let status = self
            .command("gdbus")
            .args(["wait", "--session", "--timeout=30", name])
            .status()
            .expect("gdbus must be installed (Debian: libglib2.0-bin)");
        assert!(status.success(), "{name} did not appear on the bus");
    }

    /// What `secret-tool lookup` prints for a slot; `None` when it finds nothing.
    pub(crate) fn secret_tool_lookup(&self, service: &str, username: &str) -> Option<String> {
        let output = self
            .command("secret-tool")
            .args(["lookup", "service", service, "username", username])
            .output()
            .expect("secret-tool must be installed (Debian: libsecret-tools)");
        let text = String::from_utf8(output.stdout).unwrap();
        output.status.success().then_some(text)
    }

    /// Writes a slot as a person with `secret-tool` would.
    pub(crate) fn secret_tool_store(&self, service: &str, username: &str, secret: &str) {
        let mut child = self
            .command("secret-tool")
            .args(["store", "--label=by hand", "service", service])
            .args(["username", username])
            .stdin(Stdio::piped())
            .spawn()
            .expect("secret-tool must be installed (Debian: libsecret-tools)");
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(secret.as_bytes()).unwrap();
        drop(stdin);
        assert!(child.wait().unwrap().success());
    }

    /// Runs an expression of Python's `keyring` and gives what it prints.
    pub(crate) fn python_keyring(&self, expression: &str) -> String {
        let output = self
            .command(python())
            .env(
                "PYTHON_KEYRING_BACKEND",
                "keyring.backends.SecretService.Keyring",
            )
            .args([
                "-c",
                &format!("import keyring; print({expression}, end='')"),
            ])
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{told}");
        String::from_utf8(output.stdout).unwrap()
    }
}

/// The Python that has `keyring` and `secretstorage`.
fn python() -> String {
    std::env::var("SFTOKEN_TEST_PYTHON").expect(
        "SFTOKEN_TEST_PYTHON must name a Python that has the packages keyring and secretstorage",
    )
}

impl Drop for SecretService {
    fn drop(&mut self) {
        let started = self.others.iter_mut().chain(&mut self.daemon);
        started.for_each(stop);
        stop(&mut self.bus);
    }
}

fn stop(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}
