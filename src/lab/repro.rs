//! The one line that repeats a run.

use std::fmt;

/// What must be typed to see a run again, and how to know that it is the same.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Repro<'a> {
    /// The scenario file as it was named.
    pub file: &'a str,
    /// The arm, unless the scenario has only one.
    pub arm: Option<&'a str>,
    /// The settings given on the command line, as `key=value`.
    pub set: &'a [String],
    /// The seed.
    pub seed: u64,
    /// The hash of the checked plan.
    pub plan: &'a str,
    /// The digest of the run, if it came to an end.
    pub digest: Option<crate::base::Digest>,
}

impl fmt::Display for Repro<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "deadletter run {} --seed {}", quoted(self.file), self.seed)?;
        if let Some(arm) = self.arm {
            write!(f, " --arm {}", quoted(arm))?;
        }
        for set in self.set {
            write!(f, " --set {}", quoted(set))?;
        }
        write!(f, "   # deadletter {}, scenario {}", env!("CARGO_PKG_VERSION"), self.plan)?;
        match self.digest {
            Some(digest) => write!(f, ", digest {digest}"),
            None => write!(f, ", no digest: the run did not end"),
        }
    }
}

/// As a shell reads it: in single quotes unless it is plain.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Digest;

    #[test]
    fn a_shell_reads_it() {
        let set = ["load.rate=5/s".to_owned(), "x=it's".to_owned()];
        let mut repro = Repro { file: "a b.toml", arm: Some("acks=1"), set: &set, seed: 7, plan: "00ff", digest: Some(Digest::new()) };
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(
            repro.to_string(),
            format!(
                "deadletter run 'a b.toml' --seed 7 --arm acks=1 --set load.rate=5/s --set 'x=it'\\''s'   \
                 # deadletter {version}, scenario 00ff, digest 243f6a8885a308d3"
            )
        );
        repro = Repro { file: "a.toml", arm: None, set: &[], digest: None, ..repro };
        let text = format!("deadletter run a.toml --seed 7   # deadletter {version}, scenario 00ff, no digest: the run did not end");
        assert_eq!(repro.to_string(), text);
    }
}
