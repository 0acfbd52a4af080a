//! Mails that are none of our business: nothing is wrong with them, and no token is in them.

use sftoken::testing::fixture::{Encoding, Language, Structure, Subject, TokenMail};

use super::{Case, Expected, TOKEN, USER, signed, signed_by, usual, written};

const FOLDER: &str = "unrelated";

pub(super) fn cases() -> Vec<Case> {
    [from_salesforce(), from_others(), for_others()].concat()
}

pub(super) fn other(name: &str, why: &str, bytes: Vec<u8>) -> Case {
    Case::new(FOLDER, name, why, bytes, Expected::NotOurs("not_candidate"))
}

pub(super) fn letter(from: &str, subject: &str, text: &str) -> TokenMail {
    let mut mail = usual();
    mail.from = from.to_owned();
    mail.subject = Subject::Custom(subject.to_owned());
    mail.text = Some(text.replace('\n', "\r\n"));
    mail.encoding = Encoding::QuotedPrintable;
    mail
}

/// Genuinely signed by Salesforce's domain.
fn genuine(name: &str, why: &str, from: &str, subject: &str, text: &str) -> Case {
    other(name, why, signed(&written(&letter(from, subject, text))))
}

fn from_salesforce() -> Vec<Case> {
    let (noreply, support) = (
        "Salesforce <noreply@salesforce.com>",
        "support@salesforce.com",
    );
    let identity = |code: &str| {
        format!(
            "You recently logged in to Salesforce from a browser or app that we don't recognize.\n\nBrowser: Chrome\nOperating System: Linux\nUsername: {USER}\n\nTo ensure your account's security, we need to verify your identity. Enter the following code where prompted by Salesforce.\n\nVerification Code: {code}\n\nIf you didn't recently log in to Salesforce, contact your Salesforce administrator.\n"
        )
    };
    let why = "mail 1.7";
    let mut marketing = letter(noreply, "Security trends: tokens, keys and you", "");
    marketing.structure = Structure::Html;
    marketing.html = Some("<html><body><h1>Why a security token matters</h1><p>Read our guide: every security token deserves care.</p><a href=\"https://example.com/\">Read on</a></body></html>\r\n".into());
    vec![
        genuine(
            "identity-six-digits",
            why,
            noreply,
            "Verify your identity in Salesforce",
            &identity("123456"),
        ),
        genuine(
            "identity-five-digits",
            why,
            noreply,
            "Verify your identity in Salesforce",
            &identity("12345"),
        ),
        genuine(
            "identity-sandbox",
            why,
            noreply,
            "Sandbox: Verify your identity in Salesforce",
            &identity("654321"),
        ),
        genuine(
            "verification-code",
            why,
            noreply,
            "Here's your verification code",
            "Your code is 123456.\nIf you haven't requested this email, you can safely ignore it.\n",
        ),
        genuine(
            "password-reset",
            why,
            support,
            "Finish resetting your Salesforce password",
            &format!(
                "We received a request to reset your password.\n\nUsername: {USER}\n\nTo reset it, go to:\nhttps://acme.my.example/reset?c=AbCdEfGhIjKlMnOpQrStUvWx\n"
            ),
        ),
        genuine(
            "welcome",
            why,
            support,
            "Welcome to Salesforce: Verify your account",
            &format!(
                "Thanks for signing up.\n\nUsername: {USER}\nLogin URL: https://acme.my.example\n"
            ),
        ),
        genuine(
            "verify-email-address",
            why,
            noreply,
            "Action required: verify your email address",
            &format!("Username: {USER}\nConfirm your address: https://acme.my.example/confirm\n"),
        ),
        genuine(
            "package-installed",
            why,
            "support@emea.salesforce.com",
            "Package Nightly Load Install Successful",
            "Your request to install the package \"Nightly Load\" was successful.\nOrganization: Acme (00D000000000001AAA)\n",
        ),
        genuine(
            "case-with-record-id",
            "invented: a record's id is a bare word of 15 or 18 characters",
            support,
            "New case 00001234",
            &format!("Owner: {USER}\nCase: 5003000000D8cuIAAR\n"),
        ),
        genuine(
            "password-changed",
            "mail 1.7: not seen",
            noreply,
            "Your Salesforce password has been changed",
            &format!(
                "The password of this account was changed.\n\nUsername: {USER}\nTime: 15:08\n"
            ),
        ),
        other("marketing", why, signed(&written(&marketing))),
        genuine(
            "japanese-identity",
            "mail 1.7; the text is invented",
            noreply,
            "Salesforce での ID の検証",
            &format!("ブラウザ: Chrome\nユーザ名: {USER}\n\n確認コード: 123456\n"),
        ),
    ]
}

