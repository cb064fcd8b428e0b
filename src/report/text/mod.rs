//! The summary on a terminal: the question, the answer, the proof, who is to blame, the figures, and how to see it again.

mod look;
#[cfg(test)]
mod tests;

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};

use crate::run::{Answer, ArmOutcome, Outcome};
use look::Ink;
pub(crate) use look::wrap;
pub use look::{Look, Style};

use super::{contrast, view, words};

/// The summary of an outcome, ending in a line break.
///
/// ```
/// # fn of(outcome: &deadletter::run::Outcome) {
/// use deadletter::report::text::{Look, Style, summary};
/// print!("{}", summary(outcome, Look { width: 100, style: Style::Plain }));
/// # }
/// ```
#[must_use]
pub fn summary(outcome: &Outcome, look: Look) -> String {
    let mut page = Page { out: String::new(), look };
    page.head(outcome);
    if outcome.arms.len() > 1 {
        page.contrast(&outcome.arms);
    }
    for arm in &outcome.arms {
        page.arm(arm, outcome.arms.len() > 1);
    }
    page.foot(outcome);
    page.out
}

/// Tables have a line above, below and under their heads, and none elsewhere.
pub(super) const RULES: TableStyle = TableStyle::new()
    .top_border(LineStyle::none().fill('─').junction('─'))
    .header_separator(LineStyle::none().fill('─').junction('─'))
    .bottom_border(LineStyle::none().fill('─').junction('─'));

/// The text so far.
struct Page {
    out: String,
    look: Look,
}

impl Page {
    fn head(&mut self, outcome: &Outcome) {
        let style = self.look.style;
        let ink = ink(outcome.answer);
        let verdict = view::verdict(outcome.answer, outcome.arms.len());
        let name = words::clean(&outcome.scenario);
        self.line(&style.paint(Ink::Heading, &name));
        self.blank();
        self.field("Question", &words::clean(&outcome.question));
        self.field("Expected", &words::clean(&outcome.answer_expected));
        let sign = style.paint(ink, words::sign(outcome.answer));
        let verdict = wrap(&verdict, self.look.columns() - 13, 0).replace('\n', &format!("\n{}", " ".repeat(13)));
        self.line(&format!("{:<10} {sign} {}", "Answer", style.paint(ink, &verdict)));
    }

    /// Arms in columns, as many beside each other as have room: what one changed setting does.
    fn contrast(&mut self, arms: &[ArmOutcome]) {
        self.heading("Side by side: same load, same faults, one setting changed");
        let (figures, same) = contrast::telling(arms);
        let room = (self.look.columns() - 44) / 14;
        for (i, some) in arms.chunks(room.max(2)).enumerate() {
            let first = i * room.max(2);
            if i > 0 {
                self.blank();
            }
            let names: Vec<String> = some.iter().map(|a| words::clean(&a.name)).collect();
            let mut table = self.table(std::iter::once("").chain(names.iter().map(String::as_str)));
            let answers = some.iter().map(|a| format!("{} {}", words::sign(a.answer), yes_no(a.answer)));
            table.add_row(std::iter::once("As expected?".to_owned()).chain(answers));
            for figure in &figures {
                let values = figure.bars[first..first + some.len()].iter().map(|b| b.text.clone());
                table.add_row(std::iter::once(figure.name.to_owned()).chain(values));
            }
            align_right(&mut table, 1);
            self.put(&table);
        }
        if let Some(same) = same {
            self.para(&same, 0);
        }
        for arm in arms.iter().filter(|a| !a.differs.is_empty()) {
            self.para(&format!("{} sets {}.", words::clean(&arm.name), words::clean(&arm.differs.join(", "))), 0);
        }
    }

