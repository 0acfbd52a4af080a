//! The JSON Schemas and the Rust shapes are the same, both ways.

use serde_json::{Value, json};
use sftoken::ingest::event::{EventWord, OutcomeWord, Proof, ProofMethod, Receipt, Report, SCHEMA};
use sftoken::ingest::policy::Org;
use sftoken::ingest::token::Token;
use sftoken::notify::{Event, Facts, TrailEntry};

pub(crate) fn schema(name: &str) -> Value {
    let path = format!("{}/schema/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn full() -> Report {
    let time = "2026-11-23T10:00:00Z".parse().unwrap();
    Report {
        schema: SCHEMA,
        source: "mails/x.eml".to_owned(),
        outcome: OutcomeWord::Found,
        reason: None,
        username: Some("integration@acme.example".to_owned()),
        org: Some(Org::Production),
        token: None,
        fingerprint: Some(Token::new("abcdefghijklmno").unwrap().fingerprint()),
        date: Some(time),
        message_id: Some("1@mail.example".to_owned()),
        proof: Proof {
            method: ProofMethod::Dkim,
            domain: Some("salesforce.com".to_owned()),
            selector: Some("s1".to_owned()),
        },
    }
}

fn empty() -> Report {
    Report {
        outcome: OutcomeWord::Refused,
        reason: Some("dkim_missing".to_owned()),
        username: None,
        org: None,
        fingerprint: None,
        date: None,
        message_id: None,
        proof: Proof::NONE,
        ..full()
    }
}

fn receipt(report: Report, stored: bool) -> Receipt {
    let time = "2026-11-23T10:00:01Z".parse().unwrap();
    Receipt {
        report,
        slot: stored.then(|| "keyring://sftoken/x".to_owned()),
        stored_at: stored.then_some(time),
        superseded: !stored,
        verified: stored.then_some(true),
    }
}

/// The part of JSON Schema that the files use.
#[track_caller]
pub(crate) fn check(schema: &Value, value: &Value) {
    if let Some(constant) = schema.get("const") {
        assert_eq!(constant, value);
    }
    if let Some(shapes) = schema.get("oneOf") {
        let fits = |shape: &&Value| {
            let keys = |value: &Value| {
                value
                    .as_object()
                    .map(|object| object.keys().cloned().collect::<Vec<_>>())
            };
            let known = keys(shape.get("properties").unwrap_or(&Value::Null));
            known == keys(value)
        };
        let shapes: Vec<&Value> = shapes.as_array().unwrap().iter().filter(fits).collect();
        assert_eq!(shapes.len(), 1, "{value} has not one of the shapes");
        check(shapes[0], value);
    }
    if let Some(words) = schema.get("enum") {
        assert!(
            words.as_array().unwrap().contains(value),
            "{value} is not in {words}"
        );
    }
    if let Some(kind) = schema.get("type") {
        let is = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::String(_) => "string",
            Value::Number(_) => "integer",
            Value::Object(_) => "object",
            Value::Array(_) => "array",
        };
        let fits = kind == is
            || kind
                .as_array()
                .is_some_and(|kinds| kinds.contains(&json!(is)));
        assert!(fits, "{value} is not {kind}");
    }
    if let (Some(pattern), Some(text)) = (schema.get("pattern"), value.as_str()) {
        let pattern = regex::Regex::new(pattern.as_str().unwrap()).unwrap();
        assert!(pattern.is_match(text), "{text} does not fit {pattern}");
    }
    if let (Some(items), Some(values)) = (schema.get("items"), value.as_array()) {
        values.iter().for_each(|value| check(items, value));
    }
    if let Some(properties) = schema.get("properties").filter(|_| !value.is_null()) {
        let properties = properties.as_object().unwrap();
        let names = |keys: Vec<&str>| {
            let mut keys: Vec<String> = keys.into_iter().map(str::to_owned).collect();
            keys.sort();
            keys
        };
        let object = value.as_object().unwrap();
        let serialised = names(object.keys().map(String::as_str).collect());
        let required = schema["required"].as_array().unwrap();
        let required = names(required.iter().map(|key| key.as_str().unwrap()).collect());
        assert_eq!(required, serialised, "required keys and serialised keys");
        assert_eq!(
            required,
            names(properties.keys().map(String::as_str).collect())
        );
        assert_eq!(schema["additionalProperties"], json!(false));
        for (key, value) in object {
            check(&properties[key], value);
        }
    }
}

#[test]
fn a_report_is_what_its_schema_says() {
    for report in [full(), empty()] {
        check(&schema("report"), &serde_json::to_value(report).unwrap());
    }
}

#[test]
fn a_receipt_is_what_its_schema_says() {
    for (report, stored) in [(full(), true), (full(), false), (empty(), false)] {
        let value = serde_json::to_value(receipt(report, stored)).unwrap();
        check(&schema("receipt"), &value);
    }
}

#[test]
fn an_event_is_what_its_schema_says() {
    let report = full();
    let all = Facts {
        username: report.username,
        org: report.org,
        fingerprint: report.fingerprint,
        date: report.date,
        slots: vec!["keyring://sftoken/x".to_owned(), "age:/x".to_owned()],
        verified: Some(false),
        reason: Some("store_locked".to_owned()),
        detail: Some("the keyring is locked".to_owned()),
        age_days: Some(91),
        trail: Some(TrailEntry {
            seq: 7,
            hash: "00ff".to_owned(),
        }),
    };
    let at = "2026-11-23T10:00:00.123Z".parse().unwrap();
    for &word in EventWord::ALL {
        for facts in [all.clone(), Facts::default()] {
            let value = serde_json::to_value(Event::new(word, at, facts)).unwrap();
            check(&schema("event"), &value);
        }
    }
    let words = &schema("event")["properties"]["event"]["enum"];
    let ours: Vec<&str> = EventWord::ALL.iter().map(|word| word.as_str()).collect();
    assert_eq!(words, &json!(ours));
    assert_eq!(words, &serde_json::to_value(EventWord::ALL).unwrap());
}

#[test]
fn every_word_of_the_schema_is_one_of_ours() {
    let schema = schema("report");
    for word in schema["properties"]["outcome"]["enum"].as_array().unwrap() {
        serde_json::from_value::<OutcomeWord>(word.clone()).unwrap();
    }
    let methods = &schema["properties"]["proof"]["properties"]["method"]["enum"];
    for word in methods.as_array().unwrap() {
        serde_json::from_value::<ProofMethod>(word.clone()).unwrap();
    }
    for word in schema["properties"]["org"]["enum"].as_array().unwrap() {
        serde_json::from_value::<Option<Org>>(word.clone()).unwrap();
    }
}

#[test]
#[should_panic(expected = "required keys and serialised keys")]
fn a_key_that_the_schema_does_not_know_is_told() {
    let mut value = serde_json::to_value(full()).unwrap();
    value["extra"] = json!(1);
    check(&schema("report"), &value);
}
