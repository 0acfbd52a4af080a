//! Any text as an HTML part.
//!
//! What must hold: it becomes lines, of which none holds a line end, and which are not much longer
//! than the text; the same text gives the same lines.

use sftoken::Mail;

/// The whole is the HTML text, in UTF-8: octets that are none are refused, and so cost no time.
pub(crate) fn run(data: &[u8]) {
    let head = b"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n";
    let bytes = [head, data].concat();
    let mail = Mail::parse(&bytes);
    let Ok(views) = mail.views() else {
        assert!(std::str::from_utf8(data).is_err(), "UTF-8 is refused");
        return;
    };
    let [view] = views else {
        panic!("{} views of one part", views.len());
    };
    let letters: usize = view.iter().map(|line| line.text.len()).sum();
    // A NUL becomes U+FFFD, of three octets; `&nGt;` has five and gives six. Where a line of it is hidden
    // between text that is seen, a mark of three is left.
    assert!(letters <= 4 * data.len(), "{letters} of {}", data.len());
    // <html> and <body> are opened for every page, a page within a page too (`<xmp><`).
    assert!(view.len() <= 4 * data.len() + 4, "{} lines", view.len());
    assert!(view.iter().all(|line| !line.text.contains('\n')));
    assert_eq!(Mail::parse(&bytes).views().unwrap()[0], *view);
}
