//! `login()` and `logout()` of the SOAP API.
//!
//! Knows the two requests of the partner WSDL, and the answers that its guide shows. Never leaves a copy of the password behind:
//! a request is written into memory that never grows. Its data comes from Salesforce, or whoever answers in its place.
//!
//! Shapes: SOAP API Developer Guide, `login()`, `logout()`, `LoginResult`, "API Faults"; faults as simple-salesforce and jsforce
//! test for them.

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesRef, BytesStart, BytesText, Event};
use url::Url;
use zeroize::Zeroizing;

use super::doubt::{of_status, unanswered};
use super::refusal::of_soap;
use super::xml::{Answer, PARTNER, SOAP, may_stand, read};
use super::{Cause, Failed, Http, LogIn, LoggedIn, Session, plain_code};
use crate::http::{Request, Response};
use crate::ingest::secret::Secret;
use crate::ingest::token::Token;

/// An answer of login() has some 3 KB.
const MAX_ANSWER: u64 = 64 * 1024;
/// The elements around the texts, and more.
const ENVELOPE: usize = 512;
/// The longest form of one letter: `&#13;`
const LONGEST: usize = 5;

const KIND: &str = "text/xml; charset=UTF-8";

/// Asks, once.
pub(super) fn log_in(
    to: &LogIn,
    version: &str,
    username: &str,
    password: &Secret,
    token: &Token,
) -> Result<Session, Failed> {
    let secrets = [password.expose(), token.expose()];
    let body = request(username, secrets).ok_or(Failed::Unknown(Cause::Unsendable, false))?;
    let url = format!("{}/services/Soap/u/{version}", to.endpoint);
    let response = send(&to.http, &url, "login", &body)
        .map_err(|(cause, sent)| Failed::Unknown(cause, sent))?;
    judged(&response, secrets)
}

/// Ends a session. The clause is for the log.
pub(super) fn log_out(http: &Http, url: &str, session: &Secret) -> Result<(), String> {
    if !Url::parse(url).is_ok_and(|url| url.path().starts_with("/services/Soap/u/")) {
        return Err("its address is none of the SOAP API".to_owned());
    }
    let body = ending(session.expose()).ok_or("it cannot be sent")?;
    let http = http.within(super::TIME_TO_END);
    let response = send(&http, url, "logout", &body).map_err(|(cause, _)| cause.to_string())?;
    match response.status {
        200 => Ok(()),
        status => Err(format!("HTTP {status}")),
    }
}

fn send(http: &Http, url: &str, action: &str, body: &[u8]) -> Result<Response, (Cause, bool)> {
    let request = Request {
        method: "POST",
        url,
        headers: &[("SOAPAction", action), ("Accept", "text/xml")],
        body: Some((KIND, body)),
        limit: MAX_ANSWER,
    };
    http.send(&request).map_err(|error| unanswered(&error))
}

fn judged(response: &Response, secrets: [&str; 2]) -> Result<Session, Failed> {
    let unknown = |cause| Err(Failed::Unknown(cause, true));
    let Ok(answer) = read(&response.body) else {
        return unknown(of_status(response.status));
    };
    // A fault comes with 500, and so does an outage; with 200, some proxies pass it on.
    if let Some(code) = code(&answer, secrets) {
        let message = answer.text("Fault/detail/*/exceptionMessage");
        let message = message.or(answer.text("Fault/faultstring"));
        return Err(of_soap(&code, message.unwrap_or_default()));
    }
    match response.status {
        200 => session(&answer).map_or_else(|| unknown(Cause::Unreadable), Ok),
        status => unknown(of_status(status)),
    }
}

/// The code of a fault: the exception's, else the last part of SOAP's own.
fn code(answer: &Answer, secrets: [&str; 2]) -> Option<String> {
    let exception = answer.text("Fault/detail/*/exceptionCode");
    let code = exception.or(answer.text("Fault/faultcode"))?;
    let code = code.rsplit(':').next().unwrap_or_default();
    Some(plain_code(code, secrets))
}

