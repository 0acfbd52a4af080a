use super::*;

/// What is seen, and what is not.
pub(super) fn split(html: &str) -> (Vec<String>, Vec<String>) {
    let (seen, unseen): (Vec<Line>, Vec<Line>) = lines(html)
        .into_iter()
        .filter(|line| !line.text.is_empty())
        .partition(|line| line.visible);
    let texts = |lines: Vec<Line>| lines.into_iter().map(|line| line.text).collect();
    (texts(seen), texts(unseen))
}

#[test]
fn lines_end_where_a_browser_ends_them() {
    let (seen, unseen) = split(
        "<p>We sent\n a &quot;token&quot;.</p>Username: <b>u@x.example</b><br>Token:&nbsp;<i>abc</i>\
         <table><tr><td>a:</td><td>b</td></tr><tr><td>c</td></tr></table><pre>d\ne</pre>",
    );
    assert_eq!(
        seen,
        [
            "We sent a \"token\".",
            "Username: u@x.example",
            "Token:\u{a0}abc",
            "a:\tb",
            "c",
            "d",
            "e"
        ]
    );
    assert!(unseen.is_empty());
}

#[test]
fn comments_scripts_and_styles_are_no_text() {
    let (seen, unseen) = split(
        "<!-- a --><script>b</script><style>c{}</style><!--[if mso]>d<![endif]-->e<p title='f'>g</p>",
    );
    assert_eq!(seen, ["e", "g"]);
    assert_eq!(
        unseen,
        ["d"],
        "Outlook shows what stands in a conditional comment"
    );
}

#[track_caller]
pub(super) fn hides(html: &str) {
    let (seen, unseen) = split(html);
    assert_eq!(
        (seen, unseen),
        (vec!["seen".to_owned()], vec!["secret".to_owned()]),
        "{html}"
    );
}

#[test]
fn hidden_text_leaves_a_mark_within_seen_text() {
    let (seen, unseen) = split("a<span style='display:none'>x</span>b <i hidden> </i>c");
    assert_eq!(seen, ["a\u{200b}b c"]);
    assert_eq!(unseen, ["x"]);
}

#[test]
fn style_makes_lines() {
    let (seen, _) =
        split("a<span style='display:block'>b</span><span style='display:block'>c</span>d");
    assert_eq!(seen, ["a", "b", "c", "d"]);
    let (seen, _) =
        split("<div style='white-space:pre-wrap'>a\nb<i style='white-space:normal'>\nc</i></div>");
    assert_eq!(seen, ["a", "b c"]);
}

#[test]
fn odd_markup_is_survived() {
    for html in [
        "<",
        "<a",
        "</",
        "<style>.é{",
        "<div style='",
        "&#x110000;",
        "<b></i></b></p>x",
        "<style>*é.x#y{display:none}",
    ] {
        let _ = lines(html);
    }
}

#[test]
fn cells_are_told_apart() {
    let (seen, _) = split("<table><tr><td> a <td>\n<td>b c</td><td>&nbsp;</td></table>");
    assert_eq!(seen, ["a\t\tb c\t\u{a0}"]);
}

#[test]
fn a_gap_closed_with_font_size_zero_hides_no_text_that_has_a_size_of_its_own() {
    let (seen, unseen) = split(
        "<td style='font-size:0px;padding:10px'><div style='font-size:13px;color:#000'>one</div>\
         <div style='font-size:1em'>two</div>three</td>",
    );
    assert_eq!(seen, ["one"]);
    assert_eq!(unseen, ["two", "three"]);
}

#[test]
fn end_tags_close_what_browsers_close() {
    for html in [
        "seen<div style='display:none'><b></div></b><b><div style='display:none'></b>secret",
        "seen<b><p style='display:none'></b>secret",
        "seen<div><font color=white></div>secret",
        "<span>seen<div style='opacity:0'></span>secret",
        "<div>seen<table><tr><td style='font-size:0'></div>secret",
    ] {
        hides(html);
    }
    let (seen, unseen) = split("<p style='display:none'>one<p>two<li>three<li>four");
    assert_eq!(seen, ["two", "three", "four"]);
    assert_eq!(unseen, ["one"]);
}

#[test]
fn markup_that_is_built_to_take_long_takes_no_longer() {
    let size = 32 * 1024;
    for piece in [
        "<b>",
        "<div>",
        "<p><i>x</b>",
        "</b>",
        "<td>",
        "<a a=1 b=2 c=3>",
        "&amp",
        "<!--",
        "<style>",
        "<style>.a{color:red}</style><i class=a>",
        "<i style='a:b;c:d'>",
        "<table><td>",
        "<pre>\n",
        "<pre><pre>x",
        "<font color='#",
    ] {
        let _ = lines(&piece.repeat(size / piece.len()));
    }
    let rules: String = (0..8000)
        .map(|at| format!(".a.b{at}{{color:red}}"))
        .collect();
    let elements = "<i class='a b c d e f g h'>".repeat(2000);
    let shown = lines(&format!("<style>{rules}</style>{elements}secret"));
    assert!(
        shown
            .iter()
            .all(|line| line.text.is_empty() || !line.visible)
    );
    let classes = format!("<p class='{}'>secret", "a ".repeat(4000)).repeat(20);
    let rules = ".q{color:red}".repeat(8000);
    let shown = lines(&format!("<style>{rules}</style>{classes}"));
    assert!(
        shown
            .iter()
            .any(|line| line.text == "secret" && !line.visible)
    );
    let deep = lines(&format!("{}secret", "<div>".repeat(5000)));
    assert!(
        deep.iter()
            .all(|line| line.text.is_empty() || !line.visible)
    );
}
