//! HTML parts on both sides of each rule about what a person sees: `tests/mutants` switches the rules
//! off one by one, and one of these mails must show it.

use super::hostile::{case, html_block, with_html};
use super::hostile_text::WHY;
use super::{Case, TOKEN, USER, salesforce};

pub(super) fn cases() -> Vec<Case> {
    [styles(), sheets(), elements(), shown()].concat()
}

/// The block stands in text that nobody sees, and nowhere else.
pub(super) fn hidden(name: &str, body: &str) -> Case {
    let body = body.replace("{}", &html_block());
    case(name, "token_ambiguous", WHY, |mail| with_html(mail, &body))
}

/// The block can be seen.
pub(super) fn seen(name: &str, body: &str) -> Case {
    let body = body
        .replace("{}", &html_block())
        .replace("{user}", USER)
        .replace("{token}", TOKEN);
    salesforce::case(name, WHY, |mail| with_html(mail, &body))
}

/// The block under a style of its own.
fn styled(name: &str, style: &str) -> Case {
    hidden(
        &format!("token-hidden-by-{name}"),
        &format!("<p>Hello.</p><div style=\"{style}\">{{}}</div>"),
    )
}

fn styles() -> Vec<Case> {
    vec![
        styled("font-size", "font-size:1px"),
        styled("font-shorthand", "font:400 0/0 Arial"),
        styled("white-on-white", "color:#ffffff"),
        styled("nearly-white-on-white", "color:#f0f0f0"),
        styled("black-on-black", "color:#000;background:black"),
        styled("escape-in-style", "d\\69splay:none"),
        styled("comment-in-style", "dis/**/play:none"),
        styled("important-display", "display:none !important"),
        styled("transparent-colour", "color:transparent"),
        styled("visibility", "visibility:hidden"),
        styled("mso-hide", "mso-hide:all"),
        styled("opacity", "opacity:0"),
        styled("no-height", "max-height:0"),
        styled("indentation", "text-indent:-9999px"),
        styled("clip", "clip:rect(0,0,0,0)"),
        styled("clip-path", "clip-path:inset(100%)"),
        styled("transform", "transform:scale(0)"),
        styled("fill-colour", "-webkit-text-fill-color:transparent"),
    ]
}

fn sheets() -> Vec<Case> {
    let sheet = |name: &str, css: &str| {
        hidden(
            &format!("token-hidden-by-{name}"),
            &format!("<style>{css}</style><p>Hello.</p><div class=\"x\" id=\"i\">{{}}</div>"),
        )
    };
    let loose = |name: &str, css: &str| {
        seen(
            name,
            &format!("<style>{css}</style><div class=\"x\" id=\"i\">{{}}</div>"),
        )
    };
    let many = |declaration: &str| {
        let rules = format!(".a{{{declaration}}}\r\n").repeat(1500);
        format!("<style>{rules}</style>{}{{}}", "<b>.</b>".repeat(1400))
    };
    vec![
        sheet("style-sheet", ".x{display:none}"),
        sheet("style-sheet-in-media", "@media all{.x{display:none}}"),
        sheet("style-sheet-list", ".y,.x{display:none}"),
        sheet("style-sheet-pseudo-class", ".x:first-line{display:none}"),
        sheet("style-sheet-in-context", "body .x{display:none}"),
        loose("style-for-another-element", "span{display:none}"),
        loose("style-for-another-id", "#other{display:none}"),
        loose("style-for-another-class", ".other{display:none}"),
        loose("style-in-a-comment", "/* .x{display:none} */ .y{color:red}"),
        seen("style-sheet-of-1500-rules", &many("margin:0")),
        hidden(
            "style-sheet-of-1500-colours-before-token",
            &many("color:red"),
        ),
    ]
}

fn elements() -> Vec<Case> {
    vec![
        hidden("token-struck-out", "<p>Hello.</p><del>{}</del>"),
        hidden(
            "token-in-hidden-element",
            "<p>Hello.</p><div hidden>{}</div>",
        ),
        hidden(
            "token-in-white-font",
            "<p>Hello.</p><font color=\"white\">{}</font>",
        ),
        hidden(
            "token-below-600-elements",
            &format!("<p>Hello.</p>{}{{}}", "<div>".repeat(600)),
        ),
        hidden(
            "token-behind-an-end-tag-in-a-cell",
            "<div style=\"display:none\"><table><tr><td></div>{}</td></tr></table></div>",
        ),
        hidden(
            "token-behind-a-span-that-a-block-keeps-open",
            "<span style=\"display:none\"><div></span></div>{}",
        ),
        hidden(
            "token-behind-a-style-that-goes-on",
            "<div><b style=\"display:none\"></div>{}",
        ),
        hidden(
            "quoted-block-in-html",
            "<p>Look:</p><p>&gt; Username: integration@acme.example</p><p>&gt; Security token: x7Kq2mVb9Lw4TzR1nHc8Yp3Gd</p>",
        ),
        hidden(
            "forwarded-block-in-html",
            "<p>Look:</p><p>-----Original Message-----</p>{}",
        ),
    ]
}

fn shown() -> Vec<Case> {
    vec![
        seen(
            "tiny-gap-around-the-text",
            "<div style=\"font-size:0\"><div style=\"font-size:14px\">{}</div></div>",
        ),
        seen(
            "style-as-text",
            "<style>p{margin:0}</style><p>* { display: none }</p>{}",
        ),
        seen(
            "label-behind-a-colon-in-the-block-above",
            "<div>Dear user:<p>Username: {user}</p><p>Security token: {token}</p></div>",
        ),
        seen(
            "tracking-pixel",
            "<img style=\"display:none\" width=\"1\" height=\"1\">{}",
        ),
        seen(
            "label-in-a-style-sheet",
            "<style>Security token: x7Kq2mVb9Lw4TzR1nHc8Yp3Ge</style>{}",
        ),
        seen(
            "lines-in-pre",
            "<pre>Username: {user}\r\nSecurity token: {token}\r\n</pre>",
        ),
        seen(
            "cells-of-a-table",
            "<table><tr><td>Username</td><td>{user}</td></tr><tr><td>Security token</td><td>{token}</td></tr></table>",
        ),
    ]
}
