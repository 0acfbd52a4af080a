//! An organization's secrets: who may read them stays as it is.

use std::collections::BTreeMap;

use super::*;

const ROOT: &str = "/api/v3/orgs/acme/actions/secrets/";

/// The one repository of a secret that is for another one, too.
const HIDDEN: u64 = 99;

/// A secret of the organization.
#[derive(Clone, Debug, Default)]
struct Kept {
    sealed: String,
    visibility: String,
    repositories: Vec<u64>,
    at: Timestamp,
}

#[derive(Clone, Default)]
struct Organization(Arc<Mutex<BTreeMap<String, Kept>>>);

impl Organization {
    fn start(&self) -> Stub {
        let organization = self.clone();
        Stub::start(move |asked| organization.answer(asked))
    }

    fn answer(&self, asked: &Asked) -> Reply {
        let kept = &mut *self.0.lock().unwrap();
        let now = Timestamp::now();
        let date = now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
        let rest = path.strip_prefix(ROOT).unwrap();
        let missing = || (404, json!({"message": "Not Found"}).to_string());
        let answer = match (asked.method.as_str(), rest.split_once('/')) {
            ("GET", None) if rest == "public-key" => {
                let public = crypto_box::SecretKey::from(SECRET_KEY).public_key();
                let key = STANDARD.encode(public.as_bytes());
                (200, json!({"key_id": KEY_ID, "key": key}).to_string())
            }
            ("GET", None) => kept.get(rest).map_or_else(missing, |kept| {
                let at = kept.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
                let told = json!({"name": rest, "updated_at": at, "visibility": kept.visibility});
                (200, told.to_string())
            }),
            ("GET", Some((name, "repositories"))) => {
                assert_eq!(kept[name].visibility, "selected");
                (200, page(&kept[name].repositories, query).to_string())
            }
            ("PUT", None) => put(kept, rest, &asked.json(), now),
            other => panic!("{other:?}"),
        };
        Reply::from(answer).with("Date", &date)
    }

    fn kept(&self, name: &str) -> Kept {
        self.0.lock().unwrap()[name].clone()
    }

    /// What a workflow would see.
    fn opened(&self, name: &str) -> String {
        let sealed = STANDARD.decode(self.kept(name).sealed).unwrap();
        let opened = crypto_box::SecretKey::from(SECRET_KEY)
            .unseal(&sealed)
            .unwrap();
        String::from_utf8(opened).unwrap()
    }
}

fn page(repositories: &[u64], query: &str) -> Value {
    let number = |name: &str| {
        let pair = query.split('&').find_map(|pair| pair.strip_prefix(name));
        pair.unwrap().parse::<usize>().unwrap()
    };
    let (size, at) = (number("per_page="), number("page="));
    assert!(size <= 100 && at >= 1, "{query}");
    let page = repositories.iter().skip(size * (at - 1)).take(size);
    let page: Vec<Value> = page.map(|id| json!({"id": id, "name": "x"})).collect();
    // as if one could not be seen
    let hidden = usize::from(repositories == [HIDDEN]);
    json!({"total_count": repositories.len() + hidden, "repositories": page})
}

/// As documented: the visibility is demanded, and a list only goes with `selected`.
fn put(
    kept: &mut BTreeMap<String, Kept>,
    name: &str,
    body: &Value,
    now: Timestamp,
) -> (u16, String) {
    assert_eq!(body["key_id"], KEY_ID);
    let visibility = body["visibility"].as_str().unwrap().to_owned();
    let list = body.get("selected_repository_ids");
    assert_eq!(list.is_some(), visibility == "selected", "{body}");
    let list = list.cloned().unwrap_or_else(|| json!([]));
    let one = Kept {
        sealed: body["encrypted_value"].as_str().unwrap().to_owned(),
        visibility,
        repositories: serde_json::from_value(list).unwrap(),
        at: now,
    };
    let before = kept.insert(name.to_owned(), one);
    (if before.is_none() { 201 } else { 204 }, String::new())
}

