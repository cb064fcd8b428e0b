//! Everything about an outcome, as files in a folder of its own.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use crate::run::Outcome;

use super::chart::{self, Chart};
use super::{csv, json, junit, page};

/// Which files besides the page, `report.json`, the series and the charts as SVG.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// The charts as PNG, too. Without the feature `png` it has no effect.
    pub png: bool,
    /// `junit.xml`.
    pub junit: bool,
}

/// The folder of a scenario's report below the folder of reports: its path without `.toml`, and without what lies above its folder
/// `scenarios`. Of a path from elsewhere (absolute, or upwards) only the file's name is kept.
///
/// ```
/// use deadletter::report::folder;
/// use std::path::Path;
/// assert_eq!(folder("scenarios/mailbox/lost_reply.toml"), Path::new("mailbox/lost_reply"));
/// assert_eq!(folder("mine/first.toml"), Path::new("mine/first"));
/// assert_eq!(folder("/home/me/first.toml"), Path::new("first"));
/// ```
#[must_use]
pub fn folder(scenario: &str) -> PathBuf {
    let path = scenario.strip_suffix(".toml").unwrap_or(scenario).replace('\\', "/");
    let parts: Vec<&str> = path.split('/').collect();
    let strange = |part: &&str| part.is_empty() || *part == ".." || part.contains(':');
    let below = parts.iter().rposition(|p| *p == "scenarios").map_or(0, |at| at + 1);
    let mut kept: Vec<&str> = parts[below..].iter().copied().filter(|p| *p != ".").collect();
    if kept.iter().any(strange) {
        kept = kept.last().copied().into_iter().collect();
    }
    let parts: Vec<String> = kept.into_iter().map(|p| slug(p, "scenario")).collect();
    if parts.is_empty() { PathBuf::from("scenario") } else { parts.iter().collect() }
}

/// Writes the page, `report.json`, and for each arm its series and charts into [`folder`] below `dir`, and gives their paths in the
/// order of writing. A chart with nothing to show leaves no file, not even that of an earlier report.
///
/// # Errors
/// When a folder or file cannot be written.
pub fn write(outcome: &Outcome, dir: &Path, options: Options) -> io::Result<Vec<PathBuf>> {
    let dir = dir.join(folder(&outcome.scenario));
    std::fs::create_dir_all(&dir)?;
    let mut out = Files { dir, options, written: Vec::new() };
    out.text("index.html", &page::render(outcome))?;
    out.text("report.json", &json::render(outcome))?;
    if options.junit {
        out.text("junit.xml", &junit::render([outcome]))?;
    }
    for (arm, name) in outcome.arms.iter().zip(arm_names(outcome)) {
        out.text(&format!("series-{name}.csv"), &csv::series(arm))?;
        for chart in chart::of_arm(arm) {
            out.chart(&format!("{name}-{}", chart.slug), &chart)?;
        }
    }
    let contrast = chart::contrast(&outcome.arms);
    out.chart(contrast.slug, &contrast)?;
    Ok(out.written)
}

/// A name for the files of each arm: small letters, digits, `.`, `-` and `_`; no two alike.
fn arm_names(outcome: &Outcome) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let mut names = Vec::new();
    for arm in &outcome.arms {
        let plain = slug(&arm.name.to_lowercase(), "arm");
        let numbered = (2..).map(|n: u64| format!("{plain}-{n}"));
        let name = std::iter::once(plain.clone()).chain(numbered).find(|n| !taken.contains(n)).expect("numbers do not end");
        taken.insert(name.clone());
        names.push(name);
    }
    names
}

/// A text as part of a path that every file system takes.
fn slug(text: &str, otherwise: &str) -> String {
    const LONGEST: usize = 60;
    let mut out = String::new();
    for c in text.chars() {
        let fits = c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if fits {
            out.push(c);
        } else if !out.ends_with('-') {
            out.push('-');
        }
        if out.len() >= LONGEST {
            break;
        }
    }
    let out = out.trim_matches(['-', '.']);
    if out.is_empty() { otherwise.to_owned() } else { out.to_owned() }
}

/// What was written so far.
struct Files {
    dir: PathBuf,
    options: Options,
    written: Vec<PathBuf>,
}

impl Files {
    fn text(&mut self, name: &str, text: &str) -> io::Result<()> {
        let path = self.dir.join(name);
        std::fs::write(&path, text)?;
        self.written.push(path);
        Ok(())
    }

