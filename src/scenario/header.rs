//! The first comments of a file: the question it asks, and the answer it expects.

use crate::base::{Place, Problem};

/// Question and answer of a text; what is missing is a problem.
pub(super) fn read(whole: &Place, problems: &mut Vec<Problem>) -> Option<(String, String)> {
    let lines = comments(&whole.text);
    let at = |start: usize, end: usize| Place { start, end, ..whole.clone() };
    let first = lines.first().map_or(at(0, whole.text.find('\n').unwrap_or(whole.text.len())), |line| at(line.start, line.end));
    let Some(end) = lines.iter().position(|line| line.text.ends_with('?')) else {
        let problem = if lines.iter().any(|line| !line.text.is_empty()) {
            Problem::error(first, "the first comment does not ask a question")
        } else {
            Problem::error(first, "the file does not say what it asks")
        };
        problems.push(problem.hint("begin with the question and the expected answer: `# Does …?` and on the next line `# Yes: …`"));
        return None;
    };
    let question = joined(&lines[..=end]);
    let answer = lines[end + 1..].iter().skip_while(|line| line.text.is_empty()).take_while(|line| !line.text.is_empty());
    let answer: Vec<&Line<'_>> = answer.collect();
    if answer.is_empty() {
        let problem = Problem::error(at(lines[end].start, lines[end].end), "the question has no answer");
        problems.push(problem.hint("write the answer that you expect as the comment below it"));
        return None;
    }
    Some((question, answer.iter().flat_map(|line| line.text.split_whitespace()).collect::<Vec<_>>().join(" ")))
}

/// A comment line without its sign; an empty line has an empty text.
struct Line<'t> {
    text: &'t str,
    start: usize,
    end: usize,
}

/// The comment lines and empty lines at the head of a file. Lines that begin with `#:` are for editors.
fn comments(text: &str) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    let mut start = 0;
    for line in text.split('\n') {
        let trimmed = line.trim();
        let end = start + line.trim_end().len();
        match trimmed.strip_prefix('#') {
            Some(rest) if rest.starts_with(':') => {}
            Some(rest) => lines.push(Line { text: rest.trim(), start, end }),
            None if trimmed.is_empty() => lines.push(Line { text: "", start, end }),
            None => break,
        }
        start += line.len() + 1;
    }
    while lines.first().is_some_and(|line| line.text.is_empty()) {
        lines.remove(0);
    }
    lines
}

fn joined(lines: &[Line<'_>]) -> String {
    lines.iter().flat_map(|line| line.text.split_whitespace()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> Result<(String, String), String> {
        let mut problems = Vec::new();
        let place = Place { file: "x".into(), text: text.into(), start: 0, end: 0 };
        read(&place, &mut problems).ok_or_else(|| problems[0].what.clone())
    }

    #[test]
    fn question_and_answer() {
        let both = |q: &str, a: &str| Ok((q.to_owned(), a.to_owned()));
        assert_eq!(header("#:schema x\n# Does  it\n# hold?\n# Yes:\n#  it does.\n\n# More.\n[a]"), both("Does it hold?", "Yes: it does."));
        assert_eq!(header("\n# What?\n#\n# That.\n#\n# Notes."), both("What?", "That."));
        assert_eq!(header("# No question.\n[a]"), Err("the first comment does not ask a question".into()));
        assert_eq!(header("[a]\n# What?\n# That."), Err("the file does not say what it asks".into()));
        assert_eq!(header("# What?\n[a]\n# That."), Err("the question has no answer".into()));
        assert_eq!(header(""), Err("the file does not say what it asks".into()));
    }
}
