//! Genuinely signed mails whose only token, or a second one, no person sees: by style, by element, or as a
//! quotation.

use super::hostile::{case, html_block, with_html};
use super::hostile_text::{WHY, block};
use super::{Case, OTHER, TOKEN, USER};

pub(super) fn cases() -> Vec<Case> {
    [styled(), ruled(), wrapped(), quoted(), reordered()].concat()
}

fn html(name: &str, body: &str) -> Case {
    case(name, "token_ambiguous", WHY, |mail| with_html(mail, body))
}

/// The only block, in an element of this style.
fn only(name: &str, style: &str) -> Case {
    let block = html_block();
    html(
        &format!("token-{name}"),
        &format!("<p>Hello.</p><div style=\"{style}\">{block}</div>"),
    )
}

fn styled() -> Vec<Case> {
    vec![
        only("in-light-yellow", "color: lightyellow"),
        only("white-by-hsl", "color: hsl(0, 0%, 100%)"),
        only("white-with-alpha", "color: #ffffffff"),
        only("nearly-transparent", "color: rgb(0 0 0 / 3%)"),
        only("filled-white", "color: #000; -webkit-text-fill-color: #fff"),
        only(
            "black-on-black",
            "background: rgb(10, 10, 10); color: rgb(0, 0, 0)",
        ),
        only("of-computed-size", "font-size: calc(1px * 0)"),
        only(
            "in-a-box-of-one-pixel",
            "width: 1px; height: 1px; overflow: hidden",
        ),
        only("far-to-the-right", "position: absolute; left: 9999px"),
        only("shifted-by-margin", "margin: -9999px 0 0 0"),
        only("scaled-to-nothing", "-webkit-transform: scaleX(0)"),
        only("filtered-away", "filter: opacity(0)"),
        only("struck-through", "text-decoration: line-through"),
    ]
}

/// A second block that a style sheet hides, though not by the last rule.
fn ruled() -> Vec<Case> {
    let second = html_block().replace(TOKEN, OTHER);
    let rule = |name: &str, css: &str, tag: &str| {
        html(
            &format!("second-block-{name}"),
            &format!(
                "<style>{css}</style>{}<div {tag}>{second}</div>",
                html_block()
            ),
        )
    };
    vec![
        rule(
            "white-by-id",
            "#y { color: #fff } .x { color: #000 }",
            "id=\"y\" class=\"x\"",
        ),
        rule(
            "white-and-important",
            ".x { color: #fff !important }",
            "class=\"x\" style=\"color: #000\"",
        ),
        rule(
            "hidden-by-attribute",
            "[class~=x] { display: none }",
            "class=\"w x\"",
        ),
        rule(
            "hidden-behind-import",
            "@import \"y\"; .x { display: none }",
            "class=\"x\"",
        ),
        rule(
            "hidden-by-escaped-name",
            ".\\78 { display: none }",
            "class=\"x\"",
        ),
    ]
}

fn wrapped() -> Vec<Case> {
    let second = html_block().replace(TOKEN, OTHER);
    let beside = |name: &str, before: &str, after: &str| {
        html(
            &format!("second-block-{name}"),
            &format!("{}{before}{second}{after}", html_block()),
        )
    };
    vec![
        beside("for-outlook-only", "<!--[if mso]>", "<![endif]-->"),
        beside(
            "in-closed-details",
            "<details><summary>More</summary>",
            "</details>",
        ),
        beside("in-noscript", "<noscript>", "</noscript>"),
        beside("in-textarea", "<textarea>", "</textarea>"),
        case(
            "hidden-text-within-the-token",
            "token_invalid",
            WHY,
            |mail| {
                let (one, other) = TOKEN.split_at(12);
                let split = format!("{one}<span style=\"display:none\">X</span>{other}");
                with_html(mail, &html_block().replace(TOKEN, &split));
            },
        ),
        html(
            "token-under-a-cover",
            &format!(
                "{}<div style=\"position: absolute; top: 0; left: 0; width: 100%; height: 100%; background: white\">Nothing to see.</div>",
                html_block()
            ),
        ),
    ]
}

/// A block that the mail quotes from another one.
fn quoted() -> Vec<Case> {
    let behind = |name: &str, mark: &str| {
        let text = format!("See below.\r\n\r\n{mark}\r\n\r\n{}", block());
        case(name, "token_ambiguous", WHY, |mail| {
            mail.text = Some(text);
            mail.encoding = sftoken::testing::fixture::Encoding::QuotedPrintable;
        })
    };
    vec![
        behind(
            "forwarded-as-outlook-does",
            "From: Salesforce <support@salesforce.com>\r\nSent: Wednesday, April 1, 2026 5:08 PM\r\nTo: integrations@acme.example\r\nSubject: Your new Salesforce security token",
        ),
        behind(
            "forwarded-as-outlook-does-in-german",
            "Von: Salesforce <support@salesforce.com>\r\nGesendet: Mittwoch, 1. April 2026 17:08\r\nAn: integrations@acme.example",
        ),
        behind(
            "forwarded-by-apple-mail-in-french",
            "Début du message réexpédié :",
        ),
        behind(
            "behind-somebody-wrote",
            "On 1 Apr 2026, at 17:08, Salesforce <support@salesforce.com> wrote:",
        ),
        html(
            "quoted-as-gmail-does",
            &format!(
                "<p>See below.</p><div class=\"gmail_quote\">{}</div>",
                html_block()
            ),
        ),
    ]
}

/// What a person reads is another token than what stands there.
fn reordered() -> Vec<Case> {
    let told = |name: &str, reason, text: String| {
        case(name, reason, "auth 1.6; Unicode, UAX 9", |mail| {
            mail.text = Some(text);
            mail.encoding = sftoken::testing::fixture::Encoding::QuotedPrintable;
        })
    };
    vec![
        told(
            "token-written-backwards",
            "token_invalid",
            block().replace(TOKEN, &format!("\u{202e}{TOKEN}")),
        ),
        told(
            "line-written-backwards",
            "token_missing",
            format!("Username: {USER}\r\n\u{202e}Security token (case-sensitive): {TOKEN}\r\n"),
        ),
        case(
            "token-written-backwards-in-html",
            "token_missing",
            WHY,
            |mail| {
                let backwards =
                    html_block().replace(TOKEN, &format!("<bdo dir=\"rtl\">{TOKEN}</bdo>"));
                with_html(mail, &backwards);
            },
        ),
    ]
}
