//! What must hold, along the way and at the end.

use std::time::Duration;

use sftoken::ingest::token::Token;

use super::{FOLDERS, SHARED, Stage};

impl Stage {
    pub(crate) fn log_ins(&self) -> Vec<u64> {
        self.boxes
            .iter()
            .map(|one| one.server.counts().log_ins)
            .collect()
    }

    /// Remembers how bad an hour was, for the summary.
    pub(crate) fn worst_hour(&mut self, lines: u64, log_ins: &[u64]) {
        let made = self.log_ins();
        let made = made
            .iter()
            .zip(log_ins)
            .map(|(after, before)| after - before);
        self.worst.0 = self.worst.0.max(lines / self.mailboxes());
        self.worst.1 = self.worst.1.max(made.max().unwrap_or_default());
    }

    #[track_caller]
    pub(crate) fn check_log_ins(&self, before: &[u64], most: u64) {
        for (at, (one, before)) in self.boxes.iter().zip(before).enumerate() {
            let made = one.server.counts().log_ins - before;
            assert!(
                made <= most * self.watchers(at),
                "{}: {made} log-ins in an hour\n{}",
                one.name,
                self.story()
            );
        }
    }

    /// Each token was written once at most, older ones never after newer ones.
    #[track_caller]
    pub(crate) fn check_order(&self) {
        self.check_alive();
        for one in &self.boxes {
            let place = |token: &String| one.sent.iter().position(|sent| sent.token == *token);
            let puts = self.vault.puts(&one.username());
            let order: Vec<usize> = puts
                .iter()
                .map(|token| place(token).expect("genuine"))
                .collect();
            let rising = order.windows(2).all(|pair| pair[0] < pair[1]);
            assert!(
                rising,
                "{}: written in this order: {order:?}\n{}",
                one.name,
                self.story()
            );
        }
    }

    /// Every genuine mail has its outcome: stored, or passed over for a newer one that was stored
    /// before. The newest is in the store.
    #[track_caller]
    pub(crate) fn check_nothing_lost(&self) {
        for (at, one) in self.boxes.iter().enumerate() {
            let puts = self.vault.puts(&one.username());
            let history = self.histories(at).concat();
            for sent in &one.sent {
                if puts.contains(&sent.token) {
                    continue;
                }
                let fingerprint = Token::new(&sent.token).unwrap().fingerprint();
                let superseded = history.iter().any(|decision| {
                    decision.fingerprint.as_ref() == Some(&fingerprint)
                        && decision.reason.as_deref() == Some("older_than_current")
                });
                assert!(
                    superseded,
                    "{}: the mail with {} of {} is lost\n{}",
                    one.name,
                    sent.token,
                    sent.date,
                    self.story()
                );
            }
            let newest = one.sent.last().map(|sent| &sent.token);
            assert_eq!(puts.last(), newest, "{}\n{}", one.name, self.story());
        }
        // most are not overtaken, or this would test little
        let (sent, stored) = self.sent_and_stored();
        assert!(stored * 2 >= sent, "{stored} of {sent} stored");
    }

    pub(super) fn sent_and_stored(&self) -> (usize, usize) {
        let sent = self.boxes.iter().map(|one| one.sent.len()).sum();
        let stored = self
            .boxes
            .iter()
            .map(|one| self.vault.puts(&one.username()).len());
        (sent, stored.sum())
    }

    /// With the misfortune over, a mail is stored at once, wherever it comes.
    pub(crate) async fn check_prompt(&mut self) {
        for folder in FOLDERS {
            for at in 0..self.boxes.len() {
                let token = self.send(at, folder);
                tokio::time::sleep(Duration::from_secs(70)).await;
                let puts = self.vault.puts(&self.boxes[at].username());
                let name = self.boxes[at].name;
                assert_eq!(
                    puts.last(),
                    Some(&token),
                    "{name} {folder}\n{}",
                    self.story()
                );
            }
        }
    }

    #[track_caller]
    pub(crate) fn check_nothing_changed(&self) {
        for one in &self.boxes[..SHARED] {
            assert_eq!(one.server.counts().writes, 0, "{}", one.name);
        }
        // claims are flags, and nothing else
        let commands = self.boxes[SHARED].server.counts().commands;
        for never in ["COPY", "MOVE", "EXPUNGE", "APPEND", "CREATE"] {
            assert!(!commands.contains_key(never), "{commands:?}");
        }
        let stores = commands.get("STORE").copied().unwrap_or_default();
        assert!(stores > 0, "nobody has made a claim");
    }
}
