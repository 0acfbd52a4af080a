//! Salesforce's log-in, as far as a client sees it: one SOAP call over HTTP.
//!
//! Knows one username and its password with the token behind it. Never leaves this machine. The answers have
//! the shape of the SOAP API Developer Guide, `login()` and "API Faults".

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

/// A server; it ends with the test's process.
pub(super) struct Salesforce {
    pub(super) url: String,
}

impl Salesforce {
    /// Lets this user in, and nobody else.
    pub(super) fn start(username: &str, login: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let known = (username.to_owned(), login.to_owned());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = serve(stream, &known);
            }
        });
        Self { url }
    }
}

fn serve(mut stream: TcpStream, known: &(String, String)) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut line, mut length, mut first) = (String::new(), 0, true);
    let mut is_login = false;
    while reader.read_line(&mut line)? > 2 {
        is_login |= first && line.starts_with("POST /services/Soap/u/");
        first = false;
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let body = String::from_utf8_lossy(&body);
    let of = |name: &str| element(&body, name).unwrap_or_default();
    let (status, answer) = match is_login && (of("username"), of("password")) == *known {
        true => ("200 OK", LOGGED_IN),
        false => ("500 Internal Server Error", INVALID_LOGIN),
    };
    let size = answer.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/xml\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all((head + answer).as_bytes())
}

/// The text of the first element of a name, whatever its prefix.
fn element(xml: &str, name: &str) -> Option<String> {
    let rest = xml.split('<').find_map(|piece| {
        let (tag, text) = piece.split_once('>')?;
        let tag = tag.rsplit(':').next()?.trim();
        (tag == name).then_some(text)
    })?;
    Some(unescaped(rest))
}

fn unescaped(text: &str) -> String {
    let mut pieces = text.split('&');
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (entity, rest) = piece.split_once(';').expect("a bare & is no XML");
        plain.push(match entity {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            number => {
                let number = number.strip_prefix('#').unwrap();
                let code = match number.strip_prefix('x') {
                    Some(hex) => u32::from_str_radix(hex, 16),
                    None => number.parse(),
                };
                char::from_u32(code.unwrap()).unwrap()
            }
        });
        plain.push_str(rest);
    }
    plain
}

const LOGGED_IN: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope \
xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns=\"urn:partner.soap.sforce.com\">\
<soapenv:Body><loginResponse><result><passwordExpired>false</passwordExpired>\
<serverUrl>https://acme.my.salesforce.example/services/Soap/u/60.0/00Dxx0000000001</serverUrl>\
<sessionId>invented-session</sessionId><userId>005xx0000000001AAA</userId></result></loginResponse>\
</soapenv:Body></soapenv:Envelope>";

const INVALID_LOGIN: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope \
xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:sf=\"urn:fault.partner.soap.sforce.com\">\
<soapenv:Body><soapenv:Fault><faultcode>INVALID_LOGIN</faultcode><faultstring>INVALID_LOGIN: Invalid \
username, password, security token; or user locked out.</faultstring><detail><sf:LoginFault>\
<sf:exceptionCode>INVALID_LOGIN</sf:exceptionCode><sf:exceptionMessage>Invalid username, password, security \
token; or user locked out.</sf:exceptionMessage></sf:LoginFault></detail></soapenv:Fault></soapenv:Body>\
</soapenv:Envelope>";
