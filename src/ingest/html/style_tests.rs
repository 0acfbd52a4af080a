//! What style shows, and what it hides.

use super::tests::{hides, split};

#[test]
fn text_that_nobody_sees() {
    for style in [
        "display:none",
        "DISPLAY : NONE !important",
        "visibility:hidden",
        "opacity:0",
        "font-size:0",
        "font-size:1px",
        "font:0px/0 serif",
        "color:#fff",
        "color:white;background:#FFFFFF",
        "color:#111;background-color:black",
        "color:transparent",
        "color:rgba(0,0,0,0)",
        "height:0;overflow:hidden",
        "max-height:0px",
        "text-indent:-9999px",
        "position:absolute;left:-10000px",
        "mso-hide:all",
        "display:n\\6fne",
        "disp/**/lay:none",
    ] {
        hides(&format!("seen<div style='{style}'><b>secret</b></div>"));
    }
    hides("seen<div hidden>secret</div>");
    hides("seen<blockquote>secret</blockquote>");
    hides("seen<textarea>secret</textarea>");
    hides("<title>secret</title>seen");
    hides("seen<font color='white'>secret</font>");
    hides("<body bgcolor='black' text='#fff'>seen<p style='color:#000'>secret");
}

#[test]
fn text_that_cannot_be_told_from_its_ground() {
    for style in [
        "color:lightyellow",
        "color:hsl(0,0%,100%)",
        "color:#ffffffff",
        "color:rgb(0 0 0 / 3%)",
        "color:var(--x)",
        "-webkit-text-fill-color:#fff",
        "background:rgb(10, 10, 10);color:rgb(0, 0, 0)",
        "background:linear-gradient(#fff,#eee);color:white",
        "opacity:1%",
    ] {
        hides(&format!("seen<div style='{style}'><b>secret</b></div>"));
    }
    hides("seen<font color='#fffffffffff'>secret</font>");
    hides("seen<div style='-webkit-text-fill-color:#fff'><b style='color:#000'>secret</b></div>");
    hides("<body style='background:url(x.png)'>seen<p style='color:#fff'>secret");
}

#[test]
fn text_that_is_out_of_sight() {
    for style in [
        "font-size:calc(1px * 0)",
        "position:absolute;left:9999px",
        "margin:-9999px 0 0 0",
        "height:1px;overflow:hidden",
        "width:1px;height:1px;overflow:hidden;position:absolute",
        "-webkit-transform:scaleX(0)",
        "scale:0",
        "clip-path:circle(0)",
        "filter:opacity(0)",
        "-webkit-text-security:disc",
        "text-decoration:line-through",
        "unicode-bidi:bidi-override;direction:rtl",
        "letter-spacing:-1em",
    ] {
        hides(&format!("seen<div style='{style}'><b>secret</b></div>"));
    }
    for html in [
        "seen<details><div>secret</div></details>",
        "seen<dialog>secret</dialog>",
        "seen<bdo dir=rtl>secret</bdo>",
        "seen<div class='gmail_quote'>secret</div>",
        "seen<!--[if mso]><p>secret</p><![endif]-->",
        "seen<noscript><p>secret</p></noscript>",
        "seen<iframe srcdoc='<p>secret</p>'></iframe>",
        "seen<xmp><p>secret</p></xmp>",
    ] {
        hides(html);
    }
}

#[test]
fn what_is_laid_over_text_hides_all_of_it() {
    for over in [
        "<div style='position:absolute;top:0'>x</div>",
        "<img src=x style='position:fixed'>",
    ] {
        let (seen, _) = split(&format!("<p>secret</p>{over}"));
        assert!(seen.is_empty(), "{over}");
    }
    for harmless in [
        "<img width=1 height=1 style='position:absolute'>",
        "<div style='position:absolute;left:-9999px'></div>",
        "<div style='position:relative'></div>",
    ] {
        let (seen, _) = split(&format!("<p>seen</p>{harmless}"));
        assert_eq!(seen, ["seen"], "{harmless}");
    }
}

#[test]
fn of_two_rules_the_stronger_holds() {
    for (css, element) in [
        ("#y{color:#fff} .x{color:#000}", "<p id=y class=x>"),
        (".x{color:#fff!important} .w{color:#000}", "<p class='x w'>"),
        (".x{color:#fff!important}", "<p class=x style='color:#000'>"),
        (".x{color:#fff} .none .x{color:#000}", "<p class=x>"),
        (".x{color:#fff} .x, %%{color:#000}", "<p class=x>"),
        (".x{color:#fff} } .x{color:#000}", "<p class=x>"),
        (".x{color:#fff} @media print{.x{color:#000}}", "<p class=x>"),
        (".x{color:#fff;color:bogus}", "<p class=x>"),
        ("[class~=x]{opacity:0}", "<p class='w x'>"),
        ("@import 'y'; .x{display:none}", "<p class=x>"),
        (".\\78{display:none}", "<p class=x>"),
        (".X{display:none}", "<p class=x>"),
        (".v + .x{color:#fff}", "<p class=x>"),
        (":root{--y:1} html>body>.x{color:white}", "<p class=x>"),
    ] {
        hides(&format!("<style>{css}</style>seen{element}secret</p>"));
    }
}

#[test]
fn rules_for_others_hide_nothing() {
    for css in [
        ".btn a{color:#fff;background:#0176d3}",
        "a:hover{color:#fff} a:visited{color:#fff}",
        "td[class='hide']{display:none} *[class~=hide]{display:none}",
        "@media (prefers-color-scheme: dark){.bg{background:#111!important} .tx{color:#fff!important}}",
        "[data-ogsc] .tx{color:#fff!important}",
        "@media print{p{display:none}}",
        "p::before{font-size:0}",
        "tr:nth-child(even){background:#f2f2f2} td:first-child{color:#666}",
        "@font-face{font-family:x;font-size:0}",
        "<!-- p{color:#333} -->",
    ] {
        let html = format!(
            "<style>{css}</style><table><tr class=bg><td bgcolor='#ffffff'><p class=tx><a href=x>seen</a></p></table>"
        );
        assert_eq!(split(&html), (vec!["seen".to_owned()], vec![]), "{css}");
    }
}

#[test]
fn text_hidden_by_a_style_sheet() {
    for css in [
        ".x{display:none}",
        "p .x , a{color:red} div.x { font-size : 0 }",
        "@media screen{.x{visibility:hidden}}",
        "#y{display:none}",
        "div{opacity:0}",
        "/* note */ .x{display:none}",
    ] {
        hides(&format!(
            "<style>{css}</style>seen<div class='w x' id=y>secret</div>"
        ));
        hides(&format!(
            "seen<div class='w x' id=y>secret</div><style>{css}</style>"
        ));
    }
}

#[test]
fn ordinary_style_hides_nothing() {
    let (seen, unseen) = split(
        "<style>body{font:bold 14px/1.4 Arial,sans-serif;color:#333} td.m{padding:0;border:1px solid #ddd}\
         a:hover{color:#0176d3} .hide{display:none}</style>\
         <body style='margin:0;width:100%;background:#f3f3f3'><table width=600><tr><td class=m style='color:#181818'>one\
         <span style='font-weight:400;font-size:1em;opacity:1'>two</span></td></tr></table>",
    );
    assert_eq!(seen, ["onetwo"]);
    assert!(unseen.is_empty());
}
