//! Styles and elements on both sides of each rule about what a person sees: the cascade, selectors, colours,
//! what hides and what covers. `tests/mutants` switches the rules off one by one, and one of these mails
//! must show it.

use super::Case;
use super::hostile::{case, html_block, with_html};
use super::hostile_text::WHY;
use super::rules_html::{hidden, seen};

pub(super) fn cases() -> Vec<Case> {
    [
        styles_that_hide(),
        bodiless(),
        styles_that_show(),
        sheets_that_hide(),
        sheets_that_show(),
    ]
    .concat()
}

/// In its sheet every line end is one of the mail's.
fn sheet(css: &str, body: &str) -> String {
    format!("<style>{}</style>{body}", css.replace('\n', "\r\n"))
}

/// An element that every selector below may mean.
const BLOCK: &str = r#"<div class="x" id="i" data-a="one-two three" lang="en-us">{}</div>"#;

fn styles_that_hide() -> Vec<Case> {
    [
        ("white-on-a-gradient-of-white", r#"<p>Hello.</p><div style="color:#fff;background:linear-gradient(rgb(255,255,255),rgb(255,255,255))">{}</div>"#),
        ("white-where-a-picture-takes-the-colour-away", r#"<p>Hello.</p><div style="color:#fff;background-color:#000;background:url(x.png)">{}</div>"#),
        ("colour-of-four-digits", r#"<p>Hello.</p><div style="color:#0000">{}</div>"#),
        ("colour-of-eight-digits", r#"<p>Hello.</p><div style="color:#00000000">{}</div>"#),
        ("colour-of-a-variable", r#"<p>Hello.</p><div style="color:var(--c)">{}</div>"#),
        ("colour-by-hwb", r#"<p>Hello.</p><div style="color:hwb(0 100% 0%)">{}</div>"#),
        ("colour-of-a-canvas", r#"<p>Hello.</p><div style="color:canvas">{}</div>"#),
        ("colour-without-its-sign", r#"<p>Hello.</p><div style="color:ffffff">{}</div>"#),
        ("colour-inherited-after-all", r#"<div style="color:#fff"><div style="color:#000;color:inherit">{}</div></div>"#),
        ("font-of-a-colour-that-is-none", r#"<p>Hello.</p><font color="fffffg">{}</font>"#),
        ("black-on-a-black-table", r#"<table bgcolor="black"><tr><td>{}</td></tr></table>"#),
        ("escape-in-a-value", r#"<p>Hello.</p><div style="display:n\6fne">{}</div>"#),
        ("escape-that-a-blank-ends", r#"<p>Hello.</p><div style="d\69 splay:none">{}</div>"#),
        ("font-of-a-computed-size", r#"<p>Hello.</p><div style="font:calc(1px * 0) Arial">{}</div>"#),
        ("size-with-an-exponent", r#"<p>Hello.</p><div style="font-size:1e-1px">{}</div>"#),
        ("letters-in-another-order", r#"<p>Hello.</p><div style="unicode-bidi:bidi-override;direction:rtl">{}</div>"#),
        ("content-visibility", r#"<p>Hello.</p><div style="content-visibility:hidden">{}</div>"#),
        ("font-size-adjust", r#"<p>Hello.</p><div style="font-size-adjust:0">{}</div>"#),
        ("letters-upon-another", r#"<p>Hello.</p><div style="letter-spacing:-10px">{}</div>"#),
        ("padding", r#"<p>Hello.</p><div style="padding-left:9999px">{}</div>"#),
        ("place", r#"<p>Hello.</p><div style="position:relative;left:-9999px">{}</div>"#),
        ("zoom", r#"<p>Hello.</p><div style="zoom:0.01">{}</div>"#),
        ("margin-to-the-right", r#"<p>Hello.</p><div style="margin-left:5000px">{}</div>"#),
        ("line-of-no-height", r#"<p>Hello.</p><div style="line-height:0.1;overflow:hidden">{}</div>"#),
        ("half-a-per-cent-of-width", r#"<p>Hello.</p><div style="width:0.5%;overflow:hidden">{}</div>"#),
        ("opacity-to-be-computed", r#"<p>Hello.</p><div style="opacity:calc(0)">{}</div>"#),
        ("size-without-a-unit", r#"<div style="font-size:0"><div style="font-size:14">{}</div></div>"#),
        ("half-of-five-pixels", r#"<div style="font-size:5px"><div style="font-size:0.5em">{}</div></div>"#),
        ("ten-per-cent-of-size", r#"<p>Hello.</p><div style="font-size:10%">{}</div>"#),
        ("smaller-than-small", r#"<div style="font-size:4.5px"><div style="font-size:smaller">{}</div></div>"#),
        ("style-sheet-of-another-type", r#"<style>.x{color:#fff}</style><style type="text/y">.x{color:#000}</style><div class="x" id="i" data-a="one-two three" lang="en-us">{}</div>"#),
        ("body-that-does-not-end", r#"<body style="display:none"></body>{}"#),
        ("late-body", r#"{}<body style="display:none">"#),
        ("frame", r#"<p>Hello.</p><iframe srcdoc="{}"></iframe>"#),
        ("closed-details", "<p>Hello.</p><details><summary>More</summary>{}</details>"),
        ("mark-of-outlook", r#"<p>See below.</p><div id="divRplyFwdMsg"></div>{}"#),
        ("outlook-alone", "<p>Hello.</p><!--[if mso]>{}<![endif]-->"),
    ]
    .map(|(name, body)| hidden(&format!("token-hidden-by-{name}"), body))
    .to_vec()
}

/// A page whose body nobody opens: a browser does.
fn bodiless() -> Vec<Case> {
    let page = format!("<style>body{{color:#fff}}</style>{}\r\n", html_block());
    let case = case(
        "token-hidden-by-a-body-that-is-not-there",
        "token_ambiguous",
        WHY,
        |mail| {
            with_html(mail, "");
            mail.html = Some(page);
        },
    );
    vec![case]
}

fn styles_that_show() -> Vec<Case> {
    [
        ("white-on-a-gradient-over-white", r#"<div style="color:#fff;background:#fff linear-gradient(#000,#000)">{}</div>"#),
        ("colour-of-half-a-turn", r#"<div style="color:hsl(0.5turn 100% 20%)">{}</div>"#),
        ("colour-of-the-beginning", r#"<div style="color:#fff"><div style="color:initial">{}</div></div>"#),
        ("font-of-no-colour-on-blue", r#"<div style="background:#0000e0"><font color="transparent">{}</font></div>"#),
        ("opacity-of-all", r#"<div style="opacity:100%">{}</div>"#),
        ("nothing-clipped", r#"<div style="clip:auto;filter:none;animation:none">{}</div>"#),
        ("scaled-by-one", r#"<div style="transform:scale(1)">{}</div>"#),
        ("low-lines-not-cut-off", r#"<div style="line-height:0.1">{}</div>"#),
        ("overflow-of-a-high-box", r#"<div style="overflow:hidden">{}</div>"#),
        ("covered-by-a-dot", r#"<div style="position:absolute;width:1px;height:1px"></div>{}"#),
        ("style-sheet-for-printers", r#"<style media="print">.x{display:none}</style><div class="x" id="i" data-a="one-two three" lang="en-us">{}</div>"#),
        ("cell-that-closes-a-hidden-box", r#"<table><tr><td><div style="display:none">Hello.</td></tr></table>{}"#),
        ("covered-by-a-picture-of-a-dot", r#"<img width="1" height="1" style="position:absolute">{}"#),
        ("covered-by-hidden-text", r#"<div style="position:absolute;display:none">Hello.</div>{}"#),
        ("paragraph-that-the-next-closes", r#"<p style="display:none">Hello.{}"#),
        ("line-that-a-span-ends", r#"<span style="display:block">Username: {user}</span>Security token: {token}"#),
    ]
    .map(|(name, body)| seen(&format!("html-{name}"), body))
    .to_vec()
}

fn sheets_that_hide() -> Vec<Case> {
    let hidden = |name: &str, css: &str, body: &str| {
        hidden(&format!("token-hidden-by-sheet-{name}"), &sheet(css, body))
    };
    vec![
        hidden(
            "important",
            ".x{color:#fff !important}",
            r#"<div class="x" style="color:#000">{}</div>"#,
        ),
        hidden("weight-of-an-id", "#i{color:#fff} .x{color:#000}", BLOCK),
        hidden(
            "white-but-on-narrow-screens",
            ".x{color:#fff} @media (max-width:600px){.x{color:#000}}",
            BLOCK,
        ),
        hidden(
            "white-on-narrow-screens",
            "@media (max-width:600px){.x{color:#fff}}",
            BLOCK,
        ),
        hidden(
            "tiny-on-narrow-screens",
            "@media (max-width:600px){.x{font-size:1px}}",
            BLOCK,
        ),
        hidden(
            "transparent-on-narrow-screens",
            "@media (max-width:600px){.x{opacity:0}}",
            BLOCK,
        ),
        hidden(
            "seven-dark-colours",
            &(1..8)
                .map(|n| format!("@media (max-width:{n}px){{.x{{color:#00000{n}}}}}"))
                .collect::<String>(),
            BLOCK,
        ),
        hidden(
            "forty-times-black",
            &"@media (max-width:1px){.x{color:#000}}".repeat(40),
            BLOCK,
        ),
        hidden(
            "dark-rooms-and-others",
            "@media screen and (prefers-color-scheme:dark), tv{.x{display:none}}",
            BLOCK,
        ),
        hidden(
            "all-but-dark-rooms",
            "@media not(prefers-color-scheme:dark){.x{display:none}}",
            BLOCK,
        ),
        hidden(
            "supports",
            "@supports (display:grid){.x{display:none}}",
            BLOCK,
        ),
        hidden("lone-brace", ".x{color:#fff} } .x{color:#000}", BLOCK),
        hidden("lone-semicolon", ".x{color:#fff} ; .x{color:#000}", BLOCK),
        hidden("marks-of-a-comment", "<!-- .x{display:none} -->", BLOCK),
        hidden("rule-in-a-rule", ".y{color:red; .x{display:none}}", BLOCK),
        hidden(
            "rules-nested-too-deep",
            &format!(
                "{}.y{{color:red}}{}",
                "@media all{".repeat(10),
                "}".repeat(10)
            ),
            BLOCK,
        ),
        hidden("open-bracket", ":not( {margin:0} .x{display:none}", BLOCK),
        hidden("open-quote", ".y{content:\"abc\n} .x{display:none}", BLOCK),
        hidden("capital-class", ".X{display:none}", BLOCK),
        hidden(
            "whole-attribute",
            r#"[data-a="one-two three"]{display:none}"#,
            BLOCK,
        ),
        hidden(
            "beginning-of-an-attribute",
            "[data-a^=one]{display:none}",
            BLOCK,
        ),
        hidden(
            "end-of-an-attribute",
            "[data-a$=three]{display:none}",
            BLOCK,
        ),
        hidden("part-of-an-attribute", "[data-a*=two]{display:none}", BLOCK),
        hidden(
            "word-of-an-attribute",
            "[data-a~=three]{display:none}",
            BLOCK,
        ),
        hidden("language", "[lang|=en]{display:none}", BLOCK),
        hidden(
            "list-with-an-odd-one",
            ".x{color:#fff} .x,?{color:#000}",
            BLOCK,
        ),
        hidden(
            "weight-of-an-attribute",
            "[data-a]{color:#fff} div{color:#000}",
            BLOCK,
        ),
        hidden("weight-of-a-class", ".x{color:#fff} div{color:#000}", BLOCK),
        hidden(
            "weight-of-a-name",
            "div.x{color:#fff} .x{color:#000}",
            BLOCK,
        ),
        hidden(
            "weight-of-a-state",
            ":root .x{color:#fff} .x{color:#000}",
            BLOCK,
        ),
        hidden(
            "state-that-cannot-be-told",
            ".x{color:#fff} .x:nth-child(9){color:#000}",
            BLOCK,
        ),
        hidden("sibling", ".x{color:#fff} p+.x{color:#000}", BLOCK),
    ]
}

fn sheets_that_show() -> Vec<Case> {
    let seen =
        |name: &str, css: &str, body: &str| seen(&format!("html-sheet-{name}"), &sheet(css, body));
    vec![
        seen(
            "inline-after-all",
            ".a{display:block} #b{display:inline}",
            r#"<p>Username: {user}</p><p>Security token: x7Kq2mVb9Lw4<span class="a" id="b">TzR1nHc8Yp3Gd</span></p>"#,
        ),
        seen(
            "style-of-its-own-before-an-id",
            "#i{color:#fff}",
            r#"<div id="i" style="color:#000">{}</div>"#,
        ),
        seen(
            "style-of-its-own-on-narrow-screens",
            "@media (max-width:1px){.x{color:#fff}}",
            r#"<div class="x" style="color:#000">{}</div>"#,
        ),
        seen(
            "size-in-a-tiny-box-of-narrow-screens",
            "@media (max-width:600px){.x{font-size:1px}}",
            r#"<div class="x"><div style="font-size:14px">{}</div></div>"#,
        ),
        seen(
            "seven-grounds-of-white",
            &(1..8)
                .map(|n| {
                    format!("@media (max-width:{n}px){{.x{{background:rgba(255,255,255,0.{n})}}}}")
                })
                .collect::<String>(),
            BLOCK,
        ),
        seen(
            "lines-of-narrow-screens",
            "@media (max-width:600px){.a{display:block}}",
            r#"<span class="a">Username: {user}</span><span class="a">Security token: {token}</span>"#,
        ),
        seen("rule-for-printers", "@media print{.x{display:none}}", BLOCK),
        seen(
            "rule-for-screens",
            ".x{color:#fff} @media screen{.x{color:#000}}",
            BLOCK,
        ),
        seen("key-frames", "@keyframes k{.x{display:none}}", BLOCK),
        seen(
            "import-between-rules",
            r#".x{color:#fff} @import "y"; .x{color:#000}"#,
            BLOCK,
        ),
        seen(
            "brace-in-quotes",
            r#".x{color:#fff} .y{content:"{"} .x{color:#000}"#,
            BLOCK,
        ),
        seen(
            "brace-behind-a-backslash",
            r#".x{color:#fff} .y\{z{margin:0} .x{color:#000}"#,
            BLOCK,
        ),
        seen(
            "child-that-is-a-grandchild",
            ".w>.x{display:none}",
            r#"<div class="w"><div><div class="x" id="i" data-a="one-two three" lang="en-us">{}</div></div></div>"#,
        ),
        seen("root", ".x{color:#fff} :root .x{color:#000}", BLOCK),
        seen("link-that-is-none", ".x:link{display:none}", BLOCK),
        seen(
            "state-of-one-browser",
            ".x::-webkit-scrollbar{display:none}",
            BLOCK,
        ),
    ]
}
