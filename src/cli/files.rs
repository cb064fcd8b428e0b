//! From what was typed to scenario files: files, folders and patterns.

use std::fs;
use std::path::{Path, PathBuf};

/// The scenario files that the arguments name, each once, folders and patterns in order of name.
///
/// # Errors
/// The arguments that name nothing, as sentences.
pub(super) fn expand(arguments: &[String]) -> Result<Vec<String>, Vec<String>> {
    let (mut found, mut wrong) = (Vec::new(), Vec::new());
    for argument in arguments {
        let path = Path::new(argument);
        let some = if path.is_dir() {
            let all = walk(path);
            if all.is_empty() {
                wrong.push(format!("`{argument}` holds no scenario (no file that ends in .toml)"));
            }
            all
        } else if path.exists() {
            vec![argument.clone()]
        } else if argument.contains(['*', '?']) {
            let all: Vec<String> = walk(Path::new(fixed_part(argument))).into_iter().filter(|f| matches(argument, f)).collect();
            if all.is_empty() {
                wrong.push(format!("`{argument}` matches no scenario"));
            }
            all
        } else {
            wrong.push(format!("`{argument}` does not exist"));
            Vec::new()
        };
        for file in some {
            if !found.contains(&file) {
                found.push(file);
            }
        }
    }
    if wrong.is_empty() { Ok(found) } else { Err(wrong) }
}

/// Every `.toml` file below a folder, in order of path, with `/` between the parts.
fn walk(folder: &Path) -> Vec<String> {
    let mut open: Vec<PathBuf> = vec![folder.to_path_buf()];
    let mut found = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            // Links to folders are not followed: they may lead in a circle.
            let is_folder = entry.file_type().is_ok_and(|t| t.is_dir());
            if is_folder {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "toml") {
                found.push(path.iter().map(|p| p.to_string_lossy()).collect::<Vec<_>>().join("/").replacen("//", "/", 1));
            }
        }
    }
    found.sort();
    found
}

/// The folder a pattern certainly lies in.
fn fixed_part(pattern: &str) -> &str {
    let wild = pattern.find(['*', '?']).unwrap_or(pattern.len());
    match pattern[..wild].rfind('/') {
        Some(0) => "/",
        Some(slash) => &pattern[..slash],
        None => ".",
    }
}

/// Whether a path fits a pattern: `?` is one character, `*` any number of them, neither a slash; `**` is anything.
fn matches(pattern: &str, path: &str) -> bool {
    let path = if pattern.starts_with("./") { path } else { path.strip_prefix("./").unwrap_or(path) };
    fits(pattern.as_bytes(), path.as_bytes())
}

fn fits(pattern: &[u8], path: &[u8]) -> bool {
    match (pattern, path) {
        ([], []) => true,
        // `**/` also fits no folder at all.
        ([b'*', b'*', b'/', rest @ ..], _) if fits(rest, path) => true,
        ([b'*', b'*', rest @ ..], _) => fits(rest, path) || (!path.is_empty() && fits(pattern, &path[1..])),
        ([b'*', rest @ ..], _) => fits(rest, path) || (path.first().is_some_and(|c| *c != b'/') && fits(pattern, &path[1..])),
        ([b'?', rest @ ..], [c, tail @ ..]) => *c != b'/' && fits(rest, tail),
        ([p, rest @ ..], [c, tail @ ..]) => p == c && fits(rest, tail),
        ([], _) | (_, []) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let table = [
            ("scenarios/*.toml", "scenarios/a.toml", true),
            ("scenarios/*.toml", "scenarios/x/a.toml", false),
            ("scenarios/**/*.toml", "scenarios/x/y/a.toml", true),
            ("scenarios/**/*.toml", "scenarios/a.toml", true),
            ("scenarios/**", "scenarios/x/a.toml", true),
            ("scenarios/?.toml", "scenarios/ab.toml", false),
            ("scenarios/??.toml", "scenarios/ab.toml", true),
            ("*.toml", "./a.toml", true),
            ("./*.toml", "./a.toml", true),
            ("*", "b", true),
        ];
        for (pattern, path, fits) in table {
            assert_eq!(matches(pattern, path), fits, "{pattern} on {path}");
        }
        assert_eq!(fixed_part("scenarios/mail*/x.toml"), "scenarios");
        assert_eq!(fixed_part("*.toml"), ".");
        assert_eq!(fixed_part("/*.toml"), "/");
    }

    #[test]
    fn folders_and_patterns_name_each_file_once() {
        let home = tempfile::tempdir().expect("a folder");
        let root = home.path().to_str().expect("text").to_owned();
        for file in ["b.toml", "a.toml", "notes.md", "deep/c.toml"] {
            let path = home.path().join(file);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(path, "").expect("a file");
        }
        let names = |arguments: &[String]| -> Vec<String> {
            expand(arguments).expect("files").iter().map(|f| f[root.len() + 1..].to_owned()).collect()
        };
        assert_eq!(names(std::slice::from_ref(&root)), ["a.toml", "b.toml", "deep/c.toml"]);
        assert_eq!(names(&[format!("{root}/b.toml"), root.clone()]), ["b.toml", "a.toml", "deep/c.toml"]);
        assert_eq!(names(&[format!("{root}/*.toml")]), ["a.toml", "b.toml"]);
        let wrong = expand(&[format!("{root}/none.toml"), format!("{root}/z*.toml")]).expect_err("nothing there");
        assert_eq!(wrong.len(), 2);
        assert!(wrong[0].ends_with("none.toml` does not exist"), "{}", wrong[0]);
    }
}
