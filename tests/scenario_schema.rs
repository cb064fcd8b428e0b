//! The committed JSON Schema is the generated one, and every scenario file validates against it.

mod fake;

use std::fs;
use std::path::{Path, PathBuf};

use deadletter::model::BUILT_IN;
use deadletter::scenario::schema::{schema, schema_text};
use serde_json::{Value, json};

const COMMITTED: &str = "scenarios/scenario.schema.json";

#[test]
fn the_committed_schema_is_the_generated_one() {
    let generated = schema_text(BUILT_IN);
    if std::env::var("GOLDEN").as_deref() == Ok("write") {
        fs::write(COMMITTED, &generated).expect("written");
    }
    let committed = fs::read_to_string(COMMITTED).unwrap_or_default();
    assert!(committed == generated, "{COMMITTED} is out of date: GOLDEN=write cargo test --test scenario_schema rewrites it");
}

#[test]
fn every_scenario_file_validates() {
    let schema = schema(BUILT_IN);
    for path in toml_files(Path::new("scenarios")) {
        let text = fs::read_to_string(&path).expect("a scenario");
        let wrong = problems(&schema, &text);
        assert!(wrong.is_empty(), "{}: {wrong:#?}", path.display());
    }
}

#[test]
fn what_the_reader_takes_the_schema_takes() {
    let schema = schema(&fake::MODELS);
    for text in [
        "[model.post]\nqueue.orders = { visibility.timeout = \"5s\", retention.ms = -1 }\n\"broker.id.generation\" = true\n",
        "[model.post]\nbroker.\"id.generation\" = true\nqueue.a = { \"retention.ms\" = \"1h\" }\n",
        "[model.post.queue.orders]\n[network]\nloss = 0.1\ndelay = { law = \"lognormal\", median = \"1ms\", p99 = \"2ms\" }\nbandwidth = \"1MB/s\"\n",
        "[model.post]\n[node.b1]\ncpu = \"none\"\ndisk.capacity = 100\n[[fault]]\nat = [\"1s\"]\ncut = { one_way = { from = \"b1\" } }\n",
        "[model.post]\n[expect]\nshare = { acked_lost = \">= 5%\" }\n[[arm]]\nname = \"x\"\nset = { \"a.b\" = [1] }\nexpect.inherit = false\n",
    ] {
        let text =
            format!("{text}[[load]]\nto = \"orders\"\narrivals = {{ law = \"poisson\", rate = \"1/s\" }}\nsize = {{ law = \"trace\" }}\n");
        assert_eq!(problems(&schema, &text), [""; 0], "{text}");
    }
}

#[test]
fn what_has_the_wrong_structure_the_schema_refuses() {
    let schema = schema(&fake::MODELS);
    let load = "[load]\nto = \"orders\"\narrivals = { law = \"poisson\", rate = \"1/s\" }\n";
    let table = [
        ("", "$: `model` is missing"),
        ("[model.psot]\n", "$.model: unknown `psot`"),
        ("[model.post]\n[model.other]\n", "$.model: unknown `other`"),
        ("[model.post]\nbrokres = 1\n", "$.model.post: unknown `brokres`"),
        ("[model.post]\nbrokers = 0\n", "$.model.post.brokers: below 1"),
        ("[model.post]\nbrokers = \"3\"\n", "$.model.post.brokers: not integer"),
        ("[model.post]\nsync = \"alway\"\n", "$.model.post.sync: not one of the words"),
        ("[model.post]\nssl.enabled = true\n", "$.model.post: unknown `ssl`"),
        ("[model.post]\n[seeds]\ncuont = 1\n", "$.seeds: unknown `cuont`"),
        ("[model.post]\n[network]\ndelay = { law = \"gauss\" }\n", "$.network.delay: in no form"),
        ("[model.post]\n[network]\ndelay = 5\n", "$.network.delay: in no form"),
        ("[model.post]\n[[fault]]\nkill = 1\n", "$.fault.0.kill: not string"),
        ("[model.post]\n[[arm]]\n", "$.arm.0: `name` is missing"),
        ("[model.post]\n[node.b1]\ncpu = \"nine\"\n", "$.node.b1.cpu: in no form"),
    ];
    for (text, expected) in table {
        let found = problems(&schema, &format!("{text}{load}"));
        assert!(found.iter().any(|problem| problem.starts_with(expected)), "{text}{found:?}");
    }
    let operation = "[[operation]]\npayload = 17\nat = \"1s\"\nclient = \"c0\"\nto = \"orders\"\n";
    let capsule = "[capsule]\nformat = 1\nof = \"panic\"\ndigest = \"0123456789abcdef\"\n";
    let table = [
        (String::new(), "$: in 0 forms, not in one"),
        (format!("{operation}{load}"), "$: in 2 forms, not in one"),
        (operation.replace("17", "-1"), "$.operation.0.payload: below 0"),
        (operation.replace("17", "10000001"), "$.operation.0.payload: above 10000000"),
        (operation.replace("client", "clients"), "$.operation.0: unknown `clients`"),
        (format!("{operation}{capsule}").replace("of =", "off ="), "$.capsule: unknown `off`"),
        (format!("{operation}{capsule}verdict = \"lost\"\n"), "$.capsule.verdict: not one of the words"),
    ];
    for (text, expected) in table {
        let found = problems(&schema, &format!("[model.post]\n{text}"));
        assert!(found.iter().any(|problem| problem.starts_with(expected)), "{text}{found:?}");
    }
    assert_eq!(problems(&schema, &format!("[model.post]\n{operation}{operation}{capsule}")), [""; 0]);
}

