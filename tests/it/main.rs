//! One test crate for everything that crosses a module.

fn main() {}
