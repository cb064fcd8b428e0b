//! The page: one HTML file with everything in it, readable without network, printable, and equal for equal outcomes.

use minijinja::Environment;
use minijinja::value::{Serde, Value};
use serde::Serialize;

use crate::run::{Answer, ArmOutcome, Outcome};

use super::chart::{self, Chart};
use super::{contrast, view, words};

const TEMPLATE: &str = include_str!("page.html");
const CSS: &str = include_str!("page.css");

/// The page of an outcome.
///
/// # Panics
/// Never: the template is part of the program, and the tests render it.
#[must_use]
pub fn render(outcome: &Outcome) -> String {
    let mut environment = Environment::new();
    environment.add_template("page.html", TEMPLATE).expect("the template is well-formed");
    let template = environment.get_template("page.html").expect("it was just added");
    template.render(Value::from(Serde(Page::of(outcome)))).expect("the template names what there is")
}

#[derive(Serialize)]
struct Page {
    css: &'static str,
    scenario: String,
    question: String,
    expected: String,
    sign: &'static str,
    class: &'static str,
    verdict: String,
    many: bool,
    names: Vec<String>,
    contrast: Vec<ContrastRow>,
    same: Option<String>,
    contrast_chart: Picture,
    arms: Vec<Arm>,
    foot: String,
}

#[derive(Serialize)]
struct ContrastRow {
    name: &'static str,
    values: Vec<String>,
}

/// A chart, or the reason why there is none.
#[derive(Serialize)]
struct Picture {
    title: &'static str,
    svg: Option<String>,
    nothing: &'static str,
}

#[derive(Serialize)]
struct Arm {
    id: String,
    name: String,
    differs: Vec<String>,
    sign: &'static str,
    class: &'static str,
    answer: &'static str,
    verdict: &'static str,
    runs: String,
    expected: Vec<ExpectedRow>,
    promises: Vec<view::PromiseRow>,
    others: Vec<String>,
    breaches: Vec<view::Breach>,
    story: Vec<view::StoryRow>,
    faults: Vec<view::FaultRow>,
    sentences: Vec<String>,
    latency_columns: &'static [&'static str],
    latency: Vec<[String; 7]>,
    warnings: Vec<String>,
    marks: Option<String>,
    charts: Vec<Picture>,
    run: String,
    repro: String,
}

#[derive(Serialize)]
struct ExpectedRow {
    sign: &'static str,
    class: &'static str,
    text: String,
    detail: String,
    seed: Option<u64>,
}

impl Page {
    fn of(outcome: &Outcome) -> Page {
        let arms = &outcome.arms;
        let row = |f: contrast::Figure| ContrastRow { name: f.name, values: f.bars.into_iter().map(|b| b.text).collect() };
        let (figures, same) = contrast::telling(arms);
        Page {
            css: CSS,
            scenario: words::clean(&outcome.scenario),
            question: words::clean(&outcome.question),
            expected: words::clean(&outcome.answer_expected),
            sign: words::sign(outcome.answer),
            class: class(outcome.answer),
            verdict: view::verdict(outcome.answer, arms.len()),
            many: arms.len() > 1,
            names: arms.iter().map(|a| words::clean(&a.name)).collect(),
            contrast: figures.into_iter().map(row).collect(),
            same,
            contrast_chart: Picture::of(&chart::contrast(arms)),
            arms: arms.iter().enumerate().map(|(i, arm)| Arm::of(arm, i)).collect(),
            foot: format!("deadletter {}, plan {}, report format {}", outcome.version, words::clean(&outcome.plan), outcome.format),
        }
    }
}

impl Picture {
    fn of(chart: &Chart) -> Picture {
        Picture { title: chart.title, svg: chart.svg(), nothing: chart.nothing }
    }
}

impl Arm {
    fn of(arm: &ArmOutcome, index: usize) -> Arm {
        let (mut promises, others) = view::promises(arm);
        promises.iter_mut().for_each(|row| row.observed = words::bound(&row.observed));
        let mut faults = view::faults(arm);
        faults.iter_mut().for_each(|row| row.strikes = words::bound(&row.strikes));
        let sentences = view::accounting(arm).into_iter().chain(view::figures(arm)).chain(view::pending(arm));
        let expected = arm.expected.iter().map(|e| ExpectedRow {
            sign: words::sign(e.answer),
            class: class(e.answer),
            text: words::clean(&e.text),
            detail: words::bound(&words::clean(&e.detail)),
            seed: e.seed,
        });
        Arm {
            id: format!("arm-{index}"),
            name: words::clean(&arm.name),
            differs: arm.differs.iter().map(|d| words::clean(d)).collect(),
            sign: words::sign(arm.answer),
            class: class(arm.answer),
            answer: words::answer(arm.answer),
            verdict: view::arm_verdict(arm.answer),
            runs: words::counted(arm.runs, "run", "runs"),
            expected: expected.collect(),
            promises,
            others,
            breaches: view::breaches(arm),
            story: view::story(arm),
            faults,
            sentences: sentences.map(|s| words::bound(&s)).collect(),
            latency_columns: &view::LATENCY_COLUMNS,
            latency: view::latency(arm),
            warnings: view::warnings(arm),
            marks: view::marks(arm),
            charts: chart::of_arm(arm).iter().map(Picture::of).collect(),
            run: view::run(arm),
            repro: words::clean(&arm.repro),
        }
    }
}

/// The colour of an answer.
const fn class(answer: Answer) -> &'static str {
    match answer {
        Answer::Holds => "good",
        Answer::Broken => "bad",
        Answer::Unknown => "care",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn the_page_holds_everything_and_nothing_from_outside() {
        for outcome in fixture::all() {
            let page = render(&outcome);
            // A namespace is a name, not an address that is fetched.
            let bare = page.replace("http://www.w3.org/2000/svg", "");
            for outside in ["http:", "https:", "src=", "@import", "url(", "<script", "<link", "<iframe"] {
                assert!(!bare.contains(outside), "{outside} in the page of {}", outcome.scenario);
            }
            assert_eq!(page.matches("<section class=\"arm\"").count(), outcome.arms.len());
            let drawn = outcome.arms.iter().flat_map(chart::of_arm).filter(Chart::is_drawn).count();
            assert_eq!(page.matches("<svg ").count(), drawn + usize::from(chart::contrast(&outcome.arms).is_drawn()));
            for arm in &outcome.arms {
                assert!(page.contains(&format!("seed {}", arm.shown.seed)) && page.contains(&arm.shown.digest.to_string()));
            }
        }
    }

    #[test]
    fn hostile_names_stay_names() {
        let page = render(&fixture::hostile());
        assert!(!page.contains("<script>") && !page.contains("<img ") && !page.contains("\u{1b}"));
        assert!(page.contains("&lt;script&gt;"));
    }
}
