//! Where other verifiers are known to differ from ours, and why: a closed list. Each entry must occur, and
//! nothing else may.
//!
//! Knows reasons. Never asks a verifier. "auth" is `facts: authenticity`. What stands here as believed by
//! ours is believed by the verifier alone (`ingest::dkim`): the policy refuses most of these mails.

use sftoken::Mail;

use super::judges::Question;

/// Another verifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Judge {
    /// OpenDKIM 2.11.
    OpenDkim,
    /// dkimpy 1.1.8.
    Dkimpy,
    /// mail-auth 0.13.3.
    MailAuth,
}

use Judge::{Dkimpy, MailAuth, OpenDkim};

const ALL: &[Judge] = &[OpenDkim, Dkimpy, MailAuth];

/// Fixtures on which some judges differ from us, always in the same way.
pub(super) struct Named {
    pub(super) judges: &'static [Judge],
    /// What they say; ours says the opposite.
    pub(super) pass: bool,
    pub(super) why: &'static str,
    pub(super) mails: &'static [&'static str],
}

pub(super) const FIXTURES: &[Named] = &[
    Named {
        judges: ALL,
        pass: true,
        why: "a bare LF is a line end to them; octets of a mail that no server sends are refused here (auth 1.5)",
        mails: &[
            "bare-lf-in-body",
            "bare-lf-in-header",
            "mixed-line-ends-of-a-peers-test",
        ],
    },
    Named {
        judges: ALL,
        pass: true,
        why: "a continuation of white space only may not be written (RFC 5322, 3.2.2); it ends the header for some readers",
        mails: &["blank-continuation"],
    },
    Named {
        judges: &[MailAuth],
        pass: true,
        why: "a header that begins with a continuation is no header (RFC 5322, 2.2)",
        mails: &["begins-with-continuation"],
    },
    Named {
        judges: &[OpenDkim, MailAuth],
        pass: true,
        why: "a field has a name (RFC 5322, 3.6.8)",
        mails: &["field-without-a-name"],
    },
    Named {
        judges: ALL,
        pass: true,
        why: "beyond our bounds (auth 2.1): what no genuine mail has keeps a verifier busy",
        mails: &[
            "field-of-17000-octets",
            "more-than-500-fields",
            "signature-of-260-fields",
            "signature-of-70-tags",
        ],
    },
    Named {
        judges: &[OpenDkim, Dkimpy],
        pass: true,
        why: "they honour l=; ours hashes the whole body, and the policy refuses l= (RFC 6376, 8.2)",
        mails: &[
            "body-length",
            "body-length-zero",
            "body-length-and-text-behind",
        ],
    },
    Named {
        judges: &[OpenDkim, MailAuth],
        pass: false,
        why: "l= beyond the body fails there; ours hashes the whole body, and the policy refuses l=",
        mails: &["body-length-whole"],
    },
    Named {
        judges: ALL,
        pass: true,
        why: "they tell the caller of t=y, or nobody; here such a key is refused (RFC 6376, 3.6.1)",
        mails: &["key-in-testing"],
    },
    Named {
        judges: ALL,
        pass: true,
        why: "v= stands first, or the record is to be discarded (RFC 6376, 3.6.1)",
        mails: &["key-whose-version-stands-second"],
    },
    Named {
        judges: &[OpenDkim],
        pass: true,
        why: "OpenDKIM takes the first of several records, and does not compare k= with a=",
        mails: &["key-twice", "key-of-another-kind"],
    },
    Named {
        judges: &[Dkimpy, MailAuth],
        pass: true,
        why: "h= of the key is not looked at (RFC 6376, 6.1.2, step 6)",
        mails: &["key-for-sha1-only"],
    },
    Named {
        judges: &[Dkimpy],
        pass: true,
        why: "t=s of the key is not looked at (RFC 6376, 3.6.1)",
        mails: &["key-is-strict-and-identity-below"],
    },
    Named {
        judges: &[MailAuth],
        pass: true,
        why: "s= of the key is not looked at (auth 0.3)",
        mails: &["key-for-another-service"],
    },
    Named {
        judges: ALL,
        pass: true,
        why: "SHA-1 is forbidden since RFC 8301 (auth 0.3)",
        mails: &["sha1"],
    },
    Named {
        judges: ALL,
        pass: true,
        why: "the syntax of tags and names is not held to (RFC 6376, 3.2 and 3.5)",
        mails: &[
            "signature-with-a-blank-in-a-field-name",
            "signature-with-a-hyphen-in-a-tag",
            "signature-with-an-empty-field-name",
        ],
    },
    Named {
        judges: &[Dkimpy, MailAuth],
        pass: true,
        why: "values of tags are ASCII (RFC 6376, 3.2)",
        mails: &["signature-with-eight-bits-in-a-tag"],
    },
    Named {
        judges: &[MailAuth],
        pass: true,
        why: "q= is not looked at (RFC 6376, 3.5)",
        mails: &["signature-by-another-query"],
    },
    Named {
        judges: &[OpenDkim],
        pass: false,
        why: "OpenDKIM wants one readable From, and wants it signed: here these are gates of the policy",
        mails: &[
            "from-address-in-encoded-word",
            "from-empty",
            "from-not-signed",
            "from-quote-inside-a-quote",
            "no-from",
        ],
    },
    Named {
        judges: &[Dkimpy],
        pass: false,
        why: "dkimpy wants one From: here that is a gate of the policy",
        mails: &["duplicate-from", "duplicate-from-same"],
    },
    Named {
        judges: &[OpenDkim],
        pass: false,
        why: "OpenDKIM looks at three signatures, we at eight",
        mails: &[
            "right-key-is-the-fourth",
            "right-signature-is-the-fourth",
            "right-signature-is-the-ninth",
        ],
    },
    Named {
        judges: &[OpenDkim, MailAuth],
        pass: false,
        why: "their clock is the machine's; ours is an argument, and x= a gate of the policy (auth 3.1)",
        mails: &[
            "signature-expired",
            "signature-expires-now",
            "signed-and-expiring",
        ],
    },
    Named {
        judges: &[Dkimpy],
        pass: false,
        why: "t= in the future: here a gate of the policy",
        mails: &["signed-tomorrow"],
    },
    Named {
        judges: ALL,
        pass: false,
        why: "h= that names DKIM-Signature means other signatures (RFC 6376, 5.4); they take the signature for one of them",
        mails: &["signature-signed-as-absent"],
    },
    Named {
        judges: &[MailAuth],
        pass: false,
        why: "mail-auth 0.13 keeps lines of white space at the end of a relaxed body (#62, auth 0.4)",
        mails: &["blanks-in-a-relaxed-body"],
    },
];

