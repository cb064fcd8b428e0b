//! The JSON Schema (draft-07) of scenario files, made from the declared keys: for editors, structure only.

use serde_json::{Map, Value, json};

use crate::base::value::{KeyKind, KeySpec, LAWS, Preset, Variant};
use crate::model::Model;

use super::keys::FILE;

/// The schema of a file that may name these models.
#[must_use]
pub fn schema(models: &[&'static dyn Model]) -> Value {
    let mut root = object(FILE);
    let mut tables = Map::new();
    for model in models {
        let mut table = object(model.keys());
        describe(&mut table, model.about());
        tables.insert(model.name().to_owned(), table);
    }
    root["properties"]["model"] = json!({
        "description": "exactly one model, with the keys of the real system",
        "type": "object", "properties": tables, "additionalProperties": false, "minProperties": 1, "maxProperties": 1,
    });
    // What the reader checks by hand: exactly one of the two.
    root["oneOf"] = json!([{ "required": ["load"] }, { "required": ["operation"] }]);
    root["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    root["title"] = json!("deadletter scenario");
    root["definitions"] = json!({ "law": { "anyOf": [span(), variants("law", LAWS)] } });
    root
}

/// The schema as a file, with a line end.
#[must_use]
pub fn schema_text(models: &[&'static dyn Model]) -> String {
    format!("{:#}\n", schema(models))
}

fn describe(schema: &mut Value, doc: &str) {
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("description".to_owned(), json!(doc));
    }
}

/// A table. Dotted keys may be written as one key or in parts, so that both are described.
fn object(keys: &'static [KeySpec]) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for spec in keys {
        let KeyKind::NotModelled(_) = spec.kind else {
            let schema = property(spec);
            if spec.name.contains('.') {
                properties.insert(spec.name.to_owned(), schema.clone());
            } else if spec.preset == Preset::Required {
                required.push(spec.name);
            }
            insert(&mut properties, spec.name, schema);
            continue;
        };
    }
    let mut schema = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

/// Puts a key into the tree that its parts make. Where one key begins another, both forms are allowed.
fn insert(properties: &mut Map<String, Value>, name: &str, schema: Value) {
    let Some((first, rest)) = name.split_once('.') else {
        let merged = match properties.remove(name) {
            Some(longer) => json!({ "anyOf": [schema, longer] }),
            None => schema,
        };
        properties.insert(name.to_owned(), merged);
        return;
    };
    let empty = json!({ "type": "object", "properties": {}, "additionalProperties": false });
    let slot = properties.entry(first.to_owned()).or_insert_with(|| empty.clone());
    if slot.get("additionalProperties").is_none() || slot.get("properties").is_none() {
        // The shorter key was there first.
        let tree = slot.get_mut("anyOf").and_then(|forms| forms.as_array_mut()).and_then(|forms| forms.last_mut());
        match tree.filter(|tree| tree.get("properties").is_some()).and_then(|tree| tree["properties"].as_object_mut()) {
            Some(tree) => insert(tree, rest, schema),
            None => {
                let mut tree = empty;
                if let Some(tree) = tree["properties"].as_object_mut() {
                    insert(tree, rest, schema);
                }
                *slot = json!({ "anyOf": [slot.clone(), tree] });
            }
        }
        return;
    }
    if let Some(tree) = slot["properties"].as_object_mut() {
        insert(tree, rest, schema.clone());
        // In between, the rest may again be one key.
        if rest.contains('.') {
            tree.insert(rest.to_owned(), schema);
        }
    }
}

fn property(spec: &'static KeySpec) -> Value {
    let mut schema = kind(&spec.kind);
    let source = if spec.source.is_empty() { String::new() } else { format!(" [{}]", spec.source) };
    describe(&mut schema, &format!("{}{source}", spec.doc));
    if let (Preset::Is(text), Some(schema)) = (spec.preset, schema.as_object_mut()) {
        schema.insert("default".to_owned(), json!(text));
    }
    schema
}

fn span() -> Value {
    json!({ "type": "string", "examples": ["15ms", "2m30s"] })
}

fn kind(kind: &'static KeyKind) -> Value {
    match kind {
        KeyKind::Span | KeyKind::SignedSpan => span(),
        KeyKind::SpanIn { .. } | KeyKind::Bytes => json!({ "type": ["string", "integer"] }),
        KeyKind::Chance => json!({ "type": ["string", "number"], "examples": ["0.1%"] }),
        KeyKind::Count { min, max } => {
            // A limit that JSON's readers would round is no limit.
            let most = if *max < 1 << 53 { json!({ "maximum": max }) } else { json!({}) };
            let mut schema = json!({ "type": "integer", "minimum": min });
            if let (Some(schema), Value::Object(most)) = (schema.as_object_mut(), most) {
                schema.extend(most);
            }
            schema
        }
        KeyKind::Integer { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
        KeyKind::Thousandths { .. } => json!({ "type": "number" }),
        KeyKind::ByteRate | KeyKind::Rate | KeyKind::Text | KeyKind::Selector => json!({ "type": "string" }),
        KeyKind::Flag => json!({ "type": "boolean" }),
        KeyKind::Choice(words) => choice(words),
        KeyKind::Law => json!({ "anyOf": [{ "$ref": "#/definitions/law" }] }),
        KeyKind::List(of) => json!({ "type": "array", "items": self::kind(of) }),
        KeyKind::Table(keys) => object(keys),
        KeyKind::Map(of) | KeyKind::ByName(of) => json!({ "type": "object", "additionalProperties": self::kind(of) }),
        KeyKind::Variants { tag, of } => variants(tag, of),
        KeyKind::AnyOf(kinds) => json!({ "anyOf": kinds.iter().map(self::kind).collect::<Vec<_>>() }),
        KeyKind::Any => json!({}),
        KeyKind::NotModelled(_) => json!(false),
    }
}

/// Words; those that look like numbers or flags may be written as such.
fn choice(words: &'static [(&'static str, &'static str)]) -> Value {
    let bare = words.iter().filter_map(|(word, _)| match *word {
        "true" => Some(json!(true)),
        "false" => Some(json!(false)),
        word => word.parse::<i64>().ok().map(|number| json!(number)),
    });
    let all: Vec<Value> = words.iter().map(|(word, _)| json!(word)).chain(bare).collect();
    let docs: Vec<String> = words.iter().map(|(word, doc)| format!("{word}: {doc}")).collect();
    json!({ "enum": all, "markdownDescription": docs.join("\n\n") })
}

fn variants(tag: &'static str, of: &'static [Variant]) -> Value {
    let forms: Vec<Value> = of
        .iter()
        .map(|variant| {
            let mut form = object(variant.keys);
            describe(&mut form, variant.doc);
            form["properties"][tag] = json!({ "const": variant.name });
            let mut required = vec![json!(tag)];
            required.extend(form.get("required").and_then(Value::as_array).cloned().unwrap_or_default());
            form["required"] = Value::Array(required);
            form
        })
        .collect();
    json!({ "anyOf": forms })
}
