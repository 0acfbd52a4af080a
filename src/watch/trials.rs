//! Mails that break connections, and how often they did.
//!
//! Knows that a mail which fails again and again must neither hold up others nor be lost: first it is
//! fetched alone and last, then it is set aside for hours. Never looks into a mail. Its data comes from
//! the looks into a folder.

use std::collections::BTreeMap;

use crate::inbox::InboxError;

/// A mail with so many points is set aside.
const LIMIT: u32 = 12;
/// A refusal, or an answer that cannot be read, is the mail's doing: three of them suffice.
const UNREADABLE: u32 = 4;
/// A cut may be the network's doing: twelve in a row are not.
const CUT: u32 = 1;

/// Points of the mails of one folder, by UID.
#[derive(Debug, Default)]
pub(super) struct Trials {
    points: BTreeMap<u32, u32>,
    /// The mail that is being worked on: if that panics, nobody is left to tell.
    at_work: Option<u32>,
}

impl Trials {
    /// Whether a mail was there when something broke: it goes alone, and after all others.
    pub(super) fn is_suspect(&self, uid: u32) -> bool {
        self.points.contains_key(&uid)
    }

    /// How bad it is.
    pub(super) fn points(&self, uid: u32) -> u32 {
        self.points.get(&uid).copied().unwrap_or_default()
    }

    /// Whether it is time to set it aside.
    pub(super) fn is_hopeless(&self, uid: u32) -> bool {
        self.points(uid) >= LIMIT
    }

    /// Something went wrong while these were fetched.
    pub(super) fn failed(&mut self, uids: &[u32], error: &InboxError) {
        let points = match error {
            InboxError::Protocol { .. } | InboxError::Limit { .. } | InboxError::Refused { .. } => {
                UNREADABLE
            }
            _ => CUT,
        };
        // who is in company is only suspected
        let points = if uids.len() == 1 { points } else { 0 };
        for &uid in uids {
            self.add(uid, points);
        }
    }

    fn add(&mut self, uid: u32, points: u32) {
        let sum = self.points.entry(uid).or_default();
        *sum = sum.saturating_add(points).min(LIMIT);
    }

    /// Work on a mail begins.
    pub(super) fn begin(&mut self, uid: u32) {
        self.at_work = Some(uid);
    }

    /// Work on it has ended in some orderly way.
    pub(super) fn end(&mut self) {
        self.at_work = None;
    }

    /// The work on a mail panicked; which one, if it was one.
    pub(super) fn panicked(&mut self) {
        if let Some(uid) = self.at_work.take() {
            self.add(uid, UNREADABLE);
        }
    }

    /// The mail was fetched after all, or is gone.
    pub(super) fn clear(&mut self, uid: u32) {
        self.points.remove(&uid);
    }

    /// It was set aside: the next failure sets it aside again.
    pub(super) fn set_aside(&mut self, uid: u32) {
        self.points.insert(uid, LIMIT - 1);
    }

    /// UIDs mean something else now.
    pub(super) fn forget_all(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unreadable() -> InboxError {
        InboxError::Protocol {
            at: "imap.example.com:993".to_owned(),
            what: "the server's response cannot be read",
        }
    }

    fn cut() -> InboxError {
        InboxError::Disconnected {
            at: "imap.example.com:993".to_owned(),
            bye: None,
        }
    }

    #[test]
    fn who_was_in_company_is_suspected_only() {
        let mut trials = Trials::default();
        for _ in 0..100 {
            trials.failed(&[1, 2], &unreadable());
        }
        assert!(trials.is_suspect(1) && !trials.is_hopeless(1));
        trials.clear(1);
        assert!(!trials.is_suspect(1) && trials.is_suspect(2));
    }

    #[test]
    fn a_mail_is_hopeless_after_three_unreadable_answers_or_a_dozen_cuts() {
        for (error, times) in [(unreadable(), 3), (cut(), 12)] {
            let mut trials = Trials::default();
            for _ in 1..times {
                trials.failed(&[7], &error);
            }
            assert!(!trials.is_hopeless(7), "{error}");
            trials.failed(&[7], &error);
            assert!(trials.is_hopeless(7), "{error}");
            trials.set_aside(7);
            assert!(trials.is_suspect(7) && !trials.is_hopeless(7));
            trials.failed(&[7], &cut());
            assert!(trials.is_hopeless(7), "{error}");
        }
    }

    #[test]
    fn a_panic_counts_against_the_mail_at_work() {
        let mut trials = Trials::default();
        for _ in 0..3 {
            trials.begin(5);
            trials.panicked();
        }
        assert!(trials.is_hopeless(5));
        trials.begin(6);
        trials.end();
        trials.panicked();
        assert!(!trials.is_suspect(6));
    }
}
