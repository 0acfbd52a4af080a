use super::*;

const TOKEN: &str = "Zq4TnV8sLw2KdXb7Rm1YcGf5P";

fn recipe() -> &'static Recipe {
    &Recipe::built_in()[0]
}

#[test]
fn every_built_in_recipe_can_be_read() {
    assert_eq!(Recipe::built_in().len(), 1);
}

#[track_caller]
fn subject(text: &str, form: SubjectForm, org: Org) {
    assert_eq!(recipe().subject(text), Subject { form, org }, "{text}");
}

#[test]
fn subjects_in_their_forms() {
    use Org::{Production, Sandbox};
    use SubjectForm::{Branded, Exact, Localised, Unknown};
    subject("Your new Salesforce security token", Exact, Production);
    subject(" your NEW salesforce  security token ", Exact, Production);
    subject(
        "Sandbox: Your new Salesforce security token",
        Exact,
        Sandbox,
    );
    subject("sandbox:Your new Salesforce security token", Exact, Sandbox);
    subject(
        "salesforce.com security token confirmation",
        Exact,
        Production,
    );
    subject("Your new PatronManager security token", Branded, Production);
    subject(
        "Sandbox: Your new Acme Cloud security token",
        Branded,
        Sandbox,
    );
    subject(
        "Ihr neues Salesforce-Sicherheitstoken",
        Localised,
        Production,
    );
    subject(
        "新しい Salesforce セキュリティトークン",
        Localised,
        Production,
    );
    subject("Verify your identity in Salesforce", Unknown, Production);
    subject("Your new security token", Unknown, Production);
    subject("é", Unknown, Production);
    subject(
        "FW: Your new Salesforce security token",
        Unknown,
        Production,
    );
    subject(
        "Re: salesforce.com security token confirmation",
        Unknown,
        Production,
    );
}

/// Reads one view of visible lines.
fn read(text: &str) -> Result<(String, String), Refusal> {
    read_with(text, "")
}

fn read_with(seen: &str, unseen: &str) -> Result<(String, String), Refusal> {
    let line = |visible| {
        move |text: &str| Line {
            text: text.to_owned(),
            visible,
        }
    };
    let view: Vec<Line> = seen
        .lines()
        .map(line(true))
        .chain(unseen.lines().map(line(false)))
        .collect();
    let found = recipe().read(&mut Nobody, &view, &[]);
    found.map(|(username, token)| (username, token.expose().to_owned()))
}

#[track_caller]
fn finds(text: &str) {
    let text = text.replace("TOKEN", TOKEN);
    let expected = ("integration@acme.example".to_owned(), TOKEN.to_owned());
    assert_eq!(read(&text), Ok(expected), "{text}");
}

#[track_caller]
fn refuses(text: &str, refusal: Refusal) {
    let text = text.replace("TOKEN", TOKEN);
    assert_eq!(read(&text), Err(refusal), "{text}");
}

#[test]
fn the_two_lines_in_any_language() {
    finds(
        "We've sent you a new token: see below\n\nUsername: integration@acme.example\nSecurity token (case-sensitive): TOKEN\n\nFor more information on using your security token, see https://help.salesforce.com/x?id=1",
    );
    finds("ユーザ名: integration@acme.example\nセキュリティトークン (大文字と小文字を区別): TOKEN");
    finds("用户名：integration@acme.example\n安全标记（区分大小写）：TOKEN");
    finds(
        "Nom d’utilisateur : integration@acme.example\n\nJeton de sécurité (sensible à la casse) : TOKEN",
    );
    finds("Klingon: integration@acme.example\nQapla' (naDev): TOKEN");
    finds(
        "\u{a0}Username:\u{a0}integration@acme.example\u{a0}\nSecurity token (note: case-sensitive):\tTOKEN",
    );
    finds(
        "*Username:* integration@acme.example\nSecurity token: TOKEN"
            .replace(":*", "*:")
            .as_str(),
    );
    finds("Username:\nintegration@acme.example\n\nSecurity token (case-sensitive):\nTOKEN\n");
}

#[test]
fn what_is_missing_is_named() {
    refuses(
        "Your new security token is: TOKEN",
        Refusal::UsernameMissing,
    );
    refuses(
        "Username: integration@acme.example\n\nBye",
        Refusal::TokenMissing,
    );
    refuses(
        "Username: integration@acme.example\nVerification Code: 123456",
        Refusal::TokenMissing,
    );
    refuses(
        "Username: integration@acme.example\nOrganization: 00D000000000001EAA",
        Refusal::TokenMissing,
    );
    refuses(
        "Username: Ann Admin\nSecurity token: TOKEN",
        Refusal::UsernameMissing,
    );
}

#[test]
fn a_token_is_nothing_but_letters_and_digits() {
    for token in [
        "Zq4TnV8sLw2Kd",
        "Zq4TnV8sLw2KdXb7Rm1YcGf5P!",
        "Zq4TnV8sLw2K\u{200b}dXb7Rm1YcGf5P",
        "Zq4TnV8sLw2KdXb7Rm1Yс Gf5P",
        "Zq4TnV8sLw2KdXb7Rm1YсGf5P",
    ] {
        refuses(
            &format!("Username: integration@acme.example\nSecurity token: {token}"),
            Refusal::TokenInvalid,
        );
    }
    refuses(
        "Username: integration@acme.example\nSecurity token: TOKEN\nabc1",
        Refusal::TokenInvalid,
    );
}