/// Random mails on which a judge may differ from us: those of a kind.
pub(super) struct Kind {
    pub(super) judges: &'static [Judge],
    pub(super) why: &'static str,
    pub(super) is: fn(&Question, theirs: bool) -> bool,
}

pub(super) const KINDS: &[Kind] = &[
    Kind {
        judges: ALL,
        why: "octets or a header that no server sends are refused here before any signature (auth 1.5)",
        is: |question, theirs| theirs && Mail::parse(&question.mail).check_octets().is_err(),
    },
    Kind {
        judges: &[MailAuth],
        why: "mail-auth 0.13 keeps lines of white space at the end of a relaxed body (#62, auth 0.4)",
        is: |question, theirs| {
            !theirs && has_relaxed_body(question) && ends_in_blank_line(question)
        },
    },
    Kind {
        judges: &[Dkimpy],
        why: "dkimpy does not strip a last line without a line end in a relaxed body (auth 3.4)",
        is: |question, _| has_relaxed_body(question) && ends_in_blanks(question),
    },
    Kind {
        judges: &[OpenDkim],
        why: "its test mode passes mails on as a milter does: blanks in front of a value become one, lines get line ends, a lone dot ends the mail",
        is: |question, _| !is_fit_for_a_milter(question),
    },
];

fn parts(question: &Question) -> (&[u8], &[u8]) {
    let mail = &question.mail;
    let end = mail.windows(4).position(|four| four == b"\r\n\r\n");
    mail.split_at(end.map_or(mail.len(), |at| at + 4))
}

fn has_relaxed_body(question: &Question) -> bool {
    parts(question).0.windows(8).any(|word| word == b"/relaxed")
}

/// Behind its last line with text there is one of blanks.
fn ends_in_blank_line(question: &Question) -> bool {
    let (_, body) = parts(question);
    let text = body.iter().rposition(|byte| !b" \t\r\n".contains(byte));
    let behind = &body[text.map_or(0, |at| at + 1)..];
    let line = behind.iter().position(|&byte| byte == b'\n');
    let begin = if text.is_none() {
        Some(0)
    } else {
        line.map(|at| at + 1)
    };
    begin.is_some_and(|begin| behind[begin..].iter().any(|byte| b" \t".contains(byte)))
}

/// It ends in blanks, without a line end.
fn ends_in_blanks(question: &Question) -> bool {
    matches!(parts(question).1.last(), Some(b' ' | b'\t'))
}

pub(super) fn is_fit_for_a_milter(question: &Question) -> bool {
    let (header, body) = parts(question);
    let header = String::from_utf8_lossy(header);
    let fits = |line: &str| {
        let value = line.split_once(':').map_or("", |(_, value)| value);
        line.is_empty()
            || line.starts_with([' ', '\t'])
            || value.starts_with(' ') && value[1..].starts_with(|ch: char| !ch.is_whitespace())
    };
    header.split("\r\n").all(fits)
        && body.ends_with(b"\r\n")
        && !body.split(|&byte| byte == b'\n').any(|line| line == b".\r")
}
