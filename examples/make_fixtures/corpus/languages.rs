//! The mail in every language, and in every charset that mails of a language use.

use sftoken::testing::fixture::{Encoding, LANGUAGES, Structure};

use super::Case;
use super::salesforce::{case, localised};

pub(super) fn cases() -> Vec<Case> {
    [languages(), charsets()].concat()
}

/// Every language in UTF-8; encodings and structures take turns.
fn languages() -> Vec<Case> {
    let encodings = [
        Encoding::QuotedPrintable,
        Encoding::Base64,
        Encoding::EightBit,
        Encoding::SoftBreak,
    ];
    let structures = [Structure::Text, Structure::Html, Structure::Alternative];
    let mut cases = Vec::new();
    for (turn, language) in LANGUAGES.iter().enumerate().skip(1) {
        let why = if language.attested {
            "mail 1.2; the subject is invented"
        } else {
            "invented text (mail 1.4)"
        };
        cases.push(case(&format!("language-{}", language.code), why, |mail| {
            mail.language = *language;
            mail.encoding = encodings[turn % encodings.len()];
            mail.structure = structures[turn % structures.len()];
        }));
    }
    cases
}

fn in_charset(code: &str, charset: &str, encoding: Encoding, structure: Structure) -> Case {
    let why = "the charset is one that mail in this language uses; nobody saw which one Salesforce takes (mail 1.5)";
    case(
        &format!("charset-{}-{code}", charset.to_ascii_lowercase()),
        why,
        |mail| {
            localised(mail, code);
            mail.charset = charset.into();
            mail.encoding = encoding;
            mail.structure = structure;
        },
    )
}

fn charsets() -> Vec<Case> {
    use Encoding::{Base64, EightBit, QuotedPrintable, SevenBit, SoftBreak};
    use Structure::{Alternative, Html, Text};
    vec![
        in_charset("en", "US-ASCII", SevenBit, Text),
        in_charset("en", "ISO-8859-1", SoftBreak, Text),
        in_charset("ja", "ISO-2022-JP", SevenBit, Text),
        in_charset("ja", "ISO-2022-JP", SevenBit, Html).renamed("charset-iso-2022-jp-ja-html"),
        in_charset("ja", "Shift_JIS", Base64, Text),
        in_charset("ja", "EUC-JP", EightBit, Text),
        in_charset("zh-CN", "GB18030", Base64, Alternative),
        in_charset("zh-CN", "GB2312", EightBit, Text),
        in_charset("zh-TW", "Big5", QuotedPrintable, Text),
        in_charset("ko", "EUC-KR", SoftBreak, Text),
        in_charset("ko", "ks_c_5601-1987", Base64, Html),
        in_charset("ru", "KOI8-R", EightBit, Text),
        in_charset("ru", "windows-1251", QuotedPrintable, Alternative),
        in_charset("uk", "KOI8-U", Base64, Text),
        in_charset("bg", "windows-1251", Base64, Html),
        in_charset("de", "ISO-8859-1", QuotedPrintable, Text),
        in_charset("de", "ISO-8859-15", EightBit, Text),
        in_charset("fr", "windows-1252", SoftBreak, Html),
        in_charset("pl", "ISO-8859-2", QuotedPrintable, Text),
        in_charset("cs", "windows-1250", Base64, Text),
        in_charset("tr", "ISO-8859-9", QuotedPrintable, Text),
        in_charset("tr", "windows-1254", EightBit, Alternative),
        in_charset("el", "ISO-8859-7", Base64, Text),
        in_charset("el", "windows-1253", QuotedPrintable, Html),
        in_charset("ar", "windows-1256", Base64, Text),
        in_charset("he", "windows-1255", Base64, Text),
        in_charset("th", "TIS-620", Base64, Text),
        in_charset("no", "ISO-8859-1", EightBit, Html),
    ]
}