#[test]
fn a_second_label_makes_the_mail_ambiguous() {
    let block = "Username: integration@acme.example\nSecurity token (case-sensitive): TOKEN\n";
    refuses(&format!("{block}\n{block}"), Refusal::TokenAmbiguous);
    refuses(
        &format!("{block}\nSecurity token: none"),
        Refusal::TokenAmbiguous,
    );
    refuses(
        &format!("Your security token: TOKEN\n{block}"),
        Refusal::TokenAmbiguous,
    );
    refuses(&format!("{block}\nUsername: x"), Refusal::UsernameAmbiguous);
    refuses(
        &format!("{block}\nNome utente: a@b.example"),
        Refusal::UsernameAmbiguous,
    );
    refuses(
        "A: a@b.example\nB: TOKEN\nC: c@d.example\nD: TOKEN",
        Refusal::TokenAmbiguous,
    );
    let seen = block.replace("TOKEN", TOKEN);
    assert_eq!(
        read_with(&seen, "Security token: x"),
        Err(Refusal::TokenAmbiguous)
    );
    assert_eq!(
        read_with(&seen, "Username: x"),
        Err(Refusal::UsernameAmbiguous)
    );
    assert_eq!(
        read_with(&seen, &format!("A: a@b.example\nB: {TOKEN}")),
        Err(Refusal::TokenAmbiguous)
    );
    assert!(read_with(&seen, "preheader text: nothing").is_ok());
}

#[test]
fn nothing_is_taken_from_text_that_nobody_sees() {
    let block =
        format!("Username: integration@acme.example\nSecurity token (case-sensitive): {TOKEN}");
    assert_eq!(read_with("Hello", &block), Err(Refusal::TokenAmbiguous));
}

#[test]
fn marks_that_nobody_sees_stand_around_values() {
    finds(
        "\u{200f}اسم المستخدم:\u{200f} \u{202a}integration@acme.example\u{202c}\n\u{200f}رمز الأمان (حساس): \u{2066}TOKEN\u{2069}",
    );
    finds(
        "שם משתמש: \u{200e}integration@acme.example\u{200f}\n\u{200f}\nאסימון אבטחה: \u{200e}TOKEN\u{200f}",
    );
    finds(
        "\u{feff}Username: integration@acme.example\u{200b}\n\u{200b}\u{a0}\nSecurity token: TOKEN\u{200d}",
    );
}

#[test]
fn labels_in_cells_need_no_colon() {
    finds("Username\tintegration@acme.example\nSecurity token (case-sensitive)\tTOKEN");
    finds("Username:\tintegration@acme.example\nSecurity token (note: case-sensitive):\tTOKEN");
    finds("Username\t\tintegration@acme.example\t\u{a0}\nSecurity token\t\tTOKEN\t\u{a0}");
    finds("pong\tintegration@acme.example\nngoq\tTOKEN");
}

#[test]
fn known_labels_alone_in_their_lines_need_no_colon() {
    finds("Username\nintegration@acme.example\nSecurity token (case-sensitive)\nTOKEN\n\nBye");
    finds(
        "Your security token\n\nSecurity token\n\nUsername: integration@acme.example\nSecurity token: TOKEN",
    );
    finds("Hello:\nUsername\nintegration@acme.example\nSecurity token\nTOKEN");
}

#[test]
fn emphasis_may_end_behind_the_colon() {
    finds("*Username:* integration@acme.example\n*Security token (case-sensitive):* TOKEN");
}

#[test]
fn a_word_below_a_whole_token_is_no_part_of_it() {
    finds("Username: integration@acme.example\nSecurity token: TOKEN\nSalesforce");
    refuses(
        "Username: integration@acme.example\nSecurity token: Zq4TnV8sLw2KdXb7Rm\nYcGfPqRstuv",
        Refusal::TokenInvalid,
    );
}

#[test]
fn names_and_ids_behind_unknown_labels_are_no_tokens() {
    for value in [
        "AcmeHoldings2026",
        "acmewidgets2026production",
        "AcmeWidgetsInternational26",
        "4f0c9e1b7a6d4d0fa1b2c3d4e5f60718",
        "00D000000000001EAA",
        "Internationalization",
        "12345678901234567890",
    ] {
        refuses(
            &format!("Benutzername: integration@acme.example\nOrganisation: {value}"),
            Refusal::TokenMissing,
        );
    }
}

#[test]
fn nearly_every_token_is_known_behind_an_unknown_label() {
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut missed = 0;
    for number in 0..4000 {
        let token: String = (0..24 + number % 2)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                char::from(letters[(state >> 33) as usize % letters.len()])
            })
            .collect();
        let read = read(&format!("pong: a@b.example\nngoq: {token}"));
        missed += usize::from(read.is_err());
    }
    assert!(missed <= 4, "{missed} of 4000");
}

#[test]
fn answers_and_forwards_are_a_colleagues() {
    for front in ["Re: ", "FW: ", "Fwd: ", "AW: ", "WG: ", "転送: ", "转发："] {
        let text = format!("{front}Your new Salesforce security token");
        subject(&text, SubjectForm::Unknown, Org::Production);
    }
}
