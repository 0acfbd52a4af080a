//! The mail in the dress of a template: what designers and mail programs put around the two lines.
//!
//! All invented: the token mail that was seen has no dress (facts: salesforce-mail, 1.5). Salesforce may change
//! that on any day, and an OEM may have.

use sftoken::testing::fixture::{Encoding, Structure, TokenMail};

use super::salesforce::{case, found, localised};
use super::{Case, TOKEN, USER, replaced, signed, usual, written};

const WHY: &str = "invented: as templates of mail are made";

pub(super) fn cases() -> Vec<Case> {
    [pages(), lines(), texts()].concat()
}

fn page(name: &str, head: &str, body: String) -> Case {
    case(name, WHY, |mail| {
        mail.structure = Structure::Html;
        mail.encoding = Encoding::QuotedPrintable;
        mail.html = Some(format!(
            "<!DOCTYPE html>\r\n<html><head>{head}</head>\r\n<body>{body}</body></html>\r\n"
        ));
    })
}

fn block() -> String {
    format!("<p>Username: {USER}<br>Security token (case-sensitive): {TOKEN}</p>")
}

fn pages() -> Vec<Case> {
    let block = block();
    vec![
        page(
            "html-hidden-preheader",
            "<title>Your new Salesforce security token</title>",
            format!(
                "<div style=\"display:none;max-height:0;overflow:hidden;mso-hide:all;opacity:0;color:#ffffff\">Use it with API clients.&nbsp;&zwnj;&nbsp;&zwnj;</div>{block}"
            ),
        ),
        page(
            "html-dark-mode",
            "<style>@media (prefers-color-scheme: dark) { .bg { background: #111 !important } .tx, p { color: #fff !important } } [data-ogsc] .tx { color: #fff !important }</style>",
            format!(
                "<table><tr><td class=\"bg\" bgcolor=\"#ffffff\"><div class=\"tx\">{block}</div></td></tr></table>"
            ),
        ),
        page(
            "html-white-button-links",
            "<style>.btn a { color: #ffffff; background-color: #0176d3 } a:hover { color: #fff }</style>",
            format!(
                "<p>Username: <a href=\"mailto:{USER}\">{USER}</a></p><p>Security token (case-sensitive): {TOKEN}</p><p class=\"btn\"><a href=\"https://example.com/\">Log in</a></p>"
            ),
        ),
        page(
            "html-hidden-on-small-screens-by-attribute",
            "<style>@media only screen and (max-width: 600px) { td[class=\"hide\"], *[class~=mhide] { display: none !important } .full { width: 100% !important } }</style>",
            format!(
                "<table><tr><td class=\"hide\">&nbsp;</td><td class=\"full\">{block}</td></tr></table>"
            ),
        ),
        page(
            "html-white-on-a-blue-ground",
            "",
            format!(
                "<table><tr><td style=\"background: rgb(1, 118, 211); color: #fff\">{block}</td></tr></table>"
            ),
        ),
        page(
            "html-white-on-a-gradient",
            "",
            format!(
                "<div style=\"background: linear-gradient(90deg, #0176d3, rgb(3, 45, 96))\"><font color=\"#FFFFFF\">{block}</font></div>"
            ),
        ),
        page(
            "html-for-outlook-and-others",
            "<!--[if mso]><style>td { font-family: Arial }</style><xml><o:PixelsPerInch>96</o:PixelsPerInch></xml><![endif]-->",
            format!(
                "<!--[if mso]><table><tr><td><![endif]--><!--[if !mso]><!--><div><!--<![endif]-->{block}<!--[if mso]></td></tr></table><![endif]--></div>"
            ),
        ),
    ]
}

fn lines() -> Vec<Case> {
    vec![
        page(
            "html-lines-by-style",
            "",
            format!(
                "<p><span style=\"display:block\">Username: {USER}</span><span style=\"display:block\">Security token (case-sensitive): {TOKEN}</span></p>"
            ),
        ),
        page(
            "html-white-space-kept",
            "",
            format!(
                "<div style=\"white-space:pre-wrap\">We sent you a token.\r\n\r\nUsername: {USER}\r\nSecurity token (case-sensitive): {TOKEN}\r\n</div>"
            ),
        ),
        page(
            "html-hanging-lines-of-word",
            "<style>p.MsoNormal { margin: 0cm; font-size: 11.0pt } span.x { color: windowtext }</style>",
            format!(
                "<div class=WordSection1><p class=MsoNormal style='margin-left:141.6pt;text-indent:-141.6pt'>Username: <span class=x>{USER}</span><o:p></o:p></p><p class=MsoNormal style='margin-left:141.6pt;text-indent:-141.6pt'>Security token: <span class=x>{TOKEN}</span><o:p></o:p></p></div>"
            ),
        ),
    ]
}

fn texts() -> Vec<Case> {
    let (mut flowed, mut thai) = (usual(), usual());
    let text = flowed.plain_text();
    flowed.text = Some(text.replace("token (case-sensitive)", "token \r\n(case-sensitive)"));
    localised(&mut thai, "th");
    thai.charset = "windows-874".into();
    thai.encoding = Encoding::Base64;
    let labelled =
        |mail: &TokenMail, old: &str, new: &str| signed(&replaced(&written(mail), old, new));
    vec![
        case(
            "text-with-links-of-addresses",
            "invented: as mailers make text of HTML",
            |mail| {
                mail.text = Some(
                    mail.plain_text()
                        .replace(USER, &format!("{USER} <mailto:{USER}>")),
                );
            },
        ),
        found(
            "text-flowed",
            "RFC 3676: a label is broken at a blank",
            labelled(&flowed, "charset=UTF-8", "charset=UTF-8; format=flowed"),
            &flowed,
        ),
        found(
            "charset-x-windows-874-th",
            "Java's name of a charset",
            labelled(&thai, "charset=windows-874", "charset=x-windows-874"),
            &thai,
        ),
    ]
}
