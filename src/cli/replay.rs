//! `sftoken replay`: the whole pipeline over mails from files, stores included.
//!
//! Knows files, order of input and exit status. Never decides what is stored. Verdicts come from
//! the library.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use super::args::{Global, Replay};
use super::exit::{Exit, Failure};
use super::receipts::{self, Tally};
use super::{engine, say, settings};
use crate::files::{self, Content, Item};
use crate::ingest::mail::as_sent;
use crate::ingest::order::Arrival;
use crate::ingest::policy::{Demand, Policy};
use crate::ledger::Source;
use crate::watch::{Letter, Pipeline, Verdict};

/// Runs `replay`.
pub(crate) fn run(global: &Global, args: &Replay) -> Result<Exit, Failure> {
    let mut config = settings::read(global, None)?;
    if let Some(store) = &args.store {
        config.use_store(store)?;
    }
    let mut policy = Policy {
        max_age: None,
        ..config.policy.clone()
    };
    if !args.accounts.is_empty() {
        policy.accounts = engine::named_accounts(&config, &args.accounts);
    }
    if args.unproven {
        policy.demand = Demand::Nothing;
        let problem =
            "--unproven: nothing proves who wrote these mails, and their tokens are stored";
        say(
            "warning",
            problem,
            "leave --unproven away outside of test suites",
        );
    }
    let clock = match args.now {
        Some(now) => Arc::new(move || now),
        None => engine::real_clock(),
    };
    let pipeline = engine::pipeline(&config, policy, clock)?;
    engine::check_stores(&pipeline, &config)?;
    engine::block_on(all(global, args, &pipeline))
}

async fn all(global: &Global, args: &Replay, pipeline: &Pipeline) -> Result<Exit, Failure> {
    let mut tally = Tally::default();
    let mut unreadable = false;
    // Mails of one second go by the order of input, over all runs.
    let first = pipeline.ledger.next_place()?;
    for (number, mail) in (first..).zip(files::mails(args.paths.clone(), io::stdin())) {
        match mail {
            Ok(mail) => {
                let source = Source::File {
                    file: mail.source.clone(),
                };
                for verdict in one(mail, &source, number, pipeline).await {
                    tally.count(&verdict);
                    if let Verdict::Open(report, trouble) = &verdict {
                        pipeline.note_open(report, trouble, &source);
                        say(
                            "error",
                            &format!("{}: {trouble}", report.source),
                            &trouble.hint(),
                        );
                    }
                    let receipt = verdict.into_receipt();
                    receipts::print(&mut io::stdout().lock(), &receipt, global.json)?;
                }
            }
            Err(error) => {
                unreadable = true;
                say("error", &error.to_string(), error.hint);
            }
        }
    }
    let followed = receipts::follow_up(&going_on(pipeline)).await?;
    let nothing = if unreadable {
        Exit::Failed
    } else {
        Exit::Nothing
    };
    Ok(match tally.exit(nothing) {
        Exit::Done if unreadable || !followed => Exit::Failed,
        exit => exit,
    })
}

/// The same with a clock that goes on from here: with `--now` it stands, and what is put off would never be due.
fn going_on(pipeline: &Pipeline) -> Pipeline {
    let (now, begun) = ((pipeline.clock)(), Instant::now());
    let clock = move || now.checked_add(begun.elapsed()).unwrap_or(now);
    Pipeline {
        clock: Arc::new(clock),
        ..pipeline.clone()
    }
}

async fn one(mail: Item, source: &Source, number: u64, pipeline: &Pipeline) -> Vec<Verdict> {
    match mail.content {
        Content::TooLarge { head, .. } => {
            vec![pipeline.process_oversized(&as_sent(&head), &mail.source, source)]
        }
        Content::Whole(bytes) => {
            let arrival = Arrival {
                number,
                ..Arrival::default()
            };
            let letter = Letter {
                bytes: as_sent(&bytes).into_owned(),
                name: mail.source,
                source: source.clone(),
                arrival,
            };
            pipeline.process(letter).await
        }
    }
}
