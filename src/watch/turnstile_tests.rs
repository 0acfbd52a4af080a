use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::*;

/// How long it takes until `many` pieces of work are done that last `each`, and how many were at it at once.
async fn check(many: usize, each: Duration) -> (Duration, usize) {
    let (turnstile, begin) = (Turnstile::new(), Instant::now());
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut running = JoinSet::new();
    for _ in 0..many {
        let (turnstile, now, most) = (turnstile.clone(), Arc::clone(&now), Arc::clone(&most));
        running.spawn(async move {
            let work = async {
                let inside = now.fetch_add(1, Ordering::SeqCst) + 1;
                most.fetch_max(inside, Ordering::SeqCst);
                sleep(each).await;
                now.fetch_sub(1, Ordering::SeqCst);
            };
            turnstile.pass(work).await;
        });
    }
    running.join_all().await;
    (begin.elapsed(), most.load(Ordering::SeqCst))
}

#[tokio::test(start_paused = true)]
async fn a_thousand_mailboxes_connect_in_turn() {
    let (took, most) = check(1_000, Duration::from_millis(100)).await;
    assert_eq!(most, PLACES);
    assert_eq!(took.as_millis().div_ceil(100), 16);
}

#[tokio::test(start_paused = true)]
async fn servers_that_hang_hold_nobody_up_for_long() {
    let hang = Duration::from_secs(25);
    let (took, most) = check(2 * PLACES, hang).await;
    assert!(took < hang + 2 * PATIENCE, "{took:?}");
    assert_eq!(most, 2 * PLACES);
}
