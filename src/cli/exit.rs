//! Exit codes: what a script learns without reading a word.

use crate::run::Answer;

/// How the program ended. Numbers follow `sysexits.h` where it has one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// Everything came out as expected.
    Holds,
    /// An expectation or a promise is broken.
    Broken,
    /// Nothing can be said.
    Unknown,
    /// The command line is wrong.
    Usage,
    /// A scenario is wrong.
    BadFile,
    /// Our own bug, or non-determinism.
    OurBug,
}

impl Exit {
    /// In the order in which they count when there are several files.
    const WORST_FIRST: [Exit; 6] = [Exit::OurBug, Exit::BadFile, Exit::Usage, Exit::Broken, Exit::Unknown, Exit::Holds];

    /// The number the process ends with. An interrupt is 130, and that one is the shell's: the process dies of the signal.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Exit::Holds => 0,
            Exit::Broken => 1,
            Exit::Unknown => 2,
            Exit::Usage => 64,
            Exit::BadFile => 65,
            Exit::OurBug => 70,
        }
    }

    /// The one that counts of several: the first of 70, 65, 64, 1, 2, 0 that occurs. Of none: nothing was done, usage.
    #[must_use]
    pub fn worst(of: impl IntoIterator<Item = Exit>) -> Exit {
        let rank = |exit: &Exit| Exit::WORST_FIRST.iter().position(|e| e == exit);
        of.into_iter().min_by_key(rank).unwrap_or(Exit::Usage)
    }
}

impl From<Answer> for Exit {
    fn from(answer: Answer) -> Exit {
        match answer {
            Answer::Holds => Exit::Holds,
            Answer::Broken => Exit::Broken,
            Answer::Unknown => Exit::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_counts() {
        assert_eq!(Exit::worst([Exit::Holds, Exit::Unknown, Exit::Broken]), Exit::Broken);
        assert_eq!(Exit::worst([Exit::Broken, Exit::Usage]), Exit::Usage);
        assert_eq!(Exit::worst([Exit::BadFile, Exit::OurBug, Exit::Usage]), Exit::OurBug);
        assert_eq!(Exit::worst([Exit::Holds]), Exit::Holds);
        assert_eq!(Exit::worst([]), Exit::Usage);
        let codes: Vec<u8> = Exit::WORST_FIRST.iter().map(|e| e.code()).collect();
        assert_eq!(codes, [70, 65, 64, 1, 2, 0]);
    }
}
