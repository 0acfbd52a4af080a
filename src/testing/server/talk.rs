//! What a client has reached on its connection, and what it may ask for.
//!
//! Knows who is logged in, which folder is open, and which command needs which capability. Never waits.
//! Its data comes from commands; the answers are in `folders`, `mails`, `search`, `change`, `notify`.

use std::sync::Arc;

use super::command::Command;
use super::notify::Interest;
use super::out::Out;
use super::shared::Shared;
use super::view::View;
use super::words::Word;

/// What stands behind the tag: the text behind `OK`, or a whole refusal.
pub(super) type Tagged = Result<String, String>;

pub(super) fn done() -> Tagged {
    Ok("done".to_owned())
}

pub(super) fn bad(text: &str) -> String {
    format!("BAD {text}")
}

pub(super) fn no(text: &str) -> String {
    format!("NO {text}")
}

/// One client.
pub(super) struct Talk {
    pub(super) shared: Arc<Shared>,
    user: Option<String>,
    pub(super) view: Option<View>,
    pub(super) interest: Option<Interest>,
    /// The client has asked for CONDSTORE: it is told mod-sequences.
    pub(super) modseqs: bool,
    /// The answer ends here, and the connection with it.
    pub(super) breaks: bool,
}

impl Talk {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            user: None,
            view: None,
            interest: None,
            modseqs: false,
            breaks: false,
        }
    }

    /// Obeys a command that needs no waiting.
    pub(super) fn run(&mut self, command: &Command, out: &mut Out) -> Tagged {
        self.may(command)?;
        match command.name.as_str() {
            "CAPABILITY" => {
                let told = self.capabilities();
                out.line(format!("* CAPABILITY {told}"));
                done()
            }
            "NOOP" | "CHECK" => done(),
            "ID" => {
                out.line("* ID (\"name\" \"sftoken testing\")");
                done()
            }
            "LOGIN" => self.login(command),
            "ENABLE" => self.enable(command, out),
            "LIST" => self.list(command, out),
            "STATUS" => self.status(command, out),
            "SELECT" => self.open(command, false, out),
            "EXAMINE" => self.open(command, true, out),
            "APPEND" => self.append(command),
            "CREATE" => self.create(command),
            "NOTIFY" => self.notify(command, out),
            "UNSELECT" => {
                self.view = None;
                done()
            }
            "CLOSE" => self.close(),
            "SEARCH" => self.search(command, out),
            "FETCH" => self.fetch(command, out),
            "STORE" => self.store(command, out),
            "COPY" => self.copy(command),
            "MOVE" => self.move_mails(command, out),
            "EXPUNGE" => self.expunge(command),
            _ => Err(bad("unknown command")),
        }
    }

    /// Whether the command has its capability and its state.
    fn may(&self, command: &Command) -> Result<(), String> {
        let needs = match (command.name.as_str(), command.uid) {
            ("EXPUNGE", true) => "UIDPLUS",
            ("IDLE" | "NOTIFY" | "ENABLE" | "ID" | "UNSELECT" | "MOVE", _) => &command.name,
            _ => "",
        };
        if !needs.is_empty() && !self.has(needs) {
            return Err(bad("unknown command"));
        }
        let before = matches!(
            command.name.as_str(),
            "CAPABILITY" | "NOOP" | "ID" | "LOGIN" | "AUTHENTICATE"
        );
        let anywhere = matches!(
            command.name.as_str(),
            "ENABLE"
                | "LIST"
                | "STATUS"
                | "SELECT"
                | "EXAMINE"
                | "APPEND"
                | "CREATE"
                | "NOTIFY"
                | "IDLE"
        );
        match (&self.user, &self.view) {
            _ if before => Ok(()),
            (None, _) => Err(bad("log in first")),
            (Some(_), None) if !anywhere => Err(bad("open a folder first")),
            _ => Ok(()),
        }
    }

    pub(super) fn may_idle(&self) -> Result<(), String> {
        match self.has("IDLE") {
            true if self.user.is_some() => Ok(()),
            _ => Err(bad("unknown command")),
        }
    }

    pub(super) fn may_authenticate(&self, command: &Command) -> Result<(), String> {
        let mechanism = command.args.first().map(Word::name).unwrap_or_default();
        if self.user.is_some() {
            return Err(bad("you are logged in"));
        }
        if mechanism != "PLAIN" || !self.has("AUTH=PLAIN") {
            return Err(no("[CANNOT] unknown mechanism"));
        }
        match command.args.len() {
            1 => Ok(()),
            2 if self.has("SASL-IR") => Ok(()),
            _ => Err(bad("too many arguments")),
        }
    }

    /// Logs in with what SASL PLAIN says (RFC 4616).
    pub(super) fn plain(&mut self, decoded: &[u8]) -> Tagged {
        let text = str::from_utf8(decoded).unwrap_or_default();
        match text.split('\0').collect::<Vec<_>>()[..] {
            [_, user, password] => self.log_in(user, password),
            _ => self.refuse_login(bad("that is not PLAIN")),
        }
    }

    fn login(&mut self, command: &Command) -> Tagged {
        if self.user.is_some() {
            return Err(bad("you are logged in"));
        }
        if self.has("LOGINDISABLED") {
            return self.refuse_login(no("[PRIVACYREQUIRED] not without TLS"));
        }
        match (command.text(0), command.text(1), command.args.len()) {
            (Some(user), Some(password), 2) => self.log_in(user, password),
            _ => self.refuse_login(bad("LOGIN user password")),
        }
    }

    fn log_in(&mut self, user: &str, password: &str) -> Tagged {
        let most = self.shared.world().quirks.max_connections;
        let connected = {
            let mut world = self.shared.world();
            let known = world.users.get_mut(user);
            let known = known.filter(|known| known.password.as_deref() == Some(password));
            known.map(|known| {
                let full = most.is_some_and(|most| known.connected >= most);
                known.connected += usize::from(!full);
                (full, known.connected)
            })
        };
        match connected {
            None => self.refuse_login(no("[AUTHENTICATIONFAILED] Authentication failed.")),
            Some((true, _)) => {
                self.refuse_login(no("[ALERT] Too many simultaneous connections. (Failure)"))
            }
            Some((false, connected)) => {
                let mut world = self.shared.world();
                world.counts.most_connected = world.counts.most_connected.max(connected);
                drop(world);
                self.user = Some(user.to_owned());
                Ok(format!("{}welcome", self.capability_code()))
            }
        }
    }

    fn refuse_login(&self, refusal: String) -> Tagged {
        self.shared.world().counts.refused_log_ins += 1;
        Err(refusal)
    }

    fn enable(&mut self, command: &Command, out: &mut Out) -> Tagged {
        let asked = command.args.iter().any(|word| word.name() == "CONDSTORE");
        if asked && self.has("CONDSTORE") {
            self.modseqs = true;
            out.line("* ENABLED CONDSTORE");
        } else {
            out.line("* ENABLED");
        }
        done()
    }

    pub(super) fn has(&self, capability: &str) -> bool {
        let world = self.shared.world();
        world.quirks.has(self.user.is_some(), capability)
    }

    fn capabilities(&self) -> String {
        self.shared.world().quirks.told(self.user.is_some())
    }

    /// `[CAPABILITY …] `, where the server tells it unasked.
    pub(super) fn capability_code(&self) -> String {
        let tells = self.shared.world().quirks.tells_capabilities;
        match tells {
            true => format!("[CAPABILITY {}] ", self.capabilities()),
            false => String::new(),
        }
    }

    /// The user; nothing is asked of it before the log-in.
    pub(super) fn user(&self) -> &str {
        self.user.as_deref().unwrap_or_default()
    }

    /// A command for whoever reads a failed test: without credentials and mails.
    pub(super) fn in_short(&self, command: &Command) -> String {
        let uid = if command.uid { "UID " } else { "" };
        let mut line = format!("{}: {uid}{}", self.user(), command.name);
        if !matches!(command.name.as_str(), "LOGIN" | "AUTHENTICATE") {
            let args = command.args.iter().filter_map(Word::text);
            args.filter(|text| text.len() < 80)
                .for_each(|text| line.extend([" ", text]));
        }
        line
    }

    /// Whether the open folder is still the one that was opened.
    pub(super) fn is_sound(&self) -> bool {
        let world = self.shared.world();
        self.view.as_ref().is_none_or(|view| {
            let folder = world.folder(self.user(), &view.folder);
            folder.is_some_and(|folder| view.is_of(folder))
        })
    }

    /// Tells what is new elsewhere, and in the open folder if it is asked for; false as [`View::tell`].
    pub(super) fn tell(&mut self, here: bool, out: &mut Out) -> bool {
        let shared = Arc::clone(&self.shared);
        let world = shared.world();
        let user = self.user.clone().unwrap_or_default();
        let mut sound = true;
        if let Some(view) = self.view.as_mut().filter(|_| here) {
            sound = match world.folder(&user, &view.folder) {
                Some(folder) => view.tell(folder, self.modseqs, out),
                None => false,
            };
        }
        if let (Some(interest), Some(known)) = (&mut self.interest, world.users.get(&user)) {
            let open = self.view.as_ref().map(|view| view.folder.as_str());
            interest.tell(known, open, out);
        }
        sound
    }

    /// NOTIFY is on; and whether it is for the open folder too.
    pub(super) fn notified(&self) -> Option<bool> {
        self.interest.as_ref().map(|interest| interest.selected)
    }

    pub(super) fn notify_none(&mut self) {
        self.interest = None;
    }
}

impl Drop for Talk {
    /// The connection counts no more.
    fn drop(&mut self) {
        let mut world = self.shared.world();
        if let Some(user) = self
            .user
            .as_ref()
            .and_then(|name| world.users.get_mut(name))
        {
            user.connected = user.connected.saturating_sub(1);
        }
    }
}
