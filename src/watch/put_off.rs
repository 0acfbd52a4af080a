//! Mails that are put off: when they are tried again, and which of them for hours.
//!
//! Knows pauses, and the mails that broke the connection. Never fetches or judges: that is `look`, which tells it
//! what went wrong.

use std::time::Duration;

use tokio::time::Instant;

use super::backoff::Backoff;
use super::folder::{Folder, Retry};
use super::verdict::{Trouble, Verdict};
use crate::inbox::InboxError;
use crate::ingest::cursor::Progress;
use crate::ingest::event::Report;

impl Folder {
    /// Something went wrong while these were fetched: whoever it was waits longer with each try.
    pub(super) fn failed(&mut self, uids: &[u32], error: &InboxError) {
        self.trials.failed(uids, error);
        // after a refusal the connection goes on: without a time, nobody would look again
        let goes_on = matches!(error, InboxError::Refused { .. });
        if uids.len() == 1 || goes_on {
            for &uid in uids {
                self.retry_later(uid, None);
            }
        }
    }

    /// An open mail's next try; `after` a fixed pause, or a growing one.
    pub(super) fn retry_later(&mut self, uid: u32, after: Option<Duration>) {
        let retry = self.open.entry(uid).or_insert_with(|| Retry {
            backoff: Backoff::RETRY,
            due: Instant::now(),
        });
        let pause = after.unwrap_or_else(|| retry.backoff.pause(chance(uid)));
        retry.due = Instant::now() + pause;
    }

    /// Mails that broke the connection too often are put off for hours; the cursor does not pass them.
    pub(super) fn set_aside_the_hopeless(&mut self, uid_validity: u32, progress: &Progress) {
        let hopeless: Vec<u32> = progress
            .open()
            .filter(|&uid| self.trials.is_hopeless(uid))
            .collect();
        for uid in hopeless {
            self.trials.set_aside(uid);
            let report = Report::unread(&self.mail_name(uid_validity, uid));
            let verdict = Verdict::Open(report, Trouble::SetAside);
            self.take(uid, vec![verdict], &self.source(uid_validity, uid));
        }
    }
}

/// A number between 0 and 1 that differs from mail to mail: tries need no better dice.
fn chance(uid: u32) -> f64 {
    f64::from(uid.wrapping_mul(2_654_435_761)) / f64::from(u32::MAX)
}
