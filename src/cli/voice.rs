//! Speaking: colours where a terminal wants them, silence where nobody listens any more.

use std::io::Write;

/// Writes to standard output. Escape codes are left out where there is no terminal, or `NO_COLOR` is set.
pub(super) fn say(text: &str) {
    let mut out = anstream::stdout().lock();
    if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
        // The reader of a pipe went away (`deadletter … | head`): what it did not want to read is not a failure.
        std::process::exit(0);
    }
}

/// Writes a line to standard error.
pub(super) fn complain(text: &str) {
    let error = anstyle::AnsiColor::Red.on_default().bold();
    // When standard error is gone there is nobody left to tell.
    let _ = writeln!(anstream::stderr().lock(), "{error}error{error:#}: {text}");
}

/// Writes a text to standard error as it is.
pub(super) fn aside(text: &str) {
    let _ = write!(anstream::stderr().lock(), "{text}");
}

/// How wide a summary may be: as wide as the terminal says, within reason.
pub(super) fn width() -> usize {
    let said = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse::<usize>().ok());
    said.unwrap_or(100).clamp(60, 140)
}
