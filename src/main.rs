//! The `sftoken` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    sftoken::cli::run(std::env::args_os())
}
