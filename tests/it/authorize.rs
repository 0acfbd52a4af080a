//! OAuth from the first consent to a stored token, by the real program, Dovecot, and a keyring.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sftoken::testing::oauth::{Fault, OauthServer};

use crate::schema;
use crate::support::dovecot::{Dovecot, LogIn};
use crate::support::run::{Ended, Home, Running, files_below};
use crate::support::salesforce::{
    ANN, BOX, Keeper, ago, genuine, key_file, mailbox_url, new_token,
};
use crate::support::secret_service::SecretService;

/// The client's secret.
const CLIENT: &str = "planted-client-secret-Zq7";

/// A provider, a mailbox that takes its tokens only, and a home that is configured for both.
struct Stage {
    provider: OauthServer,
    server: Dovecot,
    home: Home,
    keeper: Keeper,
}

impl Stage {
    async fn new(refresh: &str) -> Self {
        let provider = OauthServer::start().await.unwrap();
        provider.allow_client("sftoken", CLIENT, BOX);
        let server = Dovecot::start_for(&LogIn {
            mechanisms: "xoauth2",
            token_info: Some(format!("{}?access_token=", provider.url("tokeninfo"))),
        });
        let mut home = Home::new();
        let keeper = Keeper::in_home(&home);
        home.set("OAUTH_CLIENT", CLIENT);
        let stage = Self {
            provider,
            server,
            home,
            keeper,
        };
        stage.configure(&format!("refresh_token = \"{refresh}\""));
        stage
    }

    fn configure(&self, rest: &str) {
        self.home.configure(&format!(
            "[mailbox.ops]\nurl = \"{}\"\nca_file = \"{}\"\n\
             [mailbox.ops.auth]\noauth2 = \"generic\"\nclient_id = \"sftoken\"\n\
             client_secret = \"env:OAUTH_CLIENT\"\ntoken_url = \"{}\"\ndevice_url = \"{}\"\n\
             authorize_url = \"{}\"\nscope = \"mail offline\"\n{rest}\n\
             [dns]\nkeys = [\"{}\"]\n[store.default]\nurl = \"{}\"\n\
             [[account]]\nusername = \"{ANN}\"\n",
            mailbox_url(&self.server),
            self.server.ca_file().display(),
            self.provider.url("token"),
            self.provider.url("device"),
            self.provider.url("authorize"),
            key_file(&self.home),
            self.keeper.url(),
        ));
    }

    fn start(&self, words: &[&str]) -> Running {
        let loud = ["-vv", "--log-format", "json"];
        self.home.start(&[words, &loud].concat())
    }

    /// The end of a program that must have kept quiet about everything.
    #[track_caller]
    fn quiet(&self, ended: Ended) -> Ended {
        let mut secrets = vec![CLIENT.to_owned()];
        secrets.extend(self.provider.refresh_tokens());
        secrets.extend(self.provider.access_tokens());
        let asked = self.provider.asked();
        let sent = asked.iter().flat_map(|asked| &asked.form);
        let fields = ["refresh_token", "device_code", "code", "code_verifier"];
        let sent = sent.filter(|(name, _)| fields.contains(&name.as_str()));
        secrets.extend(sent.map(|(_, value)| value.clone()));
        for secret in &secrets {
            check_free("the output", &format!("{}{}", ended.out, ended.err), secret);
            for (path, bytes) in files_below(&self.home.path("state")) {
                let text = String::from_utf8_lossy(&bytes);
                check_free(&path.to_string_lossy(), &text, secret);
            }
        }
        ended
    }

    /// Enters the code that the program shows.
    fn enter(&self, running: &mut Running, user: Option<&str>) {
        let line = running.hear_err("enter the code");
        let code = line.split_whitespace().last().unwrap();
        assert!(self.provider.enter(code, user), "{line}");
    }

    #[track_caller]
    fn check_catches_up(&self) -> Ended {
        let token = new_token();
        self.server.deliver(BOX, &genuine(ANN, &token, ago(1)));
        let ended = self.quiet(self.start(&["watch", "--once"]).end()).check(0);
        assert_eq!(self.keeper.kept(ANN).as_deref(), Some(token.as_str()));
        ended
    }
}

