//! A progress bar for work that takes longer than a second, on a terminal only.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Counts runs; shows itself after a second, and not at all when standard error is not a terminal.
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// For so many runs of one scenario.
    pub(super) fn new(scenario: &str, runs: u64) -> Progress {
        let bar = ProgressBar::with_draw_target(Some(runs), ProgressDrawTarget::hidden());
        let style = ProgressStyle::with_template("{prefix} {bar:30} {pos}/{len} runs, {eta} left").expect("a fixed template");
        bar.set_style(style);
        bar.set_prefix(scenario.to_owned());
        Progress(bar)
    }

    /// One more run is done. Called from all workers.
    pub(super) fn one_done(&self) {
        if self.0.is_hidden() && self.0.elapsed().as_secs() >= 1 {
            // Indicatif itself stays silent where standard error is not a terminal.
            self.0.set_draw_target(ProgressDrawTarget::stderr_with_hz(5));
        }
        self.0.inc(1);
    }

    /// All is done: the bar goes away.
    pub(super) fn end(self) {
        self.0.finish_and_clear();
    }
}
