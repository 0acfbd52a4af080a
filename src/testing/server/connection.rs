//! One connection: greeting, commands, answers, and what befalls them.
//!
//! Knows the order of lines, and how an answer is cut, delayed or withheld. Never knows what a command
//! means: the [`Talk`] does. Its data comes from a stream.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep, sleep_until};

use super::command::Command;
use super::faults::Fault;
use super::out::Out;
use super::pipe::{Over, Pipe};
use super::shared::{News, Shared};
use super::talk::{Tagged, Talk};
use super::words::announces;

/// The largest literal of a client.
const MAX_LITERAL: usize = 32 * 1024 * 1024;

/// One connection.
struct Connection<S> {
    shared: Arc<Shared>,
    pipe: Pipe<S>,
    talk: Talk,
    known: News,
}

/// Serves one client until it goes, or is sent away.
pub(super) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(shared: Arc<Shared>, stream: S) {
    let known = shared.news();
    let mut connection = Connection {
        pipe: Pipe::new(stream),
        talk: Talk::new(Arc::clone(&shared)),
        shared,
        known,
    };
    let Err(Over) = connection.run().await;
}

/// Nothing comes back from a connection but its end.
enum Never {}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    async fn run(&mut self) -> Result<Never, Over> {
        let fault = self.shared.greeted();
        let greeting = format!("* OK {}ready", self.talk.capability_code());
        self.deliver(Out::default(), greeting, fault).await?;
        loop {
            tokio::select! {
                // biased: the order of events is the same each time
                biased;
                line = self.pipe.line() => self.obey(line?).await?,
                _ = self.shared.news_after(&self.known) => {
                    self.learn().await?;
                    if let Some(here) = self.talk.notified() {
                        self.push(here).await?;
                    }
                }
            }
        }
    }

    async fn obey(&mut self, line: Vec<u8>) -> Result<(), Over> {
        let raw = self.whole(line).await?;
        let command = match Command::read(&raw) {
            Ok(command) => command,
            Err(tag) => return self.say_line(format!("{tag} BAD no such syntax")).await,
        };
        let line = self.talk.in_short(&command);
        let fault = self.shared.commanded(&command.name, line);
        let mut out = Out::default();
        if self.suffers(&command.tag, &fault, &mut out).await? {
            return Ok(());
        }
        self.unless_rebuilt(self.talk.is_sound()).await?;
        if command.name == "IDLE" && self.talk.may_idle().is_ok() {
            return self.idle(&command.tag, out, fault).await;
        }
        let tagged = self.perform(&command, &mut out).await?;
        if self.talk.breaks {
            self.pipe.say(out.bytes()).await?;
            return Err(Over);
        }
        let tagged = tagged_line(&command.tag, tagged);
        // sequence numbers must not change under these (RFC 3501, 7.4.1)
        if command.uid || !matches!(command.name.as_str(), "FETCH" | "STORE" | "SEARCH") {
            return self.conclude(out, tagged, fault).await;
        }
        self.deliver(out, tagged, fault).await
    }

    /// What keeps a command from being obeyed, or comes before its answer; true when that was the answer.
    async fn suffers(
        &mut self,
        tag: &str,
        fault: &Option<Fault>,
        out: &mut Out,
    ) -> Result<bool, Over> {
        match fault {
            Some(Fault::Refuse(text)) => {
                self.say_line(format!("{tag} {text}")).await?;
                Ok(true)
            }
            Some(Fault::Bye(text)) => self.bye(text).await.map(|()| true),
            Some(Fault::Say(lines)) => {
                lines.iter().for_each(|line| out.line(line));
                Ok(false)
            }
            _ => Ok(false),
        }
    }

    /// The literals of a command, and what follows them.
    async fn whole(&mut self, line: Vec<u8>) -> Result<Vec<u8>, Over> {
        let mut raw = line;
        let mut begin = 0;
        while let Some((size, waits)) = announces(raw.get(begin..).unwrap_or_default()) {
            let refused = size > MAX_LITERAL || !waits && !self.talk.has("LITERAL+");
            if refused {
                self.say_line("* BYE such a literal is not taken").await?;
                return Err(Over);
            }
            if waits {
                self.say_line("+ go on").await?;
            }
            raw.extend_from_slice(b"\r\n");
            self.pipe.literal(size, &mut raw).await?;
            begin = raw.len();
            raw.extend(self.pipe.line().await?);
        }
        Ok(raw)
    }

    async fn perform(&mut self, command: &Command, out: &mut Out) -> Result<Tagged, Over> {
        match command.name.as_str() {
            "LOGOUT" => {
                out.line("* BYE see you");
                out.line(format!("{} OK done", command.tag));
                self.pipe.say(out.bytes()).await?;
                Err(Over)
            }
            "AUTHENTICATE" => self.authenticate(command).await,
            _ => Ok(self.talk.run(command, out)),
        }
    }

    /// SASL PLAIN, with or without an initial response.
    async fn authenticate(&mut self, command: &Command) -> Result<Tagged, Over> {
        if let Err(refusal) = self.talk.may_authenticate(command) {
            return Ok(Err(refusal));
        }
        let response = match command.args.get(1).and_then(|word| word.text()) {
            Some(initial) => initial.as_bytes().to_vec(),
            None => {
                self.say_line("+ ").await?;
                self.pipe.line().await?
            }
        };
        let decoded = STANDARD.decode(&response).unwrap_or_default();
        Ok(self.talk.plain(&decoded))
    }

    /// IDLE, with its `+`, up to its tagged line. What befalls the latter is the fault of `DONE`.
    async fn idle(&mut self, tag: &str, before: Out, fault: Option<Fault>) -> Result<(), Over> {
        self.pipe.say(before.bytes()).await?;
        let ended = self.idling(fault).await?;
        let fault = self.shared.commanded("DONE", "DONE".to_owned());
        let mut out = Out::default();
        if self.suffers(tag, &fault, &mut out).await? {
            return Ok(());
        }
        self.conclude(out, tagged_line(tag, ended), fault).await
    }

    async fn idling(&mut self, fault: Option<Fault>) -> Result<Tagged, Over> {
        let (keepalive, early, deaf, mut fate) = {
            let mut world = self.shared.world();
            let fate = world.faults.in_idle();
            let quirks = &world.quirks;
            let habits = (
                quirks.keepalive,
                quirks.exists_before_plus,
                quirks.deaf_after,
            );
            (habits.0, habits.1, habits.2, fate)
        };
        if early {
            self.push(true).await?;
        }
        self.deliver(Out::default(), "+ idling".to_owned(), fault)
            .await?;
        let begun = Instant::now();
        let mut alive = begun;
        loop {
            if deaf.is_none_or(|after| begun.elapsed() < after) {
                self.push(true).await?;
            }
            let end = fate.as_ref().map(|(after, _)| begun + *after);
            tokio::select! {
                biased;
                line = self.pipe.line() => return Ok(done(&line?)),
                _ = self.shared.news_after(&self.known) => self.learn().await?,
                () = until(keepalive.map(|pause| alive + pause)) => {
                    self.say_line("* OK Still here").await?;
                    alive = Instant::now();
                }
                () = until(end) => if let Some((_, fault)) = fate.take()
                    && let Some(ended) = self.suffer(fault).await? {
                    return Ok(Err(ended));
                }
            }
        }
    }

    /// What befalls an IDLE; `Some` when it ends the IDLE alone.
    async fn suffer(&mut self, fault: Fault) -> Result<Option<String>, Over> {
        self.shared.world().counts.faults += 1;
        match fault {
            Fault::Cut | Fault::CutAfter(_) => Err(Over),
            Fault::Silence => Err(self.pipe.drain().await),
            Fault::Bye(text) => self.bye(&text).await.map(|()| None),
            Fault::Refuse(text) => Ok(Some(text)),
            Fault::Slow(pause) => {
                sleep(pause).await;
                Ok(None)
            }
            Fault::Say(lines) => {
                let mut out = Out::default();
                lines.iter().for_each(|line| out.line(line));
                self.pipe.say(out.bytes()).await.map(|()| None)
            }
        }
    }

    /// Looks at the news; some are the end.
    async fn learn(&mut self) -> Result<(), Over> {
        let news = self.shared.news();
        let before = std::mem::replace(&mut self.known, news.clone());
        if news.cuts != before.cuts {
            return Err(Over);
        }
        if news.silences != before.silences {
            return Err(self.pipe.drain().await);
        }
        if news.farewells != before.farewells {
            return self.bye(&news.farewell).await;
        }
        if news.overflows != before.overflows && self.talk.notified().is_some() {
            self.talk.notify_none();
            self.say_line("* OK [NOTIFICATIONOVERFLOW] too much to tell")
                .await?;
        }
        Ok(())
    }

    /// Tells what is new, if anything is; `here` in the open folder too.
    async fn push(&mut self, here: bool) -> Result<(), Over> {
        let mut out = Out::default();
        let sound = self.talk.tell(here, &mut out);
        self.pipe.say(out.bytes()).await?;
        self.unless_rebuilt(sound).await
    }

    async fn unless_rebuilt(&mut self, sound: bool) -> Result<(), Over> {
        if sound {
            return Ok(());
        }
        // as Dovecot does when UIDVALIDITY changes under an open folder
        self.bye("The mailbox was rebuilt, open it again.").await
    }

    /// The answer with what is new before its tagged line.
    async fn conclude(
        &mut self,
        mut out: Out,
        tagged: String,
        fault: Option<Fault>,
    ) -> Result<(), Over> {
        let Some(Fault::Slow(pause)) = fault else {
            let sound = self.talk.tell(true, &mut out);
            if sound {
                return self.deliver(out, tagged, fault).await;
            }
            return self.unless_rebuilt(sound).await;
        };
        sleep(pause).await;
        self.pipe.say(out.bytes()).await?;
        sleep(pause).await;
        self.push(true).await?;
        self.say_line(tagged).await
    }

    /// The answer, as the fault wants it.
    async fn deliver(
        &mut self,
        mut out: Out,
        tagged: String,
        fault: Option<Fault>,
    ) -> Result<(), Over> {
        out.line(tagged);
        let whole = out.bytes().len();
        let cut = match fault {
            Some(Fault::Silence) => return Err(self.pipe.drain().await),
            Some(Fault::Bye(text)) => return self.bye(&text).await,
            Some(Fault::Cut) => {
                let length = u64::try_from(whole).unwrap_or_default();
                usize::try_from(self.shared.world().faults.dice.below(length)).unwrap_or_default()
            }
            Some(Fault::CutAfter(bytes)) => bytes.min(whole),
            Some(Fault::Slow(pause)) => {
                sleep(pause).await;
                return self.pipe.say(out.bytes()).await;
            }
            _ => return self.pipe.say(out.bytes()).await,
        };
        self.pipe
            .say(out.bytes().get(..cut).unwrap_or_default())
            .await?;
        Err(Over)
    }

    async fn bye(&mut self, text: &str) -> Result<(), Over> {
        self.say_line(format!("* BYE {text}")).await?;
        Err(Over)
    }

    async fn say_line(&mut self, line: impl AsRef<str>) -> Result<(), Over> {
        let mut out = Out::default();
        out.line(line);
        self.pipe.say(out.bytes()).await
    }
}

fn tagged_line(tag: &str, tagged: Tagged) -> String {
    match tagged {
        Ok(text) => format!("{tag} OK {text}"),
        Err(refusal) => format!("{tag} {refusal}"),
    }
}

fn done(line: &[u8]) -> Tagged {
    if line.eq_ignore_ascii_case(b"DONE") {
        Ok("done".to_owned())
    } else {
        Err("BAD nothing but DONE ends IDLE".to_owned())
    }
}

/// At that time, or never.
async fn until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}
