//! With the memory measured: whatever a server says, a connection takes no more than its limits, the
//! codec's buffer (which begins with 80 KiB) and a few times what was said.

#![no_main]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// What a connection takes by itself: two buffers of the codec while one grows into the other, the
/// runtime, the limits of one response (5 KiB).
const ITSELF: usize = 512 * 1024;
/// What is kept of the bytes that were said: the script, what passed, what was parsed of it.
const FOLD: usize = 48;

struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: the system's allocator does the work; beside it two numbers are kept.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let live = LIVE.fetch_add(layout.size(), Relaxed) + layout.size();
        PEAK.fetch_max(live, Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let before = LIVE.load(Relaxed);
    PEAK.store(before, Relaxed);
    sftoken_fuzz::run("imap_guard", data);
    let taken = PEAK.load(Relaxed).saturating_sub(before);
    let most = ITSELF + FOLD * data.len();
    assert!(taken <= most, "{taken} bytes for {} that were said", data.len());
});
