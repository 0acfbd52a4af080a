//! Notifications on a bus of a test's own, with a service that shows them to the test, or does not.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use super::child;
use crate::support::secret_service::SecretService;

/// Owns the name, tells what it is called with, and answers.
const SERVICE: &str = "import sys, json
from jeepney import new_method_return, new_error
from jeepney.io.blocking import open_dbus_connection
from jeepney.bus_messages import message_bus
bus = open_dbus_connection('SESSION')
bus.send_and_get_reply(message_bus.RequestName('org.freedesktop.Notifications'))
print('ready', flush=True)
while True:
    call = bus.receive()
    if call.header.fields.get(3) != 'Notify':
        continue
    app, _, _, title, body, _, _, _ = call.body
    print(json.dumps([app, title, body]), flush=True)
    if sys.argv[1] == 'shows':
        bus.send(new_method_return(call, 'u', (7,)))
    elif sys.argv[1] == 'refuses':
        bus.send(new_error(call, 'org.freedesktop.DBus.Error.LimitsExceeded', 's', ('too many \\x1b[2J',)))
";

/// The service, and what it tells.
struct Service {
    child: Child,
    told: BufReader<ChildStdout>,
}

impl Service {
    fn start(bus: &SecretService, what_it_does: &str) -> Self {
        let python = std::env::var("SFTOKEN_TEST_PYTHON").expect("SFTOKEN_TEST_PYTHON");
        let mut child = bus
            .command(python)
            .args(["-c", SERVICE, what_it_does])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let told = BufReader::new(child.stdout.take().unwrap());
        let mut service = Self { child, told };
        assert_eq!(service.hear(), "ready");
        service
    }

    /// The next line.
    fn hear(&mut self) -> String {
        let mut line = String::new();
        self.told.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn on(bus: &SecretService, what: &str) -> String {
    let mut command = bus.command(std::env::current_exe().unwrap());
    child::surround(&mut command, what);
    child::answer(command)
}

#[test]
fn an_event_is_shown_in_two_lines() {
    let bus = SecretService::bus_only();
    let mut service = Service::start(&bus, "shows");
    assert_eq!(on(&bus, "desktop"), "done");
    assert_eq!(
        service.hear(),
        r#"["sftoken", "A new Salesforce token is stored", "integration@acme.example (production)"]"#
    );
}

#[test]
fn a_desktop_that_refuses_is_told() {
    let bus = SecretService::bus_only();
    let _service = Service::start(&bus, "refuses");
    let answer = on(&bus, "desktop");
    assert!(
        answer.starts_with("no_desktop desktop: no desktop shows notifications here: too many"),
        "{answer}"
    );
    assert!(!answer.contains('\u{1b}'), "{answer:?}");
}

#[test]
fn a_desktop_that_hangs_does_not_hold_us() {
    let bus = SecretService::bus_only();
    let _service = Service::start(&bus, "hangs");
    let answer = on(&bus, "desktop, soon");
    assert!(
        answer.starts_with("timeout desktop: the desktop did not answer within 0.3 s"),
        "{answer}"
    );
}

#[test]
fn without_a_desktop_that_is_what_is_said() {
    let bus = SecretService::bus_only();
    let answer = on(&bus, "desktop");
    assert!(
        answer.starts_with("no_desktop desktop: no desktop"),
        "{answer}"
    );
    for address in [Some("unix:path=/nonexistent/bus"), None] {
        let mut command = headless(address);
        child::surround(&mut command, "desktop");
        let answer = child::answer(command);
        assert!(
            answer.starts_with("no_desktop desktop: no desktop"),
            "{address:?}: {answer}"
        );
    }
}

/// A machine without a session: neither a bus nor a display.
fn headless(address: Option<&str>) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.envs(address.map(|address| ("DBUS_SESSION_BUS_ADDRESS", address)));
    command
}
