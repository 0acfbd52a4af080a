//! What the user said, key by key, and where.
//!
//! Knows every value with its place; keys are checked against [`keys`](super::keys) while they are
//! read. Never knows what a value means. Values come from a TOML text and from the environment,
//! which overrides.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, Place};
use super::keys::{self, Kind};

/// One value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Bool(bool),
    Number(i64),
    List(Vec<String>),
    /// A table, so that an empty one is noticed.
    Table,
}

/// Values by dotted key.
#[derive(Debug, Default)]
pub(super) struct Entries(BTreeMap<Vec<String>, (Value, Place)>);

impl Entries {
    pub(super) fn insert(&mut self, path: Vec<String>, value: Value, place: Place) {
        self.0.insert(path, (value, place));
    }

    pub(super) fn holds(&self, path: &[String]) -> bool {
        self.0.contains_key(path)
    }

    /// Removes what stands below a table.
    pub(super) fn empty(&mut self, table: &[String]) {
        let inside = |path: &[String]| path.len() > table.len() && path.starts_with(table);
        self.0.retain(|path, _| !inside(path));
    }

    /// The value at a key whose names may hold dots: given as segments.
    pub(super) fn get(&self, path: &[&str]) -> Option<(&Value, &Place)> {
        let path: Vec<String> = path.iter().map(|&part| part.to_owned()).collect();
        self.0.get(&path).map(|(value, place)| (value, place))
    }

    /// The names that stand directly below a table.
    pub(super) fn names(&self, table: &[&str]) -> Vec<String> {
        let below = self.0.keys().filter_map(|path| {
            let inside = path.len() > table.len() && path.iter().zip(table).all(|(a, b)| a == b);
            inside.then(|| path[table.len()].clone())
        });
        let names: BTreeSet<String> = below.collect();
        let mut names: Vec<String> = names.into_iter().collect();
        names.sort_by_key(|name| name.parse::<usize>().unwrap_or(usize::MAX));
        names
    }

    /// Every text and list element, for whoever looks for references.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.0.values().flat_map(|(value, _)| match value {
            Value::Text(text) => std::slice::from_ref(text).iter().map(String::as_str),
            Value::List(texts) => texts.iter().map(String::as_str),
            Value::Bool(_) | Value::Number(_) | Value::Table => [].iter().map(String::as_str),
        })
    }

    /// Reads a TOML text. The first wrong key in the order of the file is the error.
    pub(super) fn from_toml(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let mut reading = Reading {
            text,
            file: path,
            entries: Self::default(),
            wrong: Vec::new(),
        };
        match DeTable::parse(text) {
            Ok(root) => reading.table(&[], root.get_ref()),
            Err(error) => {
                // NOTE: only the message. The error's Display shows the line, and with it a
                // password that someone wrote there.
                let place = reading.place(error.span().map_or(0, |span| span.start));
                let hint = "correct the line; texts stand in double quotes";
                return Err(ConfigError::new(place, "", error.message().trim(), hint));
            }
        }
        let line = |error: &ConfigError| match error.place {
            Place::File { line, .. } => line,
            _ => 0,
        };
        match reading.wrong.into_iter().min_by_key(line) {
            Some(error) => Err(error),
            None => Ok(reading.entries),
        }
    }
}

struct Reading<'t> {
    text: &'t str,
    file: &'t Path,
    entries: Entries,
    wrong: Vec<ConfigError>,
}

