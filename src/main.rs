//! The `sftoken` command.

fn main() {}
