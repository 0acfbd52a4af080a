//! MIME structures on both sides of each rule: `tests/mutants` switches the rules off one by one, and one
//! of these mails must show it.

use super::hostile_text::{PLAIN, WHY, block, mixed, shaped};
use super::salesforce::found;
use super::{Case, signed, usual, written};

pub(super) fn cases() -> Vec<Case> {
    [parts(), types()].concat()
}

fn alternatives(count: usize) -> String {
    let block = block();
    mixed("alternative", &vec![(PLAIN, block.as_str()); count])
}

fn parts() -> Vec<Case> {
    let block = block();
    let two = alternatives(2);
    let (first, second) = two.rsplit_once("--b\r\n").expect("two parts");
    let longer = format!("{first}--bx\r\n{second}");
    let nested = (0..6).fold(format!("{PLAIN}\r\n\r\n{block}"), |inner, level| {
        format!(
            "Content-Type: multipart/mixed; boundary=\"n{level}\"\r\n\r\n--n{level}\r\n{inner}\r\n--n{level}--\r\n"
        )
    });
    let picture = (
        "Content-Type: image/png\r\nContent-Transfer-Encoding: base64",
        "aGVsbG8=",
    );
    let mut many = vec![(PLAIN, block.as_str())];
    many.extend([picture; 17]);
    let choices = |texts: &str| {
        let part = format!("--i\r\n{PLAIN}\r\n\r\n{texts}\r\n");
        format!("{}--i--", part.repeat(3))
    };
    let inner = "Content-Type: multipart/alternative; boundary=\"i\"";
    let (three, others) = (choices(&block), choices("Hello."));
    vec![
        shaped("nested-six-deep", "mime_unexpected", &nested),
        shaped(
            "seventeen-pictures",
            "mime_unexpected",
            &mixed("mixed", &many),
        ),
        shaped(
            "picture-alone",
            "mime_unexpected",
            &format!("{}\r\n\r\n{}\r\n", picture.0, picture.1),
        ),
        shaped(
            "container-with-an-encoding",
            "mime_ambiguous",
            &format!(
                "Content-Transfer-Encoding: quoted-printable\r\n{}",
                alternatives(1)
            ),
        ),
        shaped(
            "part-with-a-line-without-colon",
            "mime_ambiguous",
            &mixed("alternative", &[(&format!("{PLAIN}\r\nno colon"), &block)]),
        ),
        shaped(
            "signed-container",
            "mime_unexpected",
            &mixed("signed", &[(PLAIN, &block)]),
        ),
        shaped("nine-alternatives", "mime_unexpected", &alternatives(9)),
        shaped(
            "nine-ways-side-by-side",
            "mime_unexpected",
            &mixed("mixed", &[(inner, &three), (inner, &others)]),
        ),
        shaped("longer-line-like-a-delimiter", "mime_ambiguous", &longer),
        genuine(
            "delimiter-in-the-middle-of-a-line",
            &mixed(
                "alternative",
                &[(PLAIN, &format!("See --b here.\r\n{block}"))],
            ),
        ),
    ]
}

/// The mail with this content, believed.
fn genuine(name: &str, content: &str) -> Case {
    let mail = written(&usual());
    let text = String::from_utf8_lossy(&mail);
    let at = text.find("Content-Type: text/plain").expect("it has one");
    let bytes = [&mail[..at], content.as_bytes()].concat();
    found(name, WHY, signed(&bytes), &usual())
}

fn types() -> Vec<Case> {
    let block = block();
    let plain = |head: &str| format!("{head}\r\n\r\n{block}");
    let params: String = (0..40).map(|number| format!("; x{number}=1")).collect();
    let boundary = "b".repeat(201);
    let wide: Vec<u8> = block.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let wide: String = wide.iter().map(|octet| format!("={octet:02X}")).collect();
    let wide: String = wide
        .as_bytes()
        .chunks(72)
        .map(|line| format!("{}=\r\n", String::from_utf8_lossy(line)))
        .collect();
    vec![
        shaped(
            "charset-in-pieces",
            "mime_ambiguous",
            &plain("Content-Type: text/plain; charset*=us-ascii''utf-8"),
        ),
        shaped(
            "quote-that-does-not-end",
            "mime_ambiguous",
            &plain("Content-Type: text/plain; charset=utf-8; x=\"y"),
        ),
        shaped(
            "forty-parameters",
            "mime_ambiguous",
            &plain(&format!("{PLAIN}{params}")),
        ),
        shaped(
            "boundary-of-201-octets",
            "mime_ambiguous",
            &format!(
                "Content-Type: multipart/alternative; boundary={boundary}\r\n\r\n--{boundary}\r\n{PLAIN}\r\n\r\n{block}\r\n--{boundary}--\r\n"
            ),
        ),
        shaped(
            "text-with-a-name-of-a-file",
            "mime_unexpected",
            &plain(&format!("{PLAIN}; name=token.txt")),
        ),
        shaped(
            "text-that-is-an-attachment",
            "mime_unexpected",
            &plain(&format!("{PLAIN}\r\nContent-Disposition: attachment")),
        ),
        shaped(
            "charset-utf-16",
            "charset_unsupported",
            &format!(
                "Content-Type: text/plain; charset=utf-16le\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{wide}\r\n"
            ),
        ),
    ]
}
