//! The house rules as a test: which floor may use which, how long files and functions get, and that nothing is left lying about.

use std::fs;
use std::path::{Path, PathBuf};

/// The floors: a folder under `src/` (or the root files of one) may use the folders in its row, and nothing else of ours.
/// `parts` is looked at part by part: the parts share their vocabulary and never use each other.
const FLOORS: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("record", &["base"]),
    ("parts", &["base"]),
    ("world", &["base", "record", "parts"]),
    ("check", &["base", "record"]),
    ("availability", &["base", "record"]),
    ("load", &["base", "record"]),
    ("model", &["base", "record", "world", "check"]),
    ("scenario", &["base", "record", "parts", "world", "check", "availability", "load", "model"]),
    ("run", &["base", "record", "parts", "world", "check", "availability", "load", "model", "scenario"]),
    ("lab", &["base", "record", "parts", "world", "check", "availability", "load", "model", "scenario", "run"]),
    ("testing", &["base", "record", "parts", "world", "check", "availability", "load", "model", "scenario", "run", "lab"]),
    ("report", &["base", "record", "check", "availability", "run", "lab"]),
    ("cli", &["base", "record", "parts", "world", "check", "availability", "load", "model", "scenario", "run", "lab", "report"]),
];

/// Modules of `parts` that every part may use: their common vocabulary.
const PARTS_VOCABULARY: &[&str] = &["config", "fault"];

/// Modules of `model` that several models share.
const MODEL_SHARED: &[&str] = &["protocol", "client", "quorum", "raft", "rig"];

const FILE_LIMIT: usize = 600;
const FUNCTION_LIMIT: usize = 70;

