//! The log on standard error.
//!
//! Knows its level and form. Never shows a record of a dependency: only targets of sftoken itself
//! count, whatever the filter says, because others may log what they send. Records come from every
//! module, through `tracing`.

use std::io::{self, Write};

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, filter};

use super::args::{Global, LogFormat};
use super::exit::{Exit, Failure};
use super::render;

/// The filter's variable, as `RUST_LOG` is elsewhere: `debug`, or `sftoken::inbox=trace`.
const VARIABLE: &str = "SFTOKEN_LOG";

/// Begins to log. Called once.
pub(crate) fn begin(global: &Global) -> Result<(), Failure> {
    let level = match (global.quiet, global.verbose) {
        (true, _) => LevelFilter::ERROR,
        (false, 0) => LevelFilter::INFO,
        (false, 1) => LevelFilter::DEBUG,
        (false, _) => LevelFilter::TRACE,
    };
    let chosen = chosen(level, std::env::var(VARIABLE).ok())?;
    let ours = filter::filter_fn(|about| is_ours(about.target()));
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(Escaped)
        .with_ansi(false);
    let layer = match global.log_format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    let layer = layer.with_filter(ours).with_filter(chosen);
    // A second subscriber (a library user's) is left in place.
    let _ = tracing_subscriber::registry().with(layer).try_init();
    Ok(())
}

fn chosen(level: LevelFilter, variable: Option<String>) -> Result<EnvFilter, Failure> {
    let builder = EnvFilter::builder().with_default_directive(level.into());
    match variable.filter(|text| !text.is_empty()) {
        None => Ok(builder.parse_lossy("")),
        Some(text) => builder.parse(&text).map_err(|error| {
            let hint = "write a level (error, warn, info, debug, trace), or sftoken::inbox=debug";
            Failure::new(Exit::Usage, format!("{VARIABLE}: {error}"), hint)
        }),
    }
}

fn is_ours(target: &str) -> bool {
    target == "sftoken" || target.starts_with("sftoken::")
}

/// Standard error, on which each record is one line and nothing in it can fool a terminal.
struct Escaped;

impl Write for Escaped {
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        super::progress::clear();
        let text = String::from_utf8_lossy(record);
        let line = format!("{}\n", render::escape(text.trim_end_matches('\n')));
        io::stderr().lock().write_all(line.as_bytes())?;
        Ok(record.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

impl MakeWriter<'_> for Escaped {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        Self
    }
}