    fn arm(&mut self, arm: &ArmOutcome, many: bool) {
        let style = self.look.style;
        if many {
            self.blank();
            let width = self.look.columns();
            let title = format!("── {} {} ", words::sign(arm.answer), view::arm_name(arm));
            let rule = "─".repeat(width.saturating_sub(title.chars().count()));
            self.line(&style.paint(Ink::Heading, &format!("{title}{rule}")));
        }
        self.expectations(arm);
        self.promises(arm);
        self.breaches(arm);
        self.faults(arm);
        self.figures(arm);
        self.warnings(arm);
        self.repeat(arm);
    }

    fn expectations(&mut self, arm: &ArmOutcome) {
        self.heading(&format!("What was expected, and what came out in {}", words::counted(arm.runs, "run", "runs")));
        if arm.expected.is_empty() {
            self.para("Nothing was expected in so many words: only promises count.", 2);
        }
        for expected in &arm.expected {
            let sign = self.look.style.paint(ink(expected.answer), words::sign(expected.answer));
            let detail = words::clean(&expected.detail);
            let seed = expected.seed.map_or_else(String::new, |s| format!(", see seed {s}"));
            let text = wrap(&format!("{}: {detail}{seed}", words::clean(&expected.text)), self.look.columns() - 4, 0);
            self.line(&format!("  {sign} {}", text.replace('\n', "\n    ")));
        }
    }

    fn promises(&mut self, arm: &ArmOutcome) {
        let (rows, others) = view::promises(arm);
        if rows.is_empty() && others.is_empty() {
            return;
        }
        self.heading("Promised against observed");
        if !rows.is_empty() {
            let mut table = self.table(["", "What", "Promised?", "Observed"]);
            for row in rows {
                table.add_row([row.sign.to_owned(), row.what, words::clean(&row.promised), row.observed]);
            }
            self.put(&table);
        }
        for others in others {
            self.para(&others, 0);
        }
    }

    fn breaches(&mut self, arm: &ArmOutcome) {
        let breaches = view::breaches(arm);
        if breaches.is_empty() {
            return;
        }
        self.heading("The proof");
        let story = view::story(arm);
        for (i, breach) in breaches.iter().enumerate() {
            let ink = if breach.sign == "✘" { Ink::Bad } else { Ink::Aside };
            let sign = self.look.style.paint(ink, breach.sign);
            let text = wrap(&breach.what, self.look.columns() - 4, 0).replace('\n', "\n    ");
            self.line(&format!("  {sign} {text}"));
            self.para(&format!("{} {}", breach.proof, breach.cases), 4);
            if i == 0 {
                self.story(&story);
            }
        }
    }

    fn story(&mut self, rows: &[view::StoryRow]) {
        if rows.is_empty() {
            return;
        }
        self.para("How it came to that:", 4);
        let rows: Vec<_> = rows.iter().map(|r| view::StoryRow { node: short(&r.node), ..r.clone() }).collect();
        let at = rows.iter().map(|r| r.at.chars().count()).max().unwrap_or(0);
        let node = rows.iter().map(|r| r.node.chars().count()).max().unwrap_or(0);
        let column = 6 + at + 2 + node + 2;
        for row in &rows {
            let text = wrap(&row.text, self.look.columns().saturating_sub(column).max(30), 0);
            let text = text.replace('\n', &format!("\n{}", " ".repeat(column)));
            let (pad_at, pad_node) = (at - row.at.chars().count(), node - row.node.chars().count());
            let when = self.look.style.paint(Ink::Aside, &row.at);
            self.line(&format!("      {}{when}  {}{}  {text}", " ".repeat(pad_at), row.node, " ".repeat(pad_node)));
        }
    }

    fn faults(&mut self, arm: &ArmOutcome) {
        let rows = view::faults(arm);
        if rows.is_empty() {
            return;
        }
        self.heading("Faults, in the run that is shown");
        let mut table = self.table(["Fault", "Struck", "Touched", "To blame?", "When"]);
        for row in rows {
            table.add_row([row.name, row.fired, row.touched, row.mattered.to_owned(), row.strikes]);
        }
        self.put(&table);
    }

