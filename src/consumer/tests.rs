//! What consumers get, in their forms.

use super::*;
use crate::ingest::policy::Org;
use crate::ingest::secret::Secret;
use crate::ingest::token::Token;

const TOKEN: &str = "Consumer1AbCdEfGhIjKlMnOp";
/// Every letter that a form could trip over.
const NASTY: &str = "p w'q\"b\\d$HOME`id`!%a&b#;é*";

fn with_login<T>(password: Option<&str>, org: Org, then: impl FnOnce(&Login<'_>) -> T) -> T {
    let (token, password) = (
        Token::new(TOKEN).unwrap(),
        password.map(|text| Secret::new(text.to_owned())),
    );
    then(&Login {
        username: "integration@acme.example",
        org,
        token: &token,
        password: password.as_ref(),
    })
}

fn variable(value: &str) -> Variable {
    Variable {
        name: "SF_PASSWORD".to_owned(),
        value: value.to_owned().into(),
        secret: true,
    }
}

fn written(form: Form, value: &str) -> Result<String, &'static str> {
    let lines = form.lines(&[variable(value)]);
    lines
        .map(|text| (*text).clone())
        .map_err(|error| error.problem)
}

#[test]
fn each_field_is_what_clients_want() {
    let of = |field: Field, org| {
        with_login(Some("p@s/s"), org, |login| {
            field.of(login).unwrap().as_str().to_owned()
        })
    };
    for (field, production, sandbox) in [
        (Field::Token, TOKEN, TOKEN),
        (Field::Password, "p@s/s", "p@s/s"),
        (
            Field::Login,
            &*format!("p@s/s{TOKEN}"),
            &*format!("p@s/s{TOKEN}"),
        ),
        (
            Field::Username,
            "integration@acme.example",
            "integration@acme.example",
        ),
        (Field::Org, "production", "sandbox"),
        (Field::Domain, "login", "test"),
        (Field::Host, "login.salesforce.com", "test.salesforce.com"),
        (
            Field::Url,
            "https://login.salesforce.com",
            "https://test.salesforce.com",
        ),
        (Field::Sandbox, "false", "true"),
    ] {
        assert_eq!(of(field, Org::Production), production, "{field:?}");
        assert_eq!(of(field, Org::Sandbox), sandbox, "{field:?}");
    }
    assert_eq!(
        of(Field::Airflow, Org::Sandbox),
        format!(
            "salesforce://integration%40acme.example:p%40s%2Fs@/?security_token={TOKEN}&domain=test"
        )
    );
}

#[test]
fn without_a_password_a_preset_gives_what_it_can_or_says_what_is_missing() {
    for (name, _) in PRESETS {
        let wanted = preset(name).unwrap();
        let got = with_login(None, Org::Production, |login| variables(login, &wanted));
        let whole = with_login(Some("pass"), Org::Production, |login| {
            variables(login, &wanted)
        });
        assert_eq!(whole.unwrap().len(), wanted.len(), "{name}");
        match got {
            Ok(got) => {
                assert_eq!(got.len(), wanted.len() - 1, "{name}");
                assert!(got.iter().any(|one| one.value.as_str() == TOKEN), "{name}");
            }
            Err(NoPassword { name: variable }) => {
                let missing = wanted.iter().find(|one| one.name == variable);
                assert!(missing.unwrap().field.holds_password(), "{name}");
            }
        }
    }
    assert!(preset("Restforce").is_none());
}

#[test]
fn a_name_that_no_shell_takes_is_told() {
    assert_eq!(
        Wanted::parse("SF_TOKEN").unwrap(),
        Wanted {
            name: "SF_TOKEN".to_owned(),
            ..Wanted::usual()
        }
    );
    assert_eq!(Wanted::parse("P=login").unwrap().field, Field::Login);
    for name in ["", "1A", "A-B", "A B", "Ä", "=token", "A\n"] {
        assert!(
            matches!(Wanted::parse(name), Err(NotAVariable::Name(_))),
            "{name:?}"
        );
    }
    let error = Wanted::parse("A=secret").unwrap_err().to_string();
    assert!(error.contains("token, password, login"), "{error}");
}

#[test]
fn a_line_end_never_makes_a_second_variable() {
    for value in ["a\nB=c", "a\rb", "a\0b"] {
        for form in [Form::Env, Form::Shell, Form::Dotenv] {
            assert_eq!(
                written(form, value),
                Err("it holds a line end"),
                "{value:?}"
            );
        }
        assert!(github_line(&variable(value)).is_err());
    }
}

#[test]
fn a_dotenv_file_holds_only_what_its_readers_agree_on() {
    for (value, line) in [
        (TOKEN, TOKEN),
        ("", "''"),
        ("a b#c$d`e\"f", "'a b#c$d`e\"f'"),
        ("a\\b", "'a\\b'"),
        ("it's", "\"it's\""),
    ] {
        assert_eq!(
            written(Form::Dotenv, value),
            Ok(format!("SF_PASSWORD={line}\n"))
        );
    }
    for value in [NASTY, "a'b\"c", "it's $5", "a\\\\b", "ends\\"] {
        assert!(written(Form::Dotenv, value).is_err(), "{value:?}");
    }
}

#[test]
fn github_hides_a_value_as_it_reads_it() {
    assert_eq!(*github_mask("50%\r\nAb"), "::add-mask::50%25%0D%0AAb\n");
    assert_eq!(
        *github_line(&variable("a=b<<c")).unwrap(),
        "SF_PASSWORD=a=b<<c\n"
    );
}

#[test]
fn a_variable_does_not_show_what_it_holds() {
    assert_eq!(
        format!("{:?}", variable(TOKEN)),
        "Variable(SF_PASSWORD, redacted)"
    );
}