fn session(answer: &Answer) -> Option<Session> {
    let expired = answer.text("result/passwordExpired") == Some("true");
    let id = answer.text("result/sessionId").unwrap_or_default();
    let user = answer.text("result/userId").and_then(super::id);
    if user.is_none() || (id.is_empty() && !expired) {
        return None;
    }
    let url = answer.text("result/serverUrl");
    Some(Session {
        about: LoggedIn {
            organization_id: answer.text("userInfo/organizationId").and_then(super::id),
            user_id: user,
            server_host: url.and_then(super::host),
        },
        secret: Secret::new(id.to_owned()),
        url: url.map(str::to_owned),
        password_expired: expired,
    })
}

/// The envelope of login(); `None` if one of the texts holds what XML cannot carry. The password is the texts of `login`, one
/// behind the other.
pub(super) fn request(username: &str, login: [&str; 2]) -> Option<Zeroizing<Vec<u8>>> {
    let [password, token] = login;
    enveloped(&[username, password, token], |out| {
        out.open("soapenv:Body", &[])?;
        out.open("login", &[("xmlns", PARTNER)])?;
        out.element("username", &[username])?;
        out.element("password", &login)?;
        out.close(&["login", "soapenv:Body"])
    })
}

/// The envelope of logout().
fn ending(session: &str) -> Option<Zeroizing<Vec<u8>>> {
    enveloped(&[session], |out| {
        out.open("soapenv:Header", &[])?;
        out.open("SessionHeader", &[("xmlns", PARTNER)])?;
        out.element("sessionId", &[session])?;
        out.close(&["SessionHeader", "soapenv:Header"])?;
        out.open("soapenv:Body", &[])?;
        out.open("logout", &[("xmlns", PARTNER)])?;
        out.close(&["logout", "soapenv:Body"])
    })
}

fn enveloped(
    texts: &[&str],
    fill: impl FnOnce(&mut Envelope<'_>) -> std::io::Result<()>,
) -> Option<Zeroizing<Vec<u8>>> {
    if texts.iter().any(|text| !text.chars().all(may_stand)) {
        return None;
    }
    let room = texts.iter().map(|text| LONGEST * text.len()).sum::<usize>() + ENVELOPE;
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    let mut out = Envelope(Writer::new(&mut *bytes));
    let written = out.whole(fill);
    written.is_ok().then_some(bytes)
}

/// An envelope that is being written.
struct Envelope<'b>(Writer<&'b mut Vec<u8>>);

impl Envelope<'_> {
    fn whole(
        &mut self,
        fill: impl FnOnce(&mut Self) -> std::io::Result<()>,
    ) -> std::io::Result<()> {
        let declaration = BytesDecl::new("1.0", Some("UTF-8"), None);
        self.0.write_event(Event::Decl(declaration))?;
        self.open("soapenv:Envelope", &[("xmlns:soapenv", SOAP)])?;
        fill(self)?;
        self.close(&["soapenv:Envelope"])
    }

    fn open(&mut self, name: &str, attributes: &[(&str, &str)]) -> std::io::Result<()> {
        let start = BytesStart::new(name).with_attributes(attributes.iter().copied());
        self.0.write_event(Event::Start(start))
    }

    fn close(&mut self, names: &[&str]) -> std::io::Result<()> {
        let mut names = names.iter();
        names.try_for_each(|name| self.0.write_event(Event::End(BytesEnd::new(*name))))
    }

    fn element(&mut self, name: &str, texts: &[&str]) -> std::io::Result<()> {
        self.open(name, &[])?;
        texts.iter().try_for_each(|text| self.text(text))?;
        self.close(&[name])
    }

    /// NOTE: not by the library's own escaping, which leaves a copy of the text behind: piece by piece, with a reference for each
    /// letter that needs one. A lone CR would reach the other side as a line feed (XML 1.0, 2.11).
    fn text(&mut self, text: &str) -> std::io::Result<()> {
        for piece in text.split_inclusive(['<', '>', '&', '\r']) {
            let (plain, reference) = match piece.char_indices().next_back() {
                Some((at, '<')) => (&piece[..at], "lt"),
                Some((at, '>')) => (&piece[..at], "gt"),
                Some((at, '&')) => (&piece[..at], "amp"),
                Some((at, '\r')) => (&piece[..at], "#13"),
                _ => (piece, ""),
            };
            self.0
                .write_event(Event::Text(BytesText::from_escaped(plain)))?;
            if !reference.is_empty() {
                self.0
                    .write_event(Event::GeneralRef(BytesRef::new(reference)))?;
            }
        }
        Ok(())
    }
}