    fn figures(&mut self, arm: &ArmOutcome) {
        self.heading("Figures, of the run that is shown");
        for sentence in view::accounting(arm).into_iter().chain(view::figures(arm)).chain(view::marks(arm)).chain(view::pending(arm)) {
            self.para(&sentence, 2);
        }
        let rows = view::latency(arm);
        if !rows.is_empty() {
            self.blank();
            let mut table = self.table(view::LATENCY_COLUMNS);
            for row in rows {
                table.add_row(row);
            }
            align_right(&mut table, 1);
            self.put(&table);
        }
    }

    fn warnings(&mut self, arm: &ArmOutcome) {
        let warnings = view::warnings(arm);
        if warnings.is_empty() {
            return;
        }
        self.heading("Be careful");
        for warning in warnings {
            let sign = self.look.style.paint(Ink::Care, "!");
            let text = wrap(&warning, self.look.columns() - 4, 0).replace('\n', "\n    ");
            self.line(&format!("  {sign} {text}"));
        }
    }

    fn repeat(&mut self, arm: &ArmOutcome) {
        self.heading("See it again");
        self.para(&view::run(arm), 2);
        self.line(&format!("  {}", words::clean(&arm.repro)));
    }

    fn foot(&mut self, outcome: &Outcome) {
        self.blank();
        let text = format!("deadletter {}, plan {}, report format {}", outcome.version, words::clean(&outcome.plan), outcome.format);
        let text = self.look.style.paint(Ink::Aside, &text);
        self.line(&text);
    }

    fn heading(&mut self, text: &str) {
        self.blank();
        let text = self.look.style.paint(Ink::Heading, text);
        self.line(&text);
    }

    /// A named text at the top.
    fn field(&mut self, name: &str, text: &str) {
        let text = wrap(text, self.look.columns() - 11, 0).replace('\n', &format!("\n{}", " ".repeat(11)));
        self.line(&format!("{name:<10} {text}"));
    }

    /// A paragraph behind so many spaces; its further lines two further in.
    fn para(&mut self, text: &str, indent: usize) {
        let text = wrap(text, self.look.columns() - indent, 2).replace('\n', &format!("\n{}", " ".repeat(indent)));
        self.line(&format!("{}{text}", " ".repeat(indent)));
    }

    fn table<'a>(&self, header: impl IntoIterator<Item = &'a str>) -> Table {
        let mut table = Table::new();
        let width = u16::try_from(self.look.columns()).unwrap_or(80);
        table.load_style(RULES).set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        table.set_header(header.into_iter().map(str::to_owned));
        table
    }

    fn put(&mut self, table: &Table) {
        let text = self.look.style.signs(&table.trim_fmt());
        self.line(&text);
    }

    fn line(&mut self, text: &str) {
        for line in text.split('\n') {
            self.out.push_str(line.trim_end());
            self.out.push('\n');
        }
    }

    fn blank(&mut self) {
        self.out.push('\n');
    }
}

/// A node's name, cut where it would leave no room for the story.
fn short(name: &str) -> String {
    const LONGEST: usize = 20;
    if name.chars().count() <= LONGEST { name.to_owned() } else { name.chars().take(LONGEST - 1).chain(['…']).collect() }
}

/// Numbers stand to the right, from a column on.
fn align_right(table: &mut Table, from: usize) {
    table.column_iter_mut().skip(from).for_each(|c| c.set_cell_alignment(CellAlignment::Right));
}

const fn ink(answer: Answer) -> Ink {
    match answer {
        Answer::Holds => Ink::Good,
        Answer::Broken => Ink::Bad,
        Answer::Unknown => Ink::Care,
    }
}

const fn yes_no(answer: Answer) -> &'static str {
    match answer {
        Answer::Holds => "yes",
        Answer::Broken => "no",
        Answer::Unknown => "cannot be told",
    }
}
