//! Any text is read without a panic; every problem lies inside the text; a plan prints itself as the same plan.
#![no_main]

use deadletter::model::BUILT_IN;
use deadletter::scenario::{Source, read, render};
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Ok(text) = std::str::from_utf8(bytes) else { return Corpus::Reject };
    // The last line is also tried as a setting of the command line.
    let sets: Vec<String> = text.lines().last().map(str::to_owned).into_iter().collect();
    for sets in [&[][..], &sets[..]] {
        let files = |_: &str| Err("there are no files".to_owned());
        let reading = read(&Source { file: "fuzz.toml", text, sets, models: BUILT_IN, files: &files });
        for problem in &reading.problems {
            let place = problem.place.as_ref().expect("a place");
            assert!(place.start <= place.end && place.end <= place.text.len());
        }
        assert!(render(&reading.problems, true).len() >= render(&reading.problems, false).len());
        let Some(plan) = reading.plan else { continue };
        let printed = plan.print();
        let again = read(&Source { file: "fuzz.toml", text: &printed, sets: &[], models: BUILT_IN, files: &files }).plan;
        assert!(again.as_ref() == Some(&plan), "{printed}");
    }
    Corpus::Keep
});
