//! SOAP's `login()` and `logout()`, from the other side.
//!
//! Knows the answers of the partner WSDL as its guide shows them. Never judges: that is the world's. Its data comes from
//! a client that may write its XML as it likes.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use quick_xml::Reader;
use quick_xml::escape::{escape, resolve_predefined_entity};
use quick_xml::events::Event;

use super::Fault;
use super::http::{Reply, Request};
use super::world::{Denied, User, World};

const XML: &str = "text/xml; charset=UTF-8";
/// The versions that have `login()`.
const VERSIONS: std::ops::RangeInclusive<u32> = 31..=64;
const INVALID_LOGIN: &str = "Invalid username, password, security token; or user locked out.";
const NEW_LOCATION: &str = "Invalid username, password, security token; or user locked out. Are you at a new location? \
When accessing Salesforce--either via a desktop client or the API--from outside of your company's trusted networks, you must \
add a security token to your password to log in.";

pub(super) fn reply(
    request: &Request,
    world: &mut World,
    address: SocketAddr,
) -> (Duration, Reply) {
    let now = |reply| (Duration::ZERO, reply);
    let Some(elements) = elements(&request.body) else {
        return now(fault(
            "soapenv:Client",
            "XML_PARSER_ERROR",
            "not well formed",
        ));
    };
    let of = |name: &str| elements.get(name).map(String::as_str);
    if let Some(session) = of("sessionId") {
        return now(log_out(world, session));
    }
    let (Some(username), Some(login)) = (of("username"), of("password")) else {
        return now(fault(
            "MISSING_ARGUMENT",
            "MISSING_ARGUMENT",
            "no username or password",
        ));
    };
    let version = request.path.rsplit('/').next().unwrap_or_default();
    match world.fault(username) {
        Some(Fault::Slow(pause)) => (
            pause,
            log_in(world, address, version, username, login, false),
        ),
        Some(Fault::PasswordExpired) => now(log_in(world, address, version, username, login, true)),
        Some(failing) => {
            let own = failing
                .soap()
                .map(|(code, message)| fault(code, code, message));
            let other = own.or_else(|| Reply::failing(&failing));
            now(other.unwrap_or(Reply::Cut))
        }
        None => now(log_in(world, address, version, username, login, false)),
    }
}

fn log_in(
    world: &mut World,
    address: SocketAddr,
    version: &str,
    username: &str,
    login: &str,
    expired: bool,
) -> Reply {
    let number = version.split('.').next().and_then(|text| text.parse().ok());
    match number {
        Some(number) if VERSIONS.contains(&number) => {}
        Some(number) if number > *VERSIONS.end() => {
            let message = "No operation available for request {urn:partner.soap.sforce.com}login, please check the WSDL for the service.";
            return plain_fault("soapenv:Client", message);
        }
        _ => {
            let code = "UNSUPPORTED_API_VERSION";
            return fault(code, code, "Invalid Api version specified on URL");
        }
    }
    match world.judge(username, login) {
        Err(Denied::Wrong) => fault("INVALID_LOGIN", "INVALID_LOGIN", INVALID_LOGIN),
        Err(Denied::NoToken) => {
            let code = "LOGIN_MUST_USE_SECURITY_TOKEN";
            fault(code, code, NEW_LOCATION)
        }
        Ok(user) => {
            let session = world.new_session(username);
            let instance = world.instance.clone();
            let instance = instance.unwrap_or_else(|| format!("http://{address}"));
            let organization = &world.organization;
            let server = format!(
                "{instance}/services/Soap/u/{version}/{}",
                &organization[..15]
            );
            let result = result(&user, username, &session, &server, organization, expired);
            Reply::page(200, XML, result)
        }
    }
}

fn log_out(world: &mut World, session: &str) -> Reply {
    if world.sessions.remove(session).is_none() {
        let code = "INVALID_SESSION_ID";
        return fault(
            code,
            code,
            "Invalid Session ID found in SessionHeader: Illegal Session",
        );
    }
    Reply::page(
        200,
        XML,
        enveloped(
            " xmlns=\"urn:partner.soap.sforce.com\"",
            "<logoutResponse/>",
        ),
    )
}

