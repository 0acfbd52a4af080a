//! A scripted IMAP server: it says what its script says, whatever a real server would do.
//!
//! Knows lines, pauses and cuts. Never understands IMAP: the misfortune is in the script. Its data is a
//! text such as those in `fixtures/imap/*.session`.
//!
//! ```text
//! # a comment; lines that begin with `D:` are for whoever drives the client
//! login                          greeting, capabilities and AUTHENTICATE PLAIN, all well
//! examine                        EXAMINE "INBOX": UIDVALIDITY 1, UIDNEXT 6, 5 mails
//! C: $ UID SEARCH UID 6:*        a line from the client; `$` is its tag
//! C: $ UID FETCH ~               ... of which only the beginning matters
//! S: * SEARCH 6                  a line to the client
//! S: $ OK done                   `$` is the tag of the client's last line
//! S*150: * 1 EXPUNGE             150 times
//! S*9 2m: * OK still here        9 times, after a pause of two minutes each
//! R: {5}\r\na\x00b               bytes, with the escapes \r \n \\ \xNN, and no line end; also R*n
//! close                          cuts the connection
//! hang                           says nothing more, until the client goes
//! ```
//!
//! At its end a script waits for the client to go.

use std::time::Duration;

use tokio::io::{
    AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, DuplexStream,
};
use tokio::task::JoinHandle;

/// What `login` stands for.
const LOGIN: &str = "\
S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] ready
C: $ AUTHENTICATE PLAIN ~
S: $ OK [CAPABILITY IMAP4rev1 IDLE SPECIAL-USE] welcome";

/// What `examine` stands for.
const EXAMINE: &str = "\
C: $ EXAMINE \"INBOX\"
S: * FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)
S: * OK [PERMANENTFLAGS ()] read-only mailbox
S: * 5 EXISTS
S: * 0 RECENT
S: * OK [UIDVALIDITY 1] UIDs valid
S: * OK [UIDNEXT 6] predicted next UID
S: $ OK [READ-ONLY] opened";

/// What a server is to do, step by step.
#[derive(Clone, Debug)]
pub struct Script {
    steps: Vec<(usize, Step)>,
}

#[derive(Clone, Debug)]
enum Step {
    /// A line of the client; with `open`, only its beginning.
    Expect {
        line: String,
        open: bool,
    },
    /// Bytes to the client, so often, each time after a pause.
    Say {
        bytes: Vec<u8>,
        times: usize,
        pause: Duration,
    },
    Close,
    Hang,
}

/// What went otherwise than the script says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScriptError {
    /// A line of the script that means nothing.
    #[error("line {0} of the script is none of its forms")]
    Syntax(usize),
    /// The client said something else.
    #[error("line {at}: expected {expected:?}, the client said {said:?}")]
    Unexpected {
        /// The script's line.
        at: usize,
        /// What stands there.
        expected: String,
        /// What came.
        said: String,
    },
    /// The client went while the script was not at its end.
    #[error("line {0}: the client went")]
    Gone(usize),
}

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    /// [`ScriptError::Syntax`] for a line that is none of the forms above.
    pub fn parse(text: &str) -> Result<Self, ScriptError> {
        let mut steps = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let at = index + 1;
            let block = match line {
                "login" => LOGIN,
                "examine" => EXAMINE,
                line => line,
            };
            for line in block.lines().filter(|line| !is_comment(line)) {
                steps.push((at, step(line).ok_or(ScriptError::Syntax(at))?));
            }
        }
        Ok(Self { steps })
    }

    /// Starts the server on one end of a pipe; gives the other, and how it ended.
    ///
    /// Needs a tokio runtime. With paused time, pauses take none.
    #[must_use]
    pub fn serve(self) -> (DuplexStream, JoinHandle<Result<(), ScriptError>>) {
        // small, so that literals are cut into several reads
        let (client, server) = tokio::io::duplex(700);
        (client, tokio::spawn(async move { self.play(server).await }))
    }

    /// Plays the script over a stream.
    ///
    /// # Errors
    /// Whatever the client did that the script does not say.
    pub async fn play<S: AsyncRead + AsyncWrite + Unpin>(
        self,
        stream: S,
    ) -> Result<(), ScriptError> {
        let mut stream = BufReader::new(stream);
        let mut tag = String::new();
        for (at, step) in self.steps {
            match step {
                Step::Expect { line, open } => {
                    expect(&mut stream, at, &line, open, &mut tag).await?
                }
                Step::Say {
                    bytes,
                    times,
                    pause,
                } => {
                    say(&mut stream, &with_tag(&bytes, &tag), times, pause)
                        .await
                        .map_err(|_| ScriptError::Gone(at))?;
                }
                Step::Close => return Ok(()),
                Step::Hang => break,
            }
        }
        drain(&mut stream).await;
        Ok(())
    }
}

