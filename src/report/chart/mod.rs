//! Charts of an outcome: what happened over time with the faults behind it, how long things took, and where the messages went.
//!
//! ```
//! # fn of(arm: &deadletter::run::ArmOutcome) {
//! for chart in deadletter::report::chart::of_arm(arm) {
//!     match chart.svg() {
//!         Some(svg) => println!("{}: {} bytes", chart.title, svg.len()),
//!         None => println!("{}: {}", chart.title, chart.nothing),
//!     }
//! }
//! # }
//! ```

mod accounting;
mod axis;
mod contrast;
mod depth;
mod distribution;
mod doom;
mod font;
mod frame;
mod latency;
pub(super) mod palette;
pub(super) mod scene;
#[cfg(test)]
mod tests;
mod throughput;

use crate::base::Time;
use crate::lab::doom::Doom;
use crate::run::{ArmOutcome, RunOutcome};
use frame::{Backdrop, FaultLane, Window};
use scene::Scene;

/// A picture of one side of an outcome, or the reason why there is none.
pub struct Chart {
    /// The last part of its file's name: `latency`, `throughput`, `distribution`, `depth`, `accounting`, `contrast`, `doom`.
    pub slug: &'static str,
    /// What it shows, in few words.
    pub title: &'static str,
    /// What to say where there is nothing to show.
    pub nothing: &'static str,
    scene: Option<Scene>,
}

impl Chart {
    /// Whether there is something to see.
    #[must_use]
    pub const fn is_drawn(&self) -> bool {
        self.scene.is_some()
    }
    /// The picture as an SVG element that can stand alone or in a page; `None` when there is nothing to show.
    #[must_use]
    pub fn svg(&self) -> Option<String> {
        self.scene.as_ref().map(Scene::svg)
    }
    /// Writes the picture as PNG; does nothing and says `false` when there is nothing to show.
    ///
    /// # Errors
    /// When the file cannot be written.
    #[cfg(feature = "png")]
    pub fn write_png(&self, path: &std::path::Path) -> std::io::Result<bool> {
        self.scene.as_ref().map_or(Ok(false), |scene| scene.png(path).map(|()| true))
    }
}

/// The charts of an arm's shown run, in the order of the page.
#[must_use]
pub fn of_arm(arm: &ArmOutcome) -> Vec<Chart> {
    let backdrop = backdrop(arm);
    let judged = &arm.shown.judged;
    let chart = |slug, title, nothing, scene| Chart { slug, title, nothing, scene };
    vec![
        chart(
            "latency",
            latency::TITLE,
            "No operation was acknowledged, so there is no latency to show.",
            latency::draw(judged, &backdrop),
        ),
        chart(
            "throughput",
            throughput::TITLE,
            "No operation was invoked, so there is no throughput to show.",
            throughput::draw(judged, &backdrop),
        ),
        chart(
            "distribution",
            distribution::TITLE,
            "Nothing was measured, so there is no distribution to show.",
            distribution::draw(judged),
        ),
        chart(
            "depth",
            depth::TITLE,
            "No queue ever held a message when it was sampled, so there is no depth to show.",
            depth::draw(judged, &backdrop),
        ),
        chart("accounting", accounting::TITLE, "Nothing was sent, so there is nothing to account for.", accounting::draw(judged)),
    ]
}

/// The chart that sets all arms side by side; with fewer than two arms there is nothing to show.
#[must_use]
pub fn contrast(arms: &[ArmOutcome]) -> Chart {
    Chart {
        slug: "contrast",
        title: contrast::TITLE,
        nothing: "There is only one arm, so there is nothing to contrast.",
        scene: contrast::draw(arms),
    }
}

/// The chart that shows when a run was lost.
#[must_use]
pub fn doom(doom: &Doom) -> Chart {
    Chart {
        slug: "doom",
        title: doom::TITLE,
        nothing: "No moment was looked at, so there is nothing to show.",
        scene: doom::draw(doom, &behind(&doom.run, &doom.phases)),
    }
}

/// Phases and fault windows of the shown run.
fn backdrop(arm: &ArmOutcome) -> Backdrop {
    behind(&arm.shown, &arm.scenery.phases)
}

/// Phases and fault windows of a run.
fn behind(run: &RunOutcome, phases: &[(String, Time)]) -> Backdrop {
    let end = phases.iter().map(|(_, at)| *at).chain([Time::ZERO + run.lasted]).max().unwrap_or(Time::ZERO);
    let last = phases.len().saturating_sub(1);
    let shown = phases.iter().enumerate().filter(|(i, (name, at))| *at < end && (*i < last || name != "end")).map(|(_, p)| p.clone());
    Backdrop { phases: shown.collect(), faults: lanes(run, end), end }
}

/// Every fault that struck, with its windows; a strike without an end lasts until the end of the run.
fn lanes(run: &RunOutcome, end: Time) -> Vec<FaultLane> {
    let mut lanes = Vec::new();
    for row in run.ledger.iter().filter(|row| !row.strikes.is_empty()) {
        let mut windows: Vec<Window> = row
            .strikes
            .iter()
            .map(|s| Window { from: s.from.min(end), until: s.until.unwrap_or(end).clamp(s.from.min(end), end) })
            .collect();
        windows.sort_by_key(|w| (w.from, w.until));
        lanes.push(FaultLane { name: row.name.clone(), windows });
    }
    lanes
}
