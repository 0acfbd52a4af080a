//! Who we are to AWS: every way that Amazon's tools know, signatures, and policies.

use std::fs;
use std::path::Path;

use super::*;
use crate::support::run::{Home, PATIENCE};
use crate::support::salesforce::{ANN, ago, genuine, key_file, new_token};

const NAME: &str = "sf/{username}";

/// A machine without credentials, and a server whom the environment names. No test asks an instance's service for any.
struct Stage {
    home: Home,
    server: Arc<Moto>,
    _gate: Stub,
    keys: String,
}

impl Stage {
    fn new() -> Self {
        let (mut home, server) = (Home::new(), Arc::new(Moto::start()));
        let gate = gate(&server, |_, pass| pass());
        home.set("AWS_EC2_METADATA_DISABLED", "true");
        home.set("AWS_ENDPOINT_URL", format!("http://{}", gate.authority()));
        let keys = key_file(&home);
        Self {
            home,
            server,
            _gate: gate,
            keys,
        }
    }

    /// Stores a mail's token by the command, and reads it back; what it says when it does not.
    fn store(&self, url: &str) -> Result<(), String> {
        let token = new_token();
        self.home.write("mail.eml", genuine(ANN, &token, ago(60)));
        let words = ["replay", "--keys", &self.keys, "--store", url, "mail.eml"];
        let ended = self.home.start(&words).end_within(PATIENCE);
        if ended.status != 0 {
            return Err(ended.err);
        }
        let got = self.home.run(&["get", "--store", url, ANN]).check(0);
        assert_eq!(got.out.trim_end(), token);
        Ok(())
    }