impl Reading<'_> {
    fn place(&self, at: usize) -> Place {
        let before = self.text.as_bytes().iter().take(at);
        Place::File {
            path: self.file.to_owned(),
            line: before.filter(|&&byte| byte == b'\n').count() + 1,
        }
    }

    fn table(&mut self, path: &[String], table: &DeTable<'_>) {
        for (key, value) in table {
            let path = [path, &[key.get_ref().to_string()]].concat();
            let place = self.place(key.span().start);
            self.value(&path, value, place);
        }
    }

    fn value(&mut self, path: &[String], value: &Spanned<DeValue<'_>>, place: Place) {
        if !keys::leads_somewhere(path) {
            self.wrong.push(unknown(path, place));
            return;
        }
        let read = match (keys::kind_of(path), value.get_ref()) {
            (None, DeValue::Table(table)) if !keys::is_list_of_tables(path) => {
                self.entries.insert(path.to_vec(), Value::Table, place);
                return self.table(path, table);
            }
            (None, DeValue::Array(array)) if keys::is_list_of_tables(path) => {
                return self.tables(path, array);
            }
            (None, _) => Err(not_a_table(path)),
            (Some(Kind::Map), DeValue::Table(table)) => {
                self.entries.insert(path.to_vec(), Value::Table, place);
                return self.map(path, "", table);
            }
            (Some(kind), value) => read(kind, value),
        };
        match read {
            Ok(value) => self.entries.insert(path.to_vec(), value, place),
            Err((problem, hint)) => {
                self.wrong
                    .push(ConfigError::new(place, &path.join("."), &problem, &hint))
            }
        }
    }

    /// Texts by name. A name with dots that stands without quotes is a table in a table to TOML: it is
    /// put together again.
    fn map(&mut self, path: &[String], front: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            let name = format!("{front}{}", key.get_ref());
            let place = self.place(key.span().start);
            if let DeValue::Table(inner) = value.get_ref() {
                self.map(path, &format!("{name}."), inner);
                continue;
            }
            let path = [path, &[name]].concat();
            let read = match self.entries.holds(&path) {
                true => Err(twice()),
                false => read(Kind::Text, value.get_ref()),
            };
            match read {
                Ok(value) => self.entries.insert(path, value, place),
                Err((problem, hint)) => {
                    let error = ConfigError::new(place, &path.join("."), &problem, &hint);
                    self.wrong.push(error);
                }
            }
        }
    }

    fn tables(&mut self, path: &[String], array: &toml::de::DeArray<'_>) {
        for (number, element) in array.iter().enumerate() {
            let path = [path, &[number.to_string()]].concat();
            let place = self.place(element.span().start);
            self.value(&path, element, place);
        }
    }
}

pub(super) fn unknown(path: &[String], place: Place) -> ConfigError {
    let hint = match keys::nearest(path) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "see `sftoken --help` and the README for the keys that there are".to_owned(),
    };
    ConfigError::new(place, &path.join("."), "no such key", &hint)
}

/// Of two ways to write one name, TOML takes both.
pub(super) fn twice() -> (String, String) {
    let problem = "the name stands twice in the table";
    (problem.to_owned(), "leave one of the two".to_owned())
}

fn not_a_table(path: &[String]) -> (String, String) {
    let name = path.join(".");
    let head = match keys::is_list_of_tables(path) {
        true => format!("[[{name}]]"),
        false => format!("[{name}]"),
    };
    let problem = format!("this is a table: it begins with {head}");
    (problem, format!("write {head}, and its keys below it"))
}

/// Takes a value of the kind that the key wants. Never shows the value: it may be a password at the
/// wrong place.
fn read(kind: Kind, value: &DeValue<'_>) -> Result<Value, (String, String)> {
    match (kind, value) {
        (Kind::Text | Kind::Secret, DeValue::String(text)) => Ok(Value::Text(text.to_string())),
        (Kind::OneOrMore, DeValue::String(text)) => Ok(Value::List(vec![text.to_string()])),
        (Kind::Bool, DeValue::Boolean(value)) => Ok(Value::Bool(*value)),
        (Kind::Number, DeValue::Integer(number)) => {
            let number = i64::from_str_radix(number.as_str(), number.radix());
            number.map(Value::Number).map_err(|_| wants(kind))
        }
        (Kind::List | Kind::OneOrMore, DeValue::Array(array)) => {
            let texts = array.iter().map(|element| element.get_ref().as_str());
            let texts: Option<Vec<String>> = texts.map(|text| text.map(str::to_owned)).collect();
            texts.map(Value::List).ok_or_else(|| wants(kind))
        }
        _ => Err(wants(kind)),
    }
}

pub(super) fn wants(kind: Kind) -> (String, String) {
    let (what, example) = match kind {
        Kind::Text => ("a text", "write it in double quotes".to_owned()),
        Kind::Bool => (
            "true or false",
            "write true or false, without quotes".to_owned(),
        ),
        Kind::Number => (
            "a whole number",
            "write digits only, without quotes".to_owned(),
        ),
        Kind::Map => (
            "a table of texts",
            "write it as { \"NAME\" = \"text\" }".to_owned(),
        ),
        Kind::List => (
            "a list of texts",
            "write it as [\"one\", \"two\"]".to_owned(),
        ),
        Kind::OneOrMore => (
            "a text, or a list of texts",
            "write it in double quotes, or as [\"one\", \"two\"]".to_owned(),
        ),
        Kind::Secret => (
            "a reference to a secret",
            format!("write where the secret stands: {}", crate::secret::FORMS),
        ),
    };
    (format!("the key wants {what}"), example)
}
