//! Genuinely signed mails that hide text, or whose parts say different things.

use sftoken::testing::fixture::{BOUNDARY, Structure, TokenMail};

use super::hostile::{case, html_block, refused, with_html};
use super::hostile_text::{WHY, block};
use super::{Case, OTHER, TOKEN, USER, replaced, signed, usual, written};

pub(super) fn cases() -> Vec<Case> {
    [hidden(), disagreeing()].concat()
}

fn html(name: &str, reason: &'static str, body: &str) -> Case {
    case(name, reason, WHY, |mail| with_html(mail, body))
}

fn hidden() -> Vec<Case> {
    let second = html_block().replace(TOKEN, OTHER);
    let beside = |name: &str, wrapped: String| {
        html(
            name,
            "token_ambiguous",
            &format!("{wrapped}{}", html_block()),
        )
    };
    vec![
        html(
            "token-in-html-comment-only",
            "username_missing",
            &format!("<p>Hello.</p><!-- {} -->", html_block()),
        ),
        html(
            "token-in-display-none-only",
            "token_ambiguous",
            &format!(
                "<p>Hello.</p><div style=\"display:none\">{}</div>",
                html_block()
            ),
        ),
        beside(
            "second-block-in-display-none",
            format!("<div style=\"display: none\">{second}</div>"),
        ),
        beside(
            "second-block-in-hidden-element",
            format!("<div hidden>{second}</div>"),
        ),
        beside(
            "second-block-of-no-size",
            format!("<div style=\"font-size:0\">{second}</div>"),
        ),
        beside("second-block-visible", second.clone()),
        beside(
            "second-block-in-style-sheet-class",
            format!("<style>.x {{ display: none }}</style><div class=\"x\">{second}</div>"),
        ),
    ]
}

fn alternative(name: &str, reason: &'static str, plain: String, html: String) -> Case {
    case(name, reason, WHY, |mail: &mut TokenMail| {
        with_html(mail, &html);
        mail.structure = Structure::Alternative;
        mail.text = Some(plain);
    })
}

fn disagreeing() -> Vec<Case> {
    let no_html = {
        let mut mail = usual();
        mail.structure = Structure::Alternative;
        let bytes = replaced(
            &written(&mail),
            &format!("--{BOUNDARY}--"),
            &format!(
                "--{BOUNDARY}\r\nContent-Type: text/html\r\n\r\n<p>Nothing here.</p>\r\n--{BOUNDARY}--"
            ),
        );
        refused(
            "third-part-says-nothing",
            "parts_disagree",
            WHY,
            signed(&bytes),
        )
    };
    vec![
        alternative(
            "parts-with-two-tokens",
            "parts_disagree",
            block(),
            html_block().replace(TOKEN, OTHER),
        ),
        alternative(
            "parts-with-two-usernames",
            "parts_disagree",
            block(),
            html_block().replace(USER, "other@acme.example"),
        ),
        alternative(
            "html-part-without-token",
            "parts_disagree",
            block(),
            "<p>See the text.</p>".into(),
        ),
        alternative(
            "text-part-without-token",
            "parts_disagree",
            "See the HTML.\r\n".into(),
            html_block(),
        ),
        no_html,
    ]
}
