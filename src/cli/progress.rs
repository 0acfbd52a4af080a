//! What goes on, on a terminal: one line that is drawn over.
//!
//! Knows how to draw and to remove it. Never draws where nobody looks: in a pipe, with `--json` or `--quiet`. Its words
//! come from the commands.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::{Instant, interval};

use super::args::Global;

/// A line of ours stands on the terminal.
static DRAWN: AtomicBool = AtomicBool::new(false);

/// Back to the first column, and nothing behind it (ECMA-48: CR, EL).
const CLEAR: &str = "\r\x1b[K";

/// Whether somebody looks on who can be shown a line that is drawn over.
fn is_shown(global: &Global) -> bool {
    let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    io::stderr().is_terminal() && !global.json && !global.quiet && !dumb
}

/// Does `work`, and shows meanwhile what is waited for, and for how long.
pub(crate) async fn during<T>(
    global: &Global,
    what: &str,
    most: Duration,
    work: impl Future<Output = T>,
) -> T {
    if !is_shown(global) {
        return work.await;
    }
    let begun = Instant::now();
    let mut ticks = interval(Duration::from_secs(1));
    let mut work = std::pin::pin!(work);
    let done = loop {
        tokio::select! {
            biased;
            done = &mut work => break done,
            _ = ticks.tick() => draw(&line(what, begun.elapsed(), most)),
        }
    };
    clear();
    done
}

fn line(what: &str, so_far: Duration, most: Duration) -> String {
    let text = format!("{what}: {} of {} s", so_far.as_secs(), most.as_secs());
    // a line that wraps cannot be drawn over
    let width = terminal_size::terminal_size_of(io::stderr()).map_or(80, |(width, _)| width.0);
    text.chars()
        .take(usize::from(width).saturating_sub(1))
        .collect()
}

fn draw(line: &str) {
    DRAWN.store(true, Ordering::Relaxed);
    let mut err = io::stderr().lock();
    let _ = write!(err, "{CLEAR}{}", super::render::escape(line)).and_then(|()| err.flush());
}

/// Removes the line: whoever writes to standard error comes first.
pub(crate) fn clear() {
    if DRAWN.swap(false, Ordering::Relaxed) {
        let _ = io::stderr().lock().write_all(CLEAR.as_bytes());
    }
}