    fn chart(&mut self, name: &str, chart: &Chart) -> io::Result<()> {
        let svg = self.dir.join(format!("{name}.svg"));
        let png = self.dir.join(format!("{name}.png"));
        let Some(text) = chart.svg() else {
            return remove(&svg).and_then(|()| remove(&png));
        };
        std::fs::write(&svg, text)?;
        self.written.push(svg);
        if self.options.png {
            self.png(chart, png)?;
        }
        Ok(())
    }

    #[cfg(feature = "png")]
    fn png(&mut self, chart: &Chart, path: PathBuf) -> io::Result<()> {
        if chart.write_png(&path)? {
            self.written.push(path);
        }
        Ok(())
    }

    #[cfg(not(feature = "png"))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "the twin with the feature needs them")]
    fn png(&mut self, _chart: &Chart, _path: PathBuf) -> io::Result<()> {
        Ok(())
    }
}

/// Removes a file that may not be there.
fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::report::fixture;

    fn contents(dir: &Path, out: &mut BTreeMap<PathBuf, Vec<u8>>, below: &Path) {
        for entry in std::fs::read_dir(dir).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                contents(&path, out, below);
            } else {
                out.insert(path.strip_prefix(below).unwrap().to_owned(), std::fs::read(&path).unwrap());
            }
        }
    }

    #[test]
    fn two_writes_of_one_outcome_are_equal_byte_for_byte() {
        let options = Options { png: false, junit: true };
        for outcome in fixture::all() {
            let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
            let mut found = Vec::new();
            for dir in &dirs {
                let paths = write(&outcome, dir.path(), options).unwrap();
                let mut files = BTreeMap::new();
                contents(dir.path(), &mut files, dir.path());
                let told: BTreeSet<PathBuf> = paths.iter().map(|p| p.strip_prefix(dir.path()).unwrap().to_owned()).collect();
                assert_eq!(told, files.keys().cloned().collect(), "what is told is what is there");
                assert!(files.values().all(|bytes| !bytes.is_empty()));
                let place = dir.path().to_str().unwrap().as_bytes().to_vec();
                assert!(files.values().all(|bytes| !bytes.windows(place.len()).any(|w| w == place)), "no path inside");
                found.push(files);
            }
            assert_eq!(found[0], found[1]);
            write(&outcome, dirs[0].path(), options).unwrap();
            let mut again = BTreeMap::new();
            contents(dirs[0].path(), &mut again, dirs[0].path());
            assert_eq!(again, found[1], "a second write over the first changes nothing");
        }
    }

    #[cfg(feature = "png")]
    #[test]
    fn pictures_are_equal_byte_for_byte() {
        let dir = tempfile::tempdir().unwrap();
        let chart = &chart::of_arm(&fixture::two_arms().arms[0])[0];
        let read = |name: &str| {
            let path = dir.path().join(name);
            assert!(chart.write_png(&path).unwrap());
            std::fs::read(path).unwrap()
        };
        let (first, second) = (read("a.png"), read("b.png"));
        assert!(first.starts_with(b"\x89PNG") && first.len() > 20_000);
        assert_eq!(first, second);
    }

    #[test]
    fn a_chart_with_nothing_to_show_removes_the_old_one() {
        let dir = tempfile::tempdir().unwrap();
        let mut outcome = fixture::empty();
        let place = dir.path().join(folder(&outcome.scenario));
        std::fs::create_dir_all(&place).unwrap();
        std::fs::write(place.join("main-latency.svg"), "old").unwrap();
        outcome.arms.truncate(1);
        write(&outcome, dir.path(), Options { png: false, junit: false }).unwrap();
        assert!(!place.join("main-latency.svg").exists());
    }

    #[test]
    fn folders_stay_below_the_reports() {
        let table = [
            ("scenarios/kafka/leader.toml", "kafka/leader"),
            ("./scenarios/x.toml", "x"),
            ("../../etc/passwd", "passwd"),
            ("/abs/scenarios/a/b.toml", "a/b"),
            ("C:\\tmp\\x.toml", "x"),
            ("", "scenario"),
            ("..", "scenario"),
            ("a/<b>?.toml", "a/b"),
        ];
        for (scenario, wanted) in table {
            assert_eq!(folder(scenario), Path::new(wanted), "{scenario}");
        }
    }

    #[test]
    fn arms_never_share_a_file() {
        let mut outcome = fixture::two_arms();
        outcome.arms[0].name = "acks=1".to_owned();
        outcome.arms[1].name = "Acks 1".to_owned();
        assert_eq!(arm_names(&outcome), ["acks-1", "acks-1-2"]);
    }
}
