//! Amazon's SDK, where nobody hears it.
//!
//! Knows that the SDK traces whole requests and answers, session tokens among them. Never lets one of its records reach
//! a subscriber, whoever has set one, nor meets a runtime of its caller's: it has a thread of its own. What is done comes
//! from the caller.

use std::future::Future;
use std::io;
use std::panic::resume_unwind;
use std::thread;

use tracing::subscriber::{NoSubscriber, with_default};

/// Does it on a thread of its own, without a subscriber, and waits.
pub(super) fn quietly<T: Send>(work: impl FnOnce() -> T + Send) -> io::Result<T> {
    let unheard = move || with_default(NoSubscriber::default(), work);
    thread::scope(|scope| {
        let thread = thread::Builder::new().name("sftoken-aws".to_owned());
        let ended = thread.spawn_scoped(scope, unheard)?.join();
        Ok(ended.unwrap_or_else(|panic| resume_unwind(panic)))
    })
}

/// Runs a future so. It may block its thread.
pub(super) fn run<F: Future>(work: impl FnOnce() -> F + Send) -> io::Result<F::Output>
where
    F::Output: Send,
{
    quietly(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        Ok(runtime.block_on(work()))
    })?
}
