//! How text looks on a terminal: its width, its colours, and lines broken between words.

/// Colours or none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    /// No escape codes: for files, pipes and whoever set `NO_COLOR`.
    Plain,
    /// Signs, headings and side remarks in colour.
    #[cfg(feature = "cli")]
    Coloured,
}

/// What a piece of text is, for its colour.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ink {
    /// A heading.
    Heading,
    /// Good news.
    Good,
    /// Bad news.
    Bad,
    /// Something to be careful about.
    Care,
    /// A side remark.
    Aside,
}

impl Style {
    /// The text in its colour, if colours are wanted.
    #[cfg(not(feature = "cli"))]
    pub(super) fn paint(self, _ink: Ink, text: &str) -> String {
        match self {
            Style::Plain => text.to_owned(),
        }
    }

    /// The text in its colour, if colours are wanted.
    #[cfg(feature = "cli")]
    pub(super) fn paint(self, ink: Ink, text: &str) -> String {
        use anstyle::{AnsiColor, Style as Ansi};
        match self {
            Style::Plain => text.to_owned(),
            Style::Coloured => {
                let ansi = match ink {
                    Ink::Heading => Ansi::new().bold(),
                    Ink::Good => AnsiColor::Green.on_default().bold(),
                    Ink::Bad => AnsiColor::Red.on_default().bold(),
                    Ink::Care => AnsiColor::Yellow.on_default().bold(),
                    Ink::Aside => Ansi::new().dimmed(),
                };
                format!("{}{text}{}", ansi.render(), ansi.render_reset())
            }
        }
    }

    /// The signs `✔`, `✘` and `?` in their colours. A question mark only counts where it stands alone in a cell or at a line's start.
    pub(super) fn signs(self, text: &str) -> String {
        text.replace('✔', &self.paint(Ink::Good, "✔"))
            .replace('✘', &self.paint(Ink::Bad, "✘"))
            .replace(" ? ", &format!(" {} ", self.paint(Ink::Care, "?")))
    }
}

/// How wide and how coloured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Look {
    /// Columns of the terminal; what is below 80 or above 120 is taken as that.
    pub width: usize,
    /// Colours or none.
    pub style: Style,
}

impl Look {
    /// For files: 100 columns, no colours.
    pub const FILE: Look = Look { width: 100, style: Style::Plain };

    /// The width within bounds.
    pub(super) const fn columns(self) -> usize {
        if self.width < 80 {
            80
        } else if self.width > 120 {
            120
        } else {
            self.width
        }
    }
}

/// A text broken between words into lines of at most `width` characters, all but the first behind `indent` spaces. A word that is
/// longer stands alone on its line: commands must stay whole to be copied.
pub(crate) fn wrap(text: &str, width: usize, indent: usize) -> String {
    let mut out = String::new();
    let mut column = 0;
    for word in text.split(' ').filter(|w| !w.is_empty()) {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > width {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            column = indent;
        } else if column > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_break_between_words() {
        assert_eq!(wrap("one two three four", 9, 2), "one two\n  three\n  four");
        assert_eq!(wrap("--seed 1000000000000", 8, 2), "--seed\n  1000000000000");
    }

    proptest! {
        #[test]
        fn no_word_is_lost_and_no_line_too_long(words in prop::collection::vec("[a-zé]{1,12}", 0..40), width in 16usize..60) {
            let text = words.join(" ");
            let wrapped = wrap(&text, width, 3);
            prop_assert_eq!(wrapped.split_whitespace().collect::<Vec<_>>(), words.iter().map(String::as_str).collect::<Vec<_>>());
            prop_assert!(wrapped.lines().all(|l| l.chars().count() <= width), "{}", wrapped);
        }
    }
}