fn open(stub: &Stub, name: &str, parameters: &str) -> Arc<dyn Store> {
    let url = format!(
        "github://orgs/acme/{name}?tls=0&host={}{parameters}",
        stub.authority()
    );
    planted().open(&url).unwrap()
}

fn publish(store: &dyn Store, second: i64, value: &str) {
    let put = store.publish(&key(USERNAME), &token(value), &mail_of(second, value));
    assert_eq!(put.unwrap(), sftoken::store::Put::Written);
}

#[test]
fn a_secret_is_made_for_whom_the_url_says() {
    for (parameters, visibility) in [
        ("", "private"),
        ("&visibility=private", "private"),
        ("&visibility=all", "all"),
        ("&visibility=selected", "selected"),
    ] {
        let organization = Organization::default();
        let stub = organization.start();
        let store = open(&stub, "sf_token", parameters);
        store.check().unwrap();
        publish(&*store, 1, OLD);
        assert_eq!(organization.opened("SF_TOKEN"), OLD);
        let kept = organization.kept("SF_TOKEN");
        assert_eq!(
            (kept.visibility.as_str(), kept.repositories),
            (visibility, vec![])
        );
        let slot = format!("github://{}/orgs/acme/SF_TOKEN", stub.authority());
        assert_eq!(store.slot(&key(USERNAME)), slot);
    }
}

#[test]
fn who_may_read_it_stays_as_it_is() {
    let many: Vec<u64> = (1000..1250).collect();
    for (visibility, repositories) in [
        ("all", vec![]),
        ("private", vec![]),
        ("selected", vec![]),
        ("selected", vec![7, 8]),
        ("selected", many),
    ] {
        let organization = Organization::default();
        let stub = organization.start();
        let one = Kept {
            visibility: visibility.to_owned(),
            repositories: repositories.clone(),
            ..Kept::default()
        };
        organization.0.lock().unwrap().insert("ONE".to_owned(), one);
        // what the URL says is for a secret that is made
        let store = open(&stub, "ONE", "&visibility=all");
        publish(&*store, 1, OLD);
        publish(&*store, 2, NEW);
        assert_eq!(organization.opened("ONE"), NEW);
        let kept = organization.kept("ONE");
        assert_eq!(
            (kept.visibility.as_str(), kept.repositories),
            (visibility, repositories)
        );
    }
}

#[test]
fn what_cannot_be_kept_is_not_written() {
    let organization = Organization::default();
    let stub = organization.start();
    let one = Kept {
        visibility: "some".to_owned(),
        ..Kept::default()
    };
    organization.0.lock().unwrap().insert("ONE".to_owned(), one);
    let store = open(&stub, "ONE", "");
    let error = store
        .publish(&key(USERNAME), &token(OLD), &mail_of(1, OLD))
        .unwrap_err();
    check_error(&error, StoreErrorKind::Corrupt, "who may read", "host=");
    assert_eq!(organization.kept("ONE").sealed, "");

    let two = Kept {
        visibility: "selected".to_owned(),
        repositories: vec![HIDDEN],
        ..Kept::default()
    };
    organization.0.lock().unwrap().insert("TWO".to_owned(), two);
    let error = open(&stub, "TWO", "")
        .publish(&key(USERNAME), &token(OLD), &mail_of(1, OLD))
        .unwrap_err();
    check_error(
        &error,
        StoreErrorKind::Refused,
        "may not see",
        "all of them",
    );
    assert_eq!(organization.kept("TWO").sealed, "");

    let refused = Stub::start(|_| (403, json!({"message": "planted words"}).to_string()));
    let error = open(&refused, "ONE", "").check().unwrap_err();
    check_error(&error, StoreErrorKind::Refused, "may not", "admin:org");
    assert!(!format!("{error}{}", error.hint).contains("planted"));
}