fn is_comment(line: &str) -> bool {
    line.trim().is_empty() || line.starts_with('#') || line.starts_with("D:")
}

fn step(line: &str) -> Option<Step> {
    match line {
        "close" => return Some(Step::Close),
        "hang" => return Some(Step::Hang),
        _ => {}
    }
    let (head, rest) = line.split_once(':')?;
    let rest = rest.strip_prefix(' ').unwrap_or(rest);
    if head == "C" {
        let open = rest.ends_with('~');
        return Some(Step::Expect {
            line: rest.trim_end_matches('~').to_owned(),
            open,
        });
    }
    let (form, pause) = match head.split_once(' ') {
        Some((form, pause)) => (form, duration(pause)?),
        None => (head, Duration::ZERO),
    };
    let (form, times) = match form.split_once('*') {
        Some((form, times)) => (form, times.parse().ok()?),
        None => (form, 1),
    };
    let bytes = match form {
        "S" => format!("{rest}\r\n").into_bytes(),
        "R" => unescape(rest)?,
        _ => return None,
    };
    Some(Step::Say {
        bytes,
        times,
        pause,
    })
}

/// `90s`, `2m`.
fn duration(text: &str) -> Option<Duration> {
    let seconds = |number: &str, unit: u64| {
        number
            .parse::<u64>()
            .ok()
            .map(|n| Duration::from_secs(n * unit))
    };
    match text.strip_suffix('m') {
        Some(minutes) => seconds(minutes, 60),
        None => seconds(text.strip_suffix('s')?, 1),
    }
}

fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        out.push(match chars.next()? {
            'r' => b'\r',
            'n' => b'\n',
            '\\' => b'\\',
            'x' => {
                u8::try_from(chars.next()?.to_digit(16)? * 16 + chars.next()?.to_digit(16)?).ok()?
            }
            _ => return None,
        });
    }
    Some(out)
}

/// `$` at the beginning is the tag.
fn with_tag(bytes: &[u8], tag: &str) -> Vec<u8> {
    match bytes.strip_prefix(b"$") {
        Some(rest) => [tag.as_bytes(), rest].concat(),
        None => bytes.to_vec(),
    }
}

async fn expect<S: AsyncRead + Unpin>(
    stream: &mut BufReader<S>,
    at: usize,
    line: &str,
    open: bool,
    tag: &mut String,
) -> Result<(), ScriptError> {
    let mut said = String::new();
    let read = stream.read_line(&mut said).await;
    if !matches!(read, Ok(count) if count > 0) {
        return Err(ScriptError::Gone(at));
    }
    let said = said.trim_end_matches(['\r', '\n']);
    let expected = match line.strip_prefix('$') {
        Some(rest) => {
            *tag = said.split(' ').next().unwrap_or_default().to_owned();
            format!("{tag}{rest}")
        }
        None => line.to_owned(),
    };
    let fits = if open {
        said.starts_with(&expected)
    } else {
        said == expected
    };
    if fits {
        Ok(())
    } else {
        Err(ScriptError::Unexpected {
            at,
            expected,
            said: said.to_owned(),
        })
    }
}

async fn say<S: AsyncWrite + AsyncRead + Unpin>(
    stream: &mut BufReader<S>,
    bytes: &[u8],
    times: usize,
    pause: Duration,
) -> std::io::Result<()> {
    for _ in 0..times {
        tokio::time::sleep(pause).await;
        stream.write_all(bytes).await?;
        stream.flush().await?;
    }
    Ok(())
}

/// Until the client goes.
async fn drain<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) {
    let mut sink = [0; 512];
    while matches!(stream.read(&mut sink).await, Ok(count) if count > 0) {}
}