/// From elsewhere, signed by its own domain.
fn foreign(name: &str, why: &str, from: &str, subject: &str, text: &str) -> Case {
    let domain = from
        .rsplit_once('@')
        .map_or("", |(_, domain)| domain)
        .trim_end_matches('>')
        .to_owned();
    let bytes = signed_by(&written(&letter(from, subject, text)), |signer| {
        signer.domain = domain
    });
    other(name, why, bytes)
}

fn from_others() -> Vec<Case> {
    let block = format!("Username: {USER}\nSecurity token (case-sensitive): {TOKEN}\n");
    let quoted = block
        .lines()
        .map(|line| format!("> {line}\n"))
        .collect::<String>();
    vec![
        foreign(
            "colleague-forwards-it",
            "mail 1.3: FW: stands in front",
            "Colleague <colleague@acme.example>",
            "FW: Your new Salesforce security token",
            &format!(
                "Here you are.\n\n-----Original Message-----\nFrom: support@salesforce.com\n\n{block}"
            ),
        ),
        foreign(
            "colleague-forwards-it-as-outlook-does",
            "invented: without dashes, and with a tag that a gateway sets",
            "Colleague <colleague@acme.example>",
            "[EXTERNAL] Fwd: Your new Salesforce security token",
            &format!(
                "Here you are.\n\nFrom: Salesforce <support@salesforce.com>\nSent: Wednesday, April 1, 2026 5:08 PM\nTo: Colleague\nSubject: Your new Salesforce security token\n\n{block}"
            ),
        ),
        foreign(
            "absent-colleague-answers",
            "invented: a program that answers repeats the subject",
            "Colleague <colleague@acme.example>",
            "Automatische Antwort: Your new Salesforce security token",
            &format!("I am away until Monday.\n\n{block}"),
        ),
        foreign(
            "colleague-answers-again",
            "invented: programs that count answers",
            "colleague@acme.example",
            "Re[2]: Your new Salesforce security token",
            &format!("Thanks, it works again.\n\n{block}"),
        ),
        foreign(
            "colleague-answers",
            "invented",
            "colleague@acme.example",
            "Re: Your new Salesforce security token",
            &format!("Thanks, it works now.\n\n{quoted}"),
        ),
        foreign(
            "bank",
            "invented: the OEM form of the subject is not Salesforce's alone",
            "service@bank.example",
            "Your new Acme Bank security token",
            "Dear customer,\n\nyour new security token is in the post. Username and PIN follow in separate letters.\n",
        ),
        foreign(
            "newsletter-about-tokens",
            "invented",
            "news@dev.example",
            "Ten things to know about your Salesforce security token",
            "A security token is 24 or 25 characters long: never share it.\n",
        ),
        foreign(
            "ticket",
            "invented",
            "helpdesk@acme.example",
            "[Ticket 4711] Salesforce security token needed",
            "User: please reset the token of the nightly load.\n",
        ),
        foreign(
            "other-service",
            "invented",
            "noreply@git.example",
            "Your personal access token",
            "Username: octo@git.example\nToken: abcdefghijklmnopqrstuvwx12\n",
        ),
        other(
            "plain-letter",
            "invented: unsigned",
            written(&letter("friend@acme.example", "Lunch?", "At noon?\n")),
        ),
        other(
            "mailing-list-with-odd-bytes",
            "invented: what is wrong with other people's mail is none of our business",
            [
                written(&letter("list@acme.example", "Digest", "One\n")).as_slice(),
                b"two\nthree\r\n\0",
            ]
            .concat(),
        ),
    ]
}

/// Genuine token mails for usernames that are not configured.
fn for_others() -> Vec<Case> {
    let unknown = |name: &str, why: &str, change: fn(&mut TokenMail)| {
        let mut mail = usual();
        change(&mut mail);
        let expected = Expected::NotOurs("unknown_account");
        Case::new(FOLDER, name, why, signed(&written(&mail)), expected)
    };
    vec![
        unknown(
            "token-for-someone-else",
            "mail 1.8: several users share one mailbox",
            |mail| mail.username = "someone.else@acme.example".into(),
        ),
        unknown(
            "token-for-another-case",
            "contract: compared octet for octet",
            |mail| mail.username = "Integration@acme.example".into(),
        ),
        unknown("token-for-someone-else-ja", "mail 1.2 and 1.8", |mail| {
            mail.language = Language::named("ja").unwrap_or(mail.language);
            mail.encoding = Encoding::Base64;
            mail.username = "someone.else@acme.example".into();
        }),
    ]
}
