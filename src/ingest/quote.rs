//! Which lines of a text are the mail's own, and which it quotes or forwards.
//!
//! Knows `>`, the lines that mail programs put above a forwarded mail, and the header that Outlook
//! repeats there. Never knows labels that matter. Its lines come from plain text and from HTML alike.

use super::fold::folded;

/// Lines above a forwarded mail that have no dashes: Apple's, in its languages, and the ends of those
/// that other programs write (`On 1 April, … wrote:`).
const ABOVE: &[&str] = &[
    "begin forwarded message:",
    "anfang der weitergeleiteten nachricht:",
    "début du message réexpédié :",
    "début du message transféré :",
    "inicio del mensaje reenviado:",
    "início da mensagem encaminhada:",
    "início da mensagem reencaminhada:",
    "inizio messaggio inoltrato:",
    "begin doorgestuurd bericht:",
    "vidarebefordrat brev:",
    "videresendt meddelelse:",
    "start på videresendt besked:",
    "videresendt melding:",
    "välitetty viesti alkaa:",
    "начало переадресованного сообщения:",
    "początek przekazywanej wiadomości:",
    "začátek přeposílané zprávy:",
    "iletilen ileti başlangıcı:",
    "továbbított levél kezdete:",
    "転送されたメッセージ:",
    "开始转发的邮件:",
    "下面是被转发的邮件:",
    "開始轉寄郵件:",
    "전달된 메시지 시작:",
    "나의 전달된 메시지 시작:",
];
/// How a line above a quotation ends.
const ENDS: &[&str] = &[
    " wrote:",
    " schrieb:",
    " a écrit :",
    " a écrit:",
    " escribió:",
    " escreveu:",
    " ha scritto:",
    " schreef:",
    " skrev:",
    " kirjoitti:",
    " napisał:",
    " napisał(a):",
    " napsal:",
    " napsal(a):",
    " írta:",
    " пишет:",
    " написал:",
    " yazdı:",
    " のメール:",
    "のメッセージ:",
    " 写道:",
    " 寫道:",
    " 작성:",
];
/// What Outlook calls the sender in the header that it repeats.
const FROM: &[&str] = &[
    "from",
    "von",
    "de",
    "da",
    "van",
    "från",
    "fra",
    "lähettäjä",
    "od",
    "kimden",
    "gönderen",
    "feladó",
    "от",
    "від",
    "из",
    "από",
    "de la",
    "expeditor",
    "差出人",
    "发件人",
    "寄件者",
    "보낸 사람",
    "من",
    "מאת",
    "จาก",
    "từ",
    "dari",
];
/// What it calls the next line: when it was sent, or to whom.
const NEXT: &[&str] = &[
    "sent",
    "date",
    "to",
    "gesendet",
    "datum",
    "an",
    "envoyé",
    "à",
    "date",
    "enviado",
    "enviado el",
    "enviada em",
    "fecha",
    "data",
    "para",
    "inviato",
    "a",
    "verzonden",
    "aan",
    "skickat",
    "sendt",
    "lähetetty",
    "päivämäärä",
    "wysłano",
    "do",
    "odesláno",
    "odoslané",
    "komu",
    "gönderildi",
    "kime",
    "tarih",
    "elküldve",
    "címzett",
    "отправлено",
    "дата",
    "кому",
    "надіслано",
    "στάλθηκε",
    "ημερομηνία",
    "trimis",
    "送信日時",
    "日付",
    "宛先",
    "发送时间",
    "日期",
    "收件人",
    "寄件日期",
    "傳送日期",
    "收件者",
    "보낸 날짜",
    "날짜",
    "تاريخ الإرسال",
    "נשלח",
    "ส่ง",
    "đã gửi",
    "dikirim",
    "til",
    "subject",
    "betreff",
    "objet",
];

/// Reads lines in order, and tells of each whether it is the mail's own.
#[derive(Debug, Default)]
pub(super) struct Quotes {
    /// From here on everything is forwarded.
    pub(super) begun: bool,
    /// The last line named a sender.
    named_sender: bool,
}

impl Quotes {
    /// Whether the next line is the mail's own.
    pub(super) fn is_own(&mut self, line: &str) -> bool {
        let line = line.trim();
        if line.is_empty() {
            return !self.begun;
        }
        self.begun |= is_forward_mark(line) || (self.named_sender && is_labelled(line, NEXT));
        self.named_sender = is_labelled(line, FROM);
        !self.begun && !line.starts_with('>')
    }
}

/// `-----Original Message-----`, `---------- Forwarded message ---------` in any language, and what
/// other programs write there.
fn is_forward_mark(line: &str) -> bool {
    if line.starts_with('-') {
        let dashes = line.len() - line.trim_start_matches('-').len();
        let between = line.trim_matches('-').trim();
        return dashes >= 4 && line.ends_with("---") && between.chars().any(char::is_alphabetic);
    }
    if !line.ends_with([':', '：']) {
        return false;
    }
    let line = folded(line);
    ABOVE.contains(&line.as_str()) || ENDS.iter().any(|end| line.ends_with(end))
}

/// Whether the line's label is one of these.
fn is_labelled(line: &str, labels: &[&str]) -> bool {
    let Some((label, _)) = line.split_once([':', '：']) else {
        return false;
    };
    // The longest of them has fewer letters.
    label.len() <= 64 && labels.contains(&folded(label).trim_matches('*'))
}

#[cfg(test)]
#[path = "quote_tests.rs"]
mod tests;