fn enveloped(namespaces: &str, body: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope \
         xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\"{namespaces}><soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
    )
}

fn result(
    user: &User,
    username: &str,
    session: &str,
    server: &str,
    organization: &str,
    expired: bool,
) -> String {
    let (name, id) = (escape(username), &user.id);
    let namespaces = " xmlns=\"urn:partner.soap.sforce.com\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"";
    let metadata = server.replace("/Soap/u/", "/Soap/m/");
    enveloped(
        namespaces,
        &format!(
            "<loginResponse><result><metadataServerUrl>{metadata}</metadataServerUrl><passwordExpired>{expired}</passwordExpired>\
             <sandbox>false</sandbox><serverUrl>{server}</serverUrl><sessionId>{session}</sessionId><userId>{id}</userId><userInfo>\
             <accessibilityMode>false</accessibilityMode><currencySymbol xsi:nil=\"true\"/>\
             <organizationId>{organization}</organizationId><organizationMultiCurrency>false</organizationMultiCurrency>\
             <organizationName>Acme &amp; Sons</organizationName><profileId>00e5e000000AbCdAAK</profileId><roleId xsi:nil=\"true\"/>\
             <sessionSecondsValid>7200</sessionSecondsValid><userEmail>{name}</userEmail><userFullName>Integration</userFullName>\
             <userId>{id}</userId><userLanguage>en_US</userLanguage><userLocale>en_US</userLocale><userName>{name}</userName>\
             <userTimeZone>Europe/Berlin</userTimeZone><userType>Standard</userType></userInfo></result></loginResponse>"
        ),
    )
}

/// A fault of the API, with HTTP 500 as SOAP 1.1 wants it.
fn fault(faultcode: &str, code: &str, message: &str) -> Reply {
    let message = escape(message);
    let body = format!(
        "<soapenv:Fault><faultcode>{faultcode}</faultcode><faultstring>{code}: {message}</faultstring><detail>\
         <sf:LoginFault xsi:type=\"sf:LoginFault\"><sf:exceptionCode>{code}</sf:exceptionCode>\
         <sf:exceptionMessage>{message}</sf:exceptionMessage></sf:LoginFault></detail></soapenv:Fault>"
    );
    let namespaces = " xmlns:sf=\"urn:fault.partner.soap.sforce.com\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"";
    Reply::page(500, XML, enveloped(namespaces, &body))
}

/// One of SOAP's own, without a detail.
fn plain_fault(faultcode: &str, message: &str) -> Reply {
    let message = escape(message);
    let body = format!(
        "<soapenv:Fault><faultcode>{faultcode}</faultcode><faultstring>{message}</faultstring></soapenv:Fault>"
    );
    Reply::page(500, XML, enveloped("", &body))
}

/// The text of every element, by its local name; the last one of a name counts.
fn elements(xml: &str) -> Option<BTreeMap<String, String>> {
    let mut reader = Reader::from_str(xml);
    let (mut found, mut text, mut depth) = (BTreeMap::new(), String::new(), 0_usize);
    loop {
        match reader.read_event().ok()? {
            Event::Start(_) => {
                depth += 1;
                text.clear();
            }
            Event::End(end) => {
                depth = depth.checked_sub(1)?;
                let name = end.local_name().into_inner().to_owned();
                found.insert(name, std::mem::take(&mut text));
            }
            Event::Text(more) => text.push_str(&more.xml10_content()),
            Event::CData(more) => text.push_str(&more.xml10_content()),
            Event::GeneralRef(reference) => match reference.resolve_char_ref().ok()? {
                Some(letter) => text.push(letter),
                None => text.push_str(resolve_predefined_entity(&reference)?),
            },
            Event::DocType(_) => return None,
            Event::Eof => return (depth == 0).then_some(found),
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
}