#[track_caller]
fn check_free(place: &str, text: &str, secret: &str) {
    let mut forms = vec![secret.to_owned()];
    for shift in 0..3 {
        let coded = STANDARD.encode(format!("{}{secret}", &"   "[..shift]));
        forms.push(coded[4..coded.len() - 4].to_owned());
    }
    let found = forms.iter().find(|form| text.contains(form.as_str()));
    assert!(found.is_none(), "{place} holds {found:?}:\n{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_code_is_entered_once_and_tokens_flow() {
    let stage = Stage::new("file:refresh").await;
    let ended = stage.start(&["watch", "--once"]).end().check(2);
    assert!(ended.err.contains("sftoken authorize ops"), "{}", ended.err);

    let mut running = stage.start(&["authorize"]);
    stage.enter(&mut running, Some(BOX));
    let ended = stage.quiet(running.end()).check(0);
    assert!(ended.err.contains("sftoken watch --once"), "{}", ended.err);
    let file = stage.home.path("config/sftoken/refresh");
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    stage.check_catches_up();

    // each use replaces it: what stands in the file is always the one that holds
    stage.provider.rotate(true);
    for _ in 0..2 {
        stage.check_catches_up();
        let kept = fs::read_to_string(&file).unwrap();
        assert_eq!(stage.provider.refresh_tokens(), [kept.trim_end()]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_daemon_outlives_its_tokens() {
    let stage = Stage::new("file:refresh").await;
    stage.provider.allow("planted-refresh-Kp9", BOX);
    let file = stage
        .home
        .write("config/sftoken/refresh", "planted-refresh-Kp9");
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
    stage.provider.rotate(true);
    let mut watching = stage.start(&["watch", "--json"]);
    watching.hear_err("connected");
    // the token ends with the session: a new one, by the rotated refresh token
    stage.provider.revoke_access_tokens();
    let mut stage = stage;
    stage.server.stop();
    stage.server.start_again();
    watching.hear_err("connected");
    let token = new_token();
    stage.server.deliver(BOX, &genuine(ANN, &token, ago(1)));
    watching.hear_out("stored_at");
    stage.quiet(watching.stop());
    assert_eq!(stage.keeper.kept(ANN).as_deref(), Some(token.as_str()));
}

/// Each reads the token, asks, and saves the next one: done at once, the provider takes it for a theft.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn programs_that_renew_one_token_at_once_take_turns() {
    let stage = Stage::new("file:refresh").await;
    stage.provider.allow("planted-refresh-Kp9", BOX);
    let file = stage
        .home
        .write("config/sftoken/refresh", "planted-refresh-Kp9");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    stage.provider.rotate(true);
    stage.provider.revoke_reused();
    stage.provider.delay(Duration::from_millis(700));
    let programs = [(); 4].map(|()| stage.start(&["watch", "--once"]));
    for program in programs {
        stage.quiet(program.end()).check(0);
    }
    let kept = fs::read_to_string(&file).unwrap();
    assert_eq!(stage.provider.refresh_tokens(), [kept.trim_end()]);
    let used: BTreeSet<String> = stage
        .provider
        .asked()
        .iter()
        .map(|asked| asked.form["refresh_token"].clone())
        .collect();
    assert_eq!(used.len(), 4, "each once: {used:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_keyring_keeps_the_rotated_token() {
    let bus = SecretService::unlocked();
    let mut stage = Stage::new("keyring:sftoken-oauth/ops").await;
    stage.home.join(&bus);
    let mut running = stage.start(&["authorize", "ops"]);
    stage.enter(&mut running, Some(BOX));
    stage.quiet(running.end()).check(0);
    stage.provider.rotate(true);
    stage.check_catches_up();
    let kept = bus.secret_tool_lookup("sftoken-oauth", "ops");
    assert_eq!(stage.provider.refresh_tokens(), [kept.unwrap()]);
    bus.lock();
    let ended = stage.start(&["authorize", "ops"]).end().check(6);
    assert!(ended.err.contains("locked"), "{}", ended.err);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_place_that_cannot_be_written_is_told() {
    let mut stage = Stage::new("env:OAUTH_REFRESH").await;
    let ended = stage.start(&["authorize"]).end().check(2);
    assert!(ended.err.contains("can only be read"), "{}", ended.err);
    stage.provider.allow("planted-refresh-Kp9", BOX);
    stage.home.set("OAUTH_REFRESH", "planted-refresh-Kp9");
    stage.provider.rotate(true);
    let ended = stage.check_catches_up();
    assert_eq!(
        ended.err.matches("can only be read").count(),
        1,
        "{}",
        ended.err
    );
    stage.configure("refresh_token = \"file:/nonexistent/refresh\"");
    let ended = stage.start(&["authorize"]).end().check(6);
    assert!(ended.err.contains("/nonexistent"), "{}", ended.err);
    assert!(
        stage
            .provider
            .asked()
            .iter()
            .all(|asked| asked.path != "/device")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn programs_are_told_in_json() {
    let stage = Stage::new("file:refresh").await;
    let mut running = stage.start(&["authorize", "--json"]);
    let line = running.hear_out("user_code");
    let step: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(
        (&step["step"], &step["mailbox"]),
        (&"code".into(), &"ops".into())
    );
    assert!(
        stage
            .provider
            .enter(step["user_code"].as_str().unwrap(), Some(BOX))
    );
    let ended = stage.quiet(running.end()).check(0);
    let steps = ended.json();
    assert_eq!(steps.len(), 2);
    for step in &steps {
        schema::check(&schema::schema("authorize"), step);
    }
    assert_eq!(steps[1]["step"], "authorized");
    let saved = steps[1]["saved_to"].as_str().unwrap();
    assert!(
        saved.starts_with("file:") && saved.ends_with("/refresh"),
        "{saved}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn refusals_end_with_five_and_the_remedy() {
    let stage = Stage::new("file:refresh").await;
    let mut running = stage.start(&["authorize"]);
    stage.enter(&mut running, None);
    let ended = stage.quiet(running.end()).check(5);
    assert!(
        ended.err.contains("the request was denied"),
        "{}",
        ended.err
    );

    let file = stage
        .home
        .write("config/sftoken/refresh", "planted-refresh-Kp9");
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
    let ended = stage.start(&["watch", "--once"]).end().check(5);
    assert!(
        ended.err.contains("no longer valid (invalid_grant)"),
        "{}",
        ended.err
    );
    assert!(
        ended.err.contains("sftoken authorize MAILBOX"),
        "{}",
        ended.err
    );
    check_free("the output", &ended.err, "planted-refresh-Kp9");

    let gone = r#"{"error":"expired_token"}"#.to_owned();
    let mut running = stage.start(&["authorize"]);
    running.hear_err("enter the code");
    stage.provider.fail(9, Fault::Answer(400, gone));
    running.end().check(3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_app_has_a_right_of_its_own() {
    let stage = Stage::new("file:refresh").await;
    stage.configure("grant = \"client_credentials\"");
    stage.check_catches_up();
    let asked = stage.provider.asked();
    assert_eq!(asked[0].form["grant_type"], "client_credentials");
    let ended = stage.start(&["authorize"]).end().check(2);
    assert!(ended.err.contains("nobody's consent"), "{}", ended.err);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_browser_is_sent_and_comes_back() {
    let stage = Stage::new("file:refresh").await;
    let mut running = stage.start(&["authorize", "--browser", "--json"]);
    let line = running.hear_out("\"browser\"");
    let step: serde_json::Value = serde_json::from_str(&line).unwrap();
    schema::check(&schema::schema("authorize"), &step);
    let url = step["url"].as_str().unwrap().to_owned();
    let back = get(&url).await;
    let back = back
        .lines()
        .find_map(|line| line.strip_prefix("Location: "))
        .unwrap();
    let page = get(back).await;
    assert!(page.contains("close this page"), "{page}");
    stage.quiet(running.end()).check(0);
    stage.check_catches_up();
}

async fn get(url: &str) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let (host, path) = url
        .strip_prefix("http://")
        .unwrap()
        .split_once('/')
        .unwrap();
    let mut stream = tokio::net::TcpStream::connect(host).await.unwrap();
    let request = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[test]
fn which_mailbox_is_meant_is_asked() {
    let home = Home::new();
    let ended = home.run(&["authorize"]).check(2);
    assert!(
        ended.err.contains("no mailbox logs in by OAuth"),
        "{}",
        ended.err
    );
    let auth = "auth = { oauth2 = \"microsoft\", client_id = \"id\", refresh_token = \"file:r\" }";
    home.configure(&format!(
        "[mailbox.a]\nurl = \"imaps://a@imap.acme.example\"\n{auth}\n\
         [mailbox.b]\nurl = \"imaps://b@imap.acme.example\"\n{auth}\n\
         [mailbox.c]\nurl = \"imaps://c@imap.acme.example\"\n"
    ));
    let ended = home.run(&["authorize"]).check(2);
    assert!(
        ended.err.contains("name one of them: a, b"),
        "{}",
        ended.err
    );
    let ended = home.run(&["authorize", "c"]).check(2);
    assert!(ended.err.contains("logs in by password"), "{}", ended.err);
    let ended = home.run(&["authorize", "d"]).check(2);
    assert!(
        ended.err.contains("no mailbox is called \"d\""),
        "{}",
        ended.err
    );
}
