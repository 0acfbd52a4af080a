//! The command line's behaviour, one file of `tests/cmd` each.

#[test]
fn commands_do_what_their_files_say() {
    let cases = trycmd::TestCases::new();
    // Nothing of the machine's own configuration reaches a case.
    cases
        .env("HOME", "/nonexistent")
        .env("XDG_CONFIG_HOME", "/nonexistent/config")
        .env("XDG_STATE_HOME", "/nonexistent/state")
        .env("NO_COLOR", "1")
        .case("tests/cmd/*.toml")
        .case("tests/cmd/*.trycmd");
}
