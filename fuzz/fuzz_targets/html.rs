#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sftoken_fuzz::run("html", data));