fn problems(schema: &Value, text: &str) -> Vec<String> {
    let file: Value = toml::from_str(text).expect("TOML");
    let mut found = Vec::new();
    Checker { root: schema, found: &mut found }.check(schema, &file, "$");
    found
}

/// A validator of just those words of draft-07 that our schema uses; it refuses words that it does not know.
struct Checker<'c> {
    root: &'c Value,
    found: &'c mut Vec<String>,
}

impl Checker<'_> {
    fn say(&mut self, at: &str, what: &str) {
        self.found.push(format!("{at}: {what}"));
    }

    fn check(&mut self, schema: &Value, value: &Value, at: &str) {
        let Some(words) = schema.as_object() else {
            if *schema == json!(false) {
                self.say(at, "not allowed");
            }
            return;
        };
        for (word, rule) in words {
            match word.as_str() {
                "$schema"
                | "title"
                | "description"
                | "markdownDescription"
                | "default"
                | "examples"
                | "definitions"
                | "additionalProperties" => {}
                "type" => self.kind(rule, value, at),
                "properties" => self.properties((words, rule), value, at),
                "required" => {
                    let missing = rule.as_array().expect("a list").iter().filter_map(Value::as_str).find(|name| value.get(name).is_none());
                    if let Some(name) = missing.filter(|_| value.is_object()) {
                        self.say(at, &format!("`{name}` is missing"));
                    }
                }
                "items" => {
                    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.check(rule, item, &format!("{at}.{index}"));
                    }
                }
                "enum" if !rule.as_array().expect("a list").contains(value) => self.say(at, "not one of the words"),
                "const" if rule != value => self.say(at, "not that word"),
                "enum" | "const" => {}
                "minimum" if value.as_i64().is_some_and(|number| number < rule.as_i64().expect("a number")) => {
                    self.say(at, &format!("below {rule}"))
                }
                "maximum" if value.as_i64().is_some_and(|number| number > rule.as_i64().expect("a number")) => {
                    self.say(at, &format!("above {rule}"))
                }
                "minProperties" if value.as_object().is_some_and(|table| table.is_empty()) => self.say(at, "empty"),
                "maxProperties" if value.as_object().is_some_and(|table| table.len() > 1) => self.say(at, "more than one"),
                "minimum" | "maximum" | "minProperties" | "maxProperties" => {}
                "anyOf" => {
                    if !rule.as_array().expect("a list").iter().any(|form| self.fits(form, value, at)) {
                        self.say(at, "in no form");
                    }
                }
                "oneOf" => {
                    let fitting = rule.as_array().expect("a list").iter().filter(|form| self.fits(form, value, at)).count();
                    if fitting != 1 {
                        self.say(at, &format!("in {fitting} forms, not in one"));
                    }
                }
                "$ref" => {
                    let name = rule.as_str().and_then(|path| path.strip_prefix("#/definitions/")).expect("a definition");
                    let definition = self.root["definitions"][name].clone();
                    assert!(definition.is_object(), "{name}");
                    self.check(&definition, value, at);
                }
                other => panic!("the schema uses `{other}`, which the validator does not know"),
            }
        }
        if !words.contains_key("properties") && words.contains_key("additionalProperties") {
            self.properties((words, &json!({})), value, at);
        }
    }

    fn fits(&self, form: &Value, value: &Value, at: &str) -> bool {
        let mut found = Vec::new();
        Checker { root: self.root, found: &mut found }.check(form, value, at);
        found.is_empty()
    }

    fn kind(&mut self, rule: &Value, value: &Value, at: &str) {
        let one = [rule.clone()];
        let kinds = rule.as_array().map_or(&one[..], Vec::as_slice);
        let fits = |kind: &Value| match kind.as_str().expect("a word") {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "boolean" => value.is_boolean(),
            other => panic!("the schema uses the type `{other}`"),
        };
        if !kinds.iter().any(fits) {
            let kinds: Vec<&str> = kinds.iter().filter_map(Value::as_str).collect();
            self.say(at, &format!("not {}", kinds.join(" or ")));
        }
    }

    fn properties(&mut self, (words, rule): (&serde_json::Map<String, Value>, &Value), value: &Value, at: &str) {
        for (name, inner) in value.as_object().into_iter().flatten() {
            let path = format!("{at}.{name}");
            match (rule.get(name), words.get("additionalProperties")) {
                (Some(schema), _) => self.check(schema, inner, &path),
                (None, Some(Value::Bool(false))) => self.say(at, &format!("unknown `{name}`")),
                (None, Some(schema)) => self.check(schema, inner, &path),
                (None, None) => {}
            }
        }
    }
}

fn toml_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(toml_files(&path));
        } else if path.extension().is_some_and(|ending| ending == "toml") {
            found.push(path);
        }
    }
    found.sort();
    found
}
