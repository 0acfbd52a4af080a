//! HTTP CONNECT: asks a proxy for a connection.
//!
//! Knows the request and what the status of an answer means. Never reads a byte behind the answer: it is
//! the server's. Its data comes from the proxy, through httparse.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use zeroize::Zeroizing;

use super::{ProxyFault, ProxyLogin};
use crate::ingest::secret::joined;

/// The largest answer: a proxy adds a few fields, some of them long.
const MAX_ANSWER: usize = 16 * 1024;
/// The most fields of one.
const MAX_FIELDS: usize = 64;

/// Asks for a connection to `authority`. `silent`: the server says nothing before we do, so what stands
/// behind the answer is not the server's.
pub(super) async fn connect(
    mut stream: TcpStream,
    authority: &str,
    login: Option<&ProxyLogin>,
    silent: bool,
) -> Result<TcpStream, ProxyFault> {
    let request = request(authority, login)?;
    let sent = stream.write_all(request.as_bytes()).await;
    sent.map_err(|_| ProxyFault::Closed)?;
    let (status, more) = answer(&mut stream).await?;
    match status {
        200..=299 if silent && more => Err(ProxyFault::Injected),
        200..=299 => Ok(stream),
        // tinyproxy says 401 to a wrong password
        401 | 407 if login.is_some() => Err(ProxyFault::LoginRefused),
        401 | 407 => Err(ProxyFault::LoginNeeded),
        403 | 405 => Err(ProxyFault::Forbidden),
        // tinyproxy says 500 where others say 502 to 504
        500 | 502..=504 => Err(ProxyFault::CannotConnect),
        other => Err(ProxyFault::Status(other)),
    }
}

/// HTTP/1.1 as RFC 9110, 9.3.6 shows it.
fn request(authority: &str, login: Option<&ProxyLogin>) -> Result<Zeroizing<String>, ProxyFault> {
    let head = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n");
    let Some(ProxyLogin { user, password }) = login else {
        return Ok(Zeroizing::new(head + "\r\n"));
    };
    // RFC 7617, 2: the first colon ends the user, and control characters are out
    if user.contains(':')
        || [user, password.expose()]
            .iter()
            .any(|text| text.contains(char::is_control))
    {
        return Err(ProxyFault::LoginUnfit);
    }
    let pair = joined(&[user, ":", password.expose()]);
    let pair = Zeroizing::new(STANDARD.encode(pair.as_bytes()));
    Ok(joined(&[
        &head,
        "Proxy-Authorization: Basic ",
        &pair,
        "\r\n\r\n",
    ]))
}

/// The status of the answer, and whether there is more behind it already.
///
/// NOTE: what has come is looked at first and then taken up to the end of the answer, because nothing can be
/// put back.
async fn answer(stream: &mut TcpStream) -> Result<(u16, bool), ProxyFault> {
    let mut answer = Vec::new();
    let mut piece = [0; 1024];
    loop {
        let come = stream
            .peek(&mut piece)
            .await
            .map_err(|_| ProxyFault::Closed)?;
        if come == 0 {
            return Err(ProxyFault::Closed);
        }
        let before = answer.len();
        answer.extend_from_slice(&piece[..come]);
        let end = parsed(&answer)?;
        let ours = end.map_or(come, |(_, length)| length.saturating_sub(before).min(come));
        let taken = stream.read_exact(&mut piece[..ours]).await;
        taken.map_err(|_| ProxyFault::Closed)?;
        if let Some((status, _)) = end {
            return Ok((status, ours < come));
        }
        if answer.len() > MAX_ANSWER {
            return Err(ProxyFault::Protocol);
        }
    }
}

/// Status and length of an answer that has come whole.
fn parsed(bytes: &[u8]) -> Result<Option<(u16, usize)>, ProxyFault> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut answer = httparse::Response::new(&mut fields);
    match answer.parse(bytes) {
        Ok(httparse::Status::Partial) => Ok(None),
        Ok(httparse::Status::Complete(length)) => match answer.code {
            Some(status) => Ok(Some((status, length))),
            None => Err(ProxyFault::Protocol),
        },
        Err(_) => Err(ProxyFault::Protocol),
    }
}