#[test]
fn floors_are_used_downward_only() {
    let mut wrong = Vec::new();
    for file in rust_files("src") {
        let source = fs::read_to_string(&file).expect("a source file");
        let module = module_of(&file);
        for used in paths_into_the_crate(&code_only(&source), module.len()) {
            if let Err(why) = allowed(&module, &used) {
                wrong.push(format!("{}: `crate::{}`: {why}", file.display(), used.join("::")));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_floor_table_bites() {
    let path = |text: &str| text.split("::").map(String::from).collect::<Vec<_>>();
    assert!(allowed(&path("base::time"), &path("record::Op")).is_err());
    assert!(allowed(&path("check::stats"), &path("world::Sim")).is_err());
    assert!(allowed(&path("parts::disk"), &path("parts::network::route")).is_err());
    assert!(allowed(&path("parts::disk"), &path("parts::config::DiskConfig")).is_ok());
    assert!(allowed(&path("run::one"), &path("model::mailbox::MODEL")).is_err());
    assert!(allowed(&path("run::one"), &path("model::Model")).is_ok());
    assert!(allowed(&path("model::kafka::broker"), &path("model::mailbox::Msg")).is_err());
    assert!(allowed(&path("nowhere"), &path("base::Time")).is_err());
    assert!(allowed(&path("model::kafka::tests::rig"), &path("parts::fault::Fault")).is_ok());
    assert!(allowed(&path("model::kafka::tests::rig"), &path("run::one")).is_err());
    let found = paths_into_the_crate("use crate::{base::{Time, ids::NodeId}, run::Story}; use super::super::lab::x;", 2);
    let found: Vec<String> = found.iter().map(|p| p.join("::")).collect();
    assert_eq!(found, ["base::Time", "base::ids::NodeId", "run::Story", "lab"]);
}

#[test]
fn files_and_functions_stay_short() {
    let mut wrong = Vec::new();
    for file in ["src", "tests", "examples", "benches"].into_iter().flat_map(rust_files) {
        let source = fs::read_to_string(&file).expect("a source file");
        let lines = source.lines().count();
        if lines > FILE_LIMIT {
            wrong.push(format!("{}: {lines} lines, at most {FILE_LIMIT}", file.display()));
        }
        for (name, line, length) in functions(&code_only(&source)) {
            if length > FUNCTION_LIMIT {
                wrong.push(format!("{}:{line}: `{name}` has {length} lines of code, at most {FUNCTION_LIMIT}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn functions_are_measured() {
    let source = "fn one() {}\n\nimpl X {\n    fn two(\n        a: u8,\n    ) {\n        \"} fn no() {\";\n        // }\n\n        { }\n    }\n}\ntrait Y { fn three(); }";
    let found = functions(&code_only(source));
    assert_eq!(found, [("one".to_owned(), 1, 1), ("two".to_owned(), 4, 6)]);
}

#[test]
fn every_file_opens_with_a_sentence() {
    let mut wrong = Vec::new();
    for file in ["src", "tests", "examples", "benches"].into_iter().flat_map(rust_files) {
        let source = fs::read_to_string(&file).expect("a source file");
        if !source.starts_with("//! ") {
            wrong.push(file.display().to_string());
        }
    }
    assert!(wrong.is_empty(), "these files do not say what they are for: {wrong:?}");
}

#[test]
fn every_model_is_registered_and_has_scenarios() {
    for entry in fs::read_dir("src/model").expect("src/model").flatten() {
        let path = entry.path();
        let name = path.file_name().and_then(|n| n.to_str()).expect("a name").to_owned();
        if !path.is_dir() || MODEL_SHARED.contains(&name.as_str()) {
            continue;
        }
        assert!(deadletter::model::BUILT_IN.iter().any(|m| m.name() == name), "src/model/{name} has no row in BUILT_IN");
        let scenarios = files(Path::new("scenarios").join(&name).as_path(), "toml");
        assert!(!scenarios.is_empty(), "scenarios/{name} is empty: nobody can try the model");
    }
}

#[test]
fn nothing_is_left_lying_about() {
    // Written in two halves, so that this file does not find itself.
    let leftovers = [
        concat!("dbg", "!("),
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X:"),
        concat!("<<<<", "<<< "),
        concat!(">>>>", ">>> "),
        concat!("/wo", "rk/"),
        concat!("/tm", "p/"),
        concat!("../sha", "red"),
        concat!("#[al", "low("),
        concat!("#![al", "low("),
    ];
    let mut wrong = Vec::new();
    let mut looked = 0;
    for (folder, ending) in [("src", "rs"), ("tests", "rs"), ("examples", "rs"), ("benches", "rs"), ("docs", "md"), ("scenarios", "toml")] {
        for file in files(Path::new(folder), ending) {
            looked += 1;
            let text = fs::read_to_string(&file).expect("a text file");
            for (number, line) in text.lines().enumerate() {
                wrong.extend(leftovers.iter().filter(|l| line.contains(**l)).map(|l| format!("{}:{}: `{l}`", file.display(), number + 1)));
            }
        }
    }
    assert!(looked > 30, "only {looked} files were looked at");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_link_in_the_documents_leads_somewhere() {
    let mut looked = 0;
    let mut wrong = Vec::new();
    let mut documents = files(Path::new("docs"), "md");
    documents.extend(["README.md", "CHANGELOG.md"].map(PathBuf::from));
    for file in documents {
        let text = fs::read_to_string(&file).expect("a document");
        for (at, _) in text.match_indices("](") {
            let link: String = text[at + 2..].chars().take_while(|c| *c != ')' && *c != '#').collect();
            if link.is_empty() || link.contains("://") {
                continue;
            }
            looked += 1;
            if !file.parent().unwrap_or(Path::new("")).join(&link).exists() {
                wrong.push(format!("{}: `{link}` does not exist", file.display()));
            }
        }
    }
    assert!(looked > 10, "only {looked} links were looked at");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Whether a module may name a path of this crate.
fn allowed(module: &[String], used: &[String]) -> Result<(), String> {
    let Some(floor) = module.first() else { return Ok(()) }; // lib.rs and main.rs
    let to = &used[0];
    if !FLOORS.iter().any(|(name, _)| name == to) {
        return Ok(()); // a macro or a re-export of the root
    }
    let Some((_, below)) = FLOORS.iter().find(|(name, _)| name == floor) else {
        return Err(format!("`{floor}` is on no floor: give it a row in the table"));
    };
    let second = used.get(1).map(String::as_str);
    if floor == to {
        let here = module.get(1).map(String::as_str);
        let common = match floor.as_str() {
            "parts" => PARTS_VOCABULARY,
            "model" => MODEL_SHARED,
            _ => return Ok(()),
        };
        let is_module = second.is_some_and(|s| s.starts_with(|c: char| c.is_lowercase()));
        let fine = here.is_none() || here == second || !is_module || second.is_some_and(|s| common.contains(&s));
        return if fine { Ok(()) } else { Err("siblings never use each other".into()) };
    }
    // Tests set up whole machine rooms: they may reach everything below their floor.
    let row = |name: &str| FLOORS.iter().position(|(floor, _)| *floor == name);
    let is_test = module.iter().any(|part| part == "tests" || part == "rig" || part.ends_with("_tests"));
    let reachable = below.contains(&to.as_str()) || (is_test && row(to) < row(floor));
    if !reachable {
        return Err(format!("`{floor}` may use {below:?} only"));
    }
    let by_name = to == "model" && second.is_some_and(|s| s.starts_with(|c: char| c.is_lowercase()) && !MODEL_SHARED.contains(&s));
    if by_name { Err("models are reached through the registry only".into()) } else { Ok(()) }
}

/// `src/run/one.rs` is `[run, one]`; `src/run/mod.rs` is `[run]`; `src/lib.rs` is empty.
fn module_of(file: &Path) -> Vec<String> {
    let inside = file.strip_prefix("src").expect("under src").with_extension("");
    let mut parts: Vec<String> = inside.iter().map(|p| p.to_str().expect("text").to_owned()).collect();
    if matches!(parts.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        parts.pop();
    }
    parts
}

/// Every path that starts at the root of the crate, by `crate::` or by enough `super::`.
fn paths_into_the_crate(code: &str, depth: usize) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let before = code[..at].chars().next_back();
        if !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '$') {
            tree(&code[at + "crate::".len()..], &mut Vec::new(), &mut found);
        }
    }
    if depth > 0 {
        let up = "super::".repeat(depth);
        for (at, _) in code.match_indices(&up) {
            let first: String = code[at + up.len()..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if !code[..at].ends_with("super::") && FLOORS.iter().any(|(name, _)| *name == first) && depth > 1 {
                found.push(vec![first]);
            }
        }
    }
    found
}

/// Reads one use tree (`a::{b, c::D}`) and returns what is left of the text behind it.
fn tree<'a>(text: &'a str, prefix: &mut Vec<String>, found: &mut Vec<Vec<String>>) -> &'a str {
    let start = prefix.len();
    let mut rest = text.trim_start();
    loop {
        if let Some(mut inner) = rest.strip_prefix('{') {
            loop {
                inner = tree(inner, prefix, found).trim_start();
                match inner.strip_prefix(',') {
                    Some(next) if !next.trim_start().starts_with('}') => inner = next,
                    Some(next) => inner = next.trim_start(),
                    None => break,
                }
                if inner.starts_with('}') {
                    break;
                }
            }
            prefix.truncate(start);
            return inner.strip_prefix('}').unwrap_or(inner);
        }
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        rest = &rest[name.len()..];
        if !name.is_empty() {
            prefix.push(name);
        }
        match rest.strip_prefix("::") {
            Some(next) => rest = next,
            None => break,
        }
    }
    if prefix.len() > start {
        found.push(prefix.clone());
    }
    prefix.truncate(start);
    rest.trim_start().strip_prefix("as ").map_or(rest, |alias| alias.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_'))
}

/// Name, first line and length in lines of code of every function with a body.
fn functions(code: &str) -> Vec<(String, usize, usize)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        if code[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let name: String = code[at + 3..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let Some(stop) = code[at..].find(['{', ';']).filter(|_| !name.is_empty()) else { continue };
        if code[at + stop..].starts_with(';') && !code[at..at + stop].contains('[') {
            continue;
        }
        let mut deep = 0;
        let end = code[at..].char_indices().find_map(|(i, c)| {
            match c {
                '{' => deep += 1,
                '}' => deep -= 1,
                ';' if deep == 0 && !code[at..at + i].contains('[') => return Some(i),
                _ => return None,
            }
            (c == '}' && deep == 0).then_some(i + 1)
        });
        let Some(end) = end else { continue };
        let length = code[at..at + end].lines().filter(|l| !l.trim().is_empty()).count();
        found.push((name, code[..at].matches('\n').count() + 1, length));
    }
    found
}

/// The source with comments and the insides of strings blanked; lines keep their numbers.
fn code_only(source: &str) -> String {
    let chars: Vec<char> = source.chars().collect();
    let mut out = String::with_capacity(source.len());
    let mut i = 0;
    while i < chars.len() {
        let next = chars.get(i + 1).copied();
        match chars[i] {
            '/' if next == Some('/') => {
                while i < chars.len() && chars[i] != '\n' {
                    i += 1;
                }
            }
            'r' if raw_string(&chars, i).is_some() => {
                let (open, close) = raw_string(&chars, i).expect("just found");
                let inside: String = chars[open..close].iter().filter(|c| **c == '\n').collect();
                out.push_str("\"\"");
                out.push_str(&inside);
                i = close;
            }
            '"' => {
                out.push('"');
                i += 1;
                while i < chars.len() && chars[i] != '"' {
                    if chars[i] == '\\' {
                        i += 1;
                    }
                    if chars.get(i) == Some(&'\n') {
                        out.push('\n');
                    }
                    i += 1;
                }
                out.push('"');
                i += 1;
            }
            '\'' if next == Some('\\') || chars.get(i + 2) == Some(&'\'') => {
                i += if next == Some('\\') { 3 } else { 2 };
                while i < chars.len() && chars[i] != '\'' {
                    i += 1;
                }
                i += 1;
                out.push_str("' '");
            }
            other => {
                out.push(other);
                i += 1;
            }
        }
    }
    out
}

/// Where the inside of a raw string that starts at `i` begins, and where the string ends.
fn raw_string(chars: &[char], i: usize) -> Option<(usize, usize)> {
    if i > 0 && (chars[i - 1].is_alphanumeric() || chars[i - 1] == '_') && chars[i - 1] != 'b' {
        return None;
    }
    let hashes = chars[i + 1..].iter().take_while(|c| **c == '#').count();
    let open = i + 1 + hashes;
    if chars.get(open) != Some(&'"') {
        return None;
    }
    let ends = |at: usize| chars[at] == '"' && chars[at + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes;
    let close = (open + 1..chars.len()).find(|at| ends(*at))?;
    Some((open + 1, close + 1 + hashes))
}

fn rust_files(folder: &str) -> Vec<PathBuf> {
    files(Path::new(folder), "rs")
}

/// All files of a folder with an ending, in order of name.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                if path.file_name().is_some_and(|n| n != "target") {
                    open.push(path);
                }
            } else if path.extension().is_some_and(|e| e == ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
