//! The table of results: what was measured beside what, and whether it reaches its bar.

use std::fmt;

/// One comparison.
pub(crate) struct Row {
    cells: [String; 6],
    /// Whether its bar is met; `None`: it has none.
    met: Option<bool>,
}

impl Row {
    /// Rates of ours and of a peer, round by round; the bar is for the median of their ratios.
    pub(crate) fn rates(workload: &str, unit: &str, peer: &str, (ours, theirs): (&[f64], &[f64]), bar: Option<f64>) -> Row {
        let ratio = median(ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect());
        let cells = [
            format!("{workload} ({unit})"),
            format!("{:.2}", median(ours.to_vec())),
            peer.to_owned(),
            format!("{:.2}", median(theirs.to_vec())),
            format!("{ratio:.2}"),
            bar.map_or_else(String::new, |bar| format!(">= {bar}")),
        ];
        Row { cells, met: bar.map(|bar| ratio >= bar) }
    }

    /// A cost of ours that must stay below a limit.
    pub(crate) fn limit(workload: &str, unit: &str, cost: f64, limit: f64) -> Row {
        let empty = String::new;
        let cells = [format!("{workload} ({unit})"), format!("{cost:.2}"), empty(), empty(), empty(), format!("< {limit}")];
        Row { cells, met: Some(cost < limit) }
    }
}

/// All comparisons of a run.
#[derive(Default)]
pub(crate) struct Table(Vec<Row>);

impl Table {
    /// Adds a row and says so: the whole takes a while.
    pub(crate) fn add(&mut self, row: Row) {
        eprintln!("measured: {}", row.cells[0]);
        self.0.push(row);
    }

    /// Whether every bar is met.
    pub(crate) fn all_met(&self) -> bool {
        self.0.iter().all(|row| row.met != Some(false))
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = ["workload", "ours", "peer", "theirs", "ratio", "bar", ""].map(String::from);
        let met = |met: Option<bool>| String::from(met.map_or("", |met| if met { "met" } else { "NOT MET" }));
        let lines = self.0.iter().map(|row| {
            let [a, b, c, d, e, bar] = row.cells.clone();
            [a, b, c, d, e, bar, met(row.met)]
        });
        for [workload, ours, peer, theirs, ratio, bar, met] in std::iter::once(head).chain(lines) {
            writeln!(f, "{workload:<36} {ours:>7} {peer:>8} {theirs:>7} {ratio:>7} {bar:>7}  {met}")?;
        }
        Ok(())
    }
}

/// The middle of some numbers.
pub(crate) fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}