    #[track_caller]
    fn works(&self, url: &str) {
        self.store(url).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn the_environment_says_who_we_are() {
    let mut stage = Stage::new();
    stage.home.set("AWS_ACCESS_KEY_ID", ANYBODY.0);
    stage.home.set("AWS_SECRET_ACCESS_KEY", ANYBODY.1);
    stage.home.set("AWS_REGION", "eu-west-1");
    for scheme in BOTH {
        stage.works(&format!("{scheme}://-/{NAME}"));
    }
    let made = stage.server.labels(&format!("sf/{ANN}"));
    assert_eq!(made.len(), 1);
}

#[test]
fn a_profile_says_who_we_are_and_where() {
    let mut stage = Stage::new();
    // what the environment says counts for nothing where a profile is named
    stage.home.set("AWS_ACCESS_KEY_ID", "AKIANOBODYNOBODYNOBO");
    stage.home.set("AWS_SECRET_ACCESS_KEY", "wrong");
    let everything = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    let (id, secret) = stage.server.guard(&everything);
    let credentials =
        format!("[ops]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
    stage.home.write(".aws/credentials", credentials);
    stage.home.write(
        ".aws/config",
        "[profile ops]\nregion = eu-west-1\n[profile lost]\nregion = eu-west-1\n",
    );
    for scheme in BOTH {
        stage.works(&format!("{scheme}://ops@-/{NAME}"));
        let none = stage
            .store(&format!("{scheme}://lost@-/{NAME}"))
            .unwrap_err();
        assert!(none.contains("the profile lost"), "{none}");
        let none = stage
            .store(&format!("{scheme}://ghost@eu-west-1/{NAME}"))
            .unwrap_err();
        assert!(none.contains("the profile ghost"), "{none}");
        let none = stage
            .store(&format!("{scheme}://eu-west-1/{NAME}"))
            .unwrap_err();
        assert!(
            none.contains("AWS does not know these credentials"),
            "{none}"
        );
    }
}

#[test]
fn a_program_says_who_we_are() {
    let stage = Stage::new();
    let told = json!({"Version": 1, "AccessKeyId": ANYBODY.0, "SecretAccessKey": ANYBODY.1});
    let file = stage.home.write("told.json", told.to_string());
    let profile = format!("[default]\nregion = eu-west-1\ncredential_process = /bin/cat {file}\n");
    stage.home.write(".aws/config", profile);
    stage.works(&format!("awssm://-/{NAME}"));
    let fails = "[default]\nregion = eu-west-1\ncredential_process = /bin/false\n";
    stage.home.write(".aws/config", fails);
    let none = stage.store(&format!("awssm://-/{NAME}")).unwrap_err();
    assert!(none.contains("gives no AWS credentials now"), "{none}");
}

/// A container's service, as in ECS and EKS: plain HTTP on this machine.
#[test]
fn a_container_says_who_we_are() {
    let mut stage = Stage::new();
    let service = Stub::start(|asked: &Asked| {
        assert_eq!(asked.headers["authorization"], "planted-container-token");
        let told = json!({"AccessKeyId": ANYBODY.0, "SecretAccessKey": ANYBODY.1, "Token": "planted-session-token", "Expiration": "2099-01-01T00:00:00Z"});
        (200, told.to_string())
    });
    let url = format!("http://{}/role", service.authority());
    stage.home.set("AWS_CONTAINER_CREDENTIALS_FULL_URI", url);
    stage.home.set(
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        "planted-container-token",
    );
    stage.works(&format!("awsps://eu-west-1/{NAME}"));
    assert!(!service.asked().is_empty());
}

/// An instance's service, with its token, its role and its region.
#[test]
fn an_instance_says_who_we_are_and_where() {
    let mut stage = Stage::new();
    let service = Stub::start(|asked: &Asked| {
        let answer = match (asked.method.as_str(), asked.path.as_str()) {
            ("PUT", "/latest/api/token") => {
                let reply = crate::support::stub::Reply::from((200, "planted-imds-token".to_owned()));
                return reply.with("x-aws-ec2-metadata-token-ttl-seconds", "21600");
            }
            ("GET", "/latest/meta-data/placement/region") => "eu-west-1".to_owned(),
            ("GET", path) if path.ends_with("/iam/security-credentials/") || path.ends_with("/iam/security-credentials-extended/") => "the-role".to_owned(),
            ("GET", path) if path.ends_with("/the-role") => json!({
                "Code": "Success", "Type": "AWS-HMAC", "LastUpdated": "2026-01-01T00:00:00Z", "AccessKeyId": ANYBODY.0,
                "SecretAccessKey": ANYBODY.1, "Token": "planted-session-token", "Expiration": "2099-01-01T00:00:00Z",
            })
            .to_string(),
            _ => return (404, String::new()).into(),
        };
        (200, answer).into()
    });
    stage.home.set("AWS_EC2_METADATA_DISABLED", "false");
    let url = format!("http://{}", service.authority());
    stage.home.set("AWS_EC2_METADATA_SERVICE_ENDPOINT", url);
    stage.works(&format!("awssm://-/{NAME}"));
    let asked = service.asked();
    let with_token = asked.iter().filter(|asked| {
        asked
            .headers
            .get("x-aws-ec2-metadata-token")
            .is_some_and(|token| token == "planted-imds-token")
    });
    assert!(with_token.count() >= 2);
}

/// A pod's service account becomes a role, by STS.
#[test]
fn a_web_identity_says_who_we_are() {
    let mut stage = Stage::new();
    let file = stage.home.write("jwt", "planted-web-identity-token");
    stage.home.set("AWS_WEB_IDENTITY_TOKEN_FILE", file);
    stage
        .home
        .set("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/sftoken");
    stage.home.set("AWS_ROLE_SESSION_NAME", "test");
    stage.works(&format!("awssm://eu-west-1/{NAME}"));
}

#[test]
fn who_is_nobody_is_told_what_to_do() {
    let mut stage = Stage::new();
    let none = stage
        .store(&format!("awssm://eu-west-1/{NAME}"))
        .unwrap_err();
    assert!(
        none.contains("this machine has no AWS credentials"),
        "{none}"
    );
    assert!(none.contains("aws sts get-caller-identity"), "{none}");
    let none = stage.store(&format!("awsps://-/{NAME}")).unwrap_err();
    assert!(none.contains("no region is known"), "{none}");
    stage
        .home
        .set("AWS_REGION", "eu-west-1.attacker.example/x?");
    let none = stage.store(&format!("awsps://-/{NAME}")).unwrap_err();
    assert!(none.contains("the region in AWS_REGION"), "{none}");
    // not in the clear, where nobody said so
    stage.home.set("AWS_ACCESS_KEY_ID", ANYBODY.0);
    stage.home.set("AWS_SECRET_ACCESS_KEY", ANYBODY.1);
    stage.home.set("AWS_ENDPOINT_URL", "http://aws.example");
    let none = stage
        .store(&format!("awssm://eu-west-1/{NAME}"))
        .unwrap_err();
    assert!(none.contains("not one of HTTPS"), "{none}");
    assert!(none.contains("endpoint=http://HOST"), "{none}");
    // the service's own endpoint goes before
    stage
        .home
        .set("AWS_ENDPOINT_URL_SECRETS_MANAGER", stage.server.url("/"));
    stage.works(&format!("awssm://eu-west-1/{NAME}"));
}

/// The policies of docs/stores.md, in their order: writer and reader of Secrets Manager, then of the Parameter Store.
fn policies() -> Vec<Value> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/stores.md");
    let docs = fs::read_to_string(docs).unwrap();
    let (_, section) = docs.split_once("\n## AWS").unwrap();
    let blocks = section.split("```json\n").skip(1);
    let texts = blocks.map(|block| block.split("```").next().unwrap());
    let policies = texts.map(|text| serde_json::from_str(text).unwrap());
    policies
        .filter(|policy: &Value| policy["Statement"].is_array())
        .collect()
}

/// NOTE: moto heeds a policy's actions, and of its resources only the star.
fn for_all(mut policy: Value) -> Value {
    for statement in policy["Statement"].as_array_mut().unwrap() {
        statement["Resource"] = json!("*");
    }
    policy
}

/// A server that looks at signatures and policies, and the store there of somebody who has one.
struct Guarded {
    _gate: Stub,
    url: String,
    secret: String,
}

impl Guarded {
    fn new(scheme: &str, policy: &Value) -> Self {
        let server = Arc::new(Moto::start());
        let (id, secret) = server.guard(policy);
        let gate = gate(&server, |_, pass| pass());
        let endpoint = format!("http://{}", gate.authority());
        let url = format!(
            "{scheme}://eu-west-1/{NAME}?endpoint={endpoint}&access-key={id}&secret-key=env:OURS"
        );
        Self {
            _gate: gate,
            url,
            secret,
        }
    }

    fn open(&self) -> Arc<dyn Store> {
        let planted = Planted::with(&[("env:OURS", &self.secret)]);
        planted.open(&self.url).unwrap()
    }
}

/// Signatures are looked at, and the documented policies are enough, and no more than enough.
#[test]
fn the_documented_policies_are_enough() {
    let all = policies();
    assert_eq!(all.len(), 4);
    for (place, scheme) in [(0, "awssm"), (2, "awsps")] {
        let guarded = Guarded::new(scheme, &for_all(all[place].clone()));
        let store = guarded.open();
        store.check().unwrap();
        assert_eq!(put(&*store, 2, OLD).unwrap(), Put::Written);
        assert_eq!(put(&*store, 3, NEW).unwrap(), Put::Written);
        assert_eq!(put(&*store, 1, OLD).unwrap(), Put::Superseded);
        assert_eq!(held(&*store).as_deref(), Some(NEW));

        // another secret key signs otherwise; once it is changed, it is read anew
        let planted = Planted::with(&[("env:OURS", "planted-wrong-secret-key")]);
        let other = planted.open(&guarded.url).unwrap();
        let error = other.get(&key(USERNAME)).unwrap_err();
        check_error(
            &error,
            StoreErrorKind::Refused,
            "the signature does not fit",
            "clock",
        );
        planted.set("env:OURS", &guarded.secret);
        assert_eq!(held(&*other).as_deref(), Some(NEW));

        // who only reads may not write
        let guarded = Guarded::new(scheme, &for_all(all[place + 1].clone()));
        let reader = guarded.open();
        assert_eq!(held(&*reader), None);
        let error = put(&*reader, 1, OLD).unwrap_err();
        let action = if place == 0 {
            "secretsmanager:PutSecretValue"
        } else {
            "ssm:GetParameterHistory"
        };
        check_error(&error, StoreErrorKind::Refused, "may not", action);
    }
}

/// Each action of a documented policy is needed.
#[test]
fn without_one_action_of_the_policy_it_is_named() {
    for (place, scheme) in [(0, "awssm"), (2, "awsps")] {
        let policy = for_all(policies()[place].clone());
        let statements = policy["Statement"].as_array().unwrap();
        let actions = statements
            .iter()
            .flat_map(|statement| statement["Action"].as_array().unwrap());
        let actions: Vec<Value> = actions.cloned().collect();
        for missing in &actions {
            let others: Vec<_> = actions.iter().filter(|action| action != &missing).collect();
            let allowed = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": others, "Resource": "*"}]});
            let guarded = Guarded::new(scheme, &allowed);
            let store = guarded.open();
            let ends = [
                put(&*store, 1, OLD).map(drop),
                put(&*store, 2, NEW).map(drop),
                store.get(&key(USERNAME)).map(drop),
            ];
            let error = ends.into_iter().find_map(Result::err).unwrap();
            check_error(
                &error,
                StoreErrorKind::Refused,
                missing.as_str().unwrap(),
                missing.as_str().unwrap(),
            );
        }
    }
}

/// The real one: `SFTOKEN_TEST_AWS=awssm://REGION/NAME` or `awsps://REGION/PATH`.
#[test]
#[ignore = "writes a secret of a real account: run it with SFTOKEN_TEST_AWS and credentials"]
fn live() {
    let url = std::env::var("SFTOKEN_TEST_AWS").unwrap();
    let store = Planted::default().open(&url).unwrap();
    store.check().unwrap();
    let now = jiff::Timestamp::now().as_second() - 1_764_000_000;
    assert_eq!(put(&*store, now, NEW).unwrap(), Put::Written);
    assert_eq!(put(&*store, now - 60, OLD).unwrap(), Put::Superseded);
    assert_eq!(put(&*store, now, NEW).unwrap(), Put::Unchanged);
    assert_eq!(held(&*store).as_deref(), Some(NEW));
    let writers: Vec<_> = (1..=8)
        .map(|place| {
            let (url, second) = (url.clone(), now + 1 + (place * 5) % 8);
            thread::spawn(move || {
                let store = Planted::default().open(&url).unwrap();
                put(&*store, second, &of_second(second)).unwrap()
            })
        })
        .collect();
    for writer in writers {
        writer.join().unwrap();
    }
    assert_eq!(held(&*store), Some(of_second(now + 8)));
}
