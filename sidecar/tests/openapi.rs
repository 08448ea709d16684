//! The API's description: what is checked in is what the handlers say, and it is whole.

// A helper that fails is a test that fails.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::{Value, json};
use vial::api::access::{Rule, TABLE, Tcp};

fn checked_in() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("web/openapi.json")
}

fn document() -> Value {
    serde_json::from_str(&vial::api::document::document().unwrap()).unwrap()
}

#[test]
fn the_document_that_is_checked_in_is_what_the_handlers_say() {
    let now = vial::api::document::document().unwrap();
    if std::env::var_os("VIAL_WRITE_OPENAPI").is_some() {
        std::fs::write(checked_in(), &now).unwrap();
    }
    let kept = std::fs::read_to_string(checked_in()).unwrap();
    let differs = now.lines().zip(kept.lines()).position(|(now, kept)| now != kept);
    assert!(
        now == kept,
        "web/openapi.json is not what the handlers say, from line {} on: \
         `VIAL_WRITE_OPENAPI=1 cargo test -p vial --features vial/faults --test openapi` writes it.",
        differs.unwrap_or_else(|| now.lines().count().min(kept.lines().count())) + 1
    );
}

/// Every value of `key` in a tree.
fn all<'a>(tree: &'a Value, key: &str, found: &mut Vec<&'a str>) {
    match tree {
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(text) if name == key => found.push(text),
                    _ => all(value, key, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| all(item, key, found)),
        _ => {}
    }
}

#[test]
fn every_reference_has_what_it_refers_to() {
    let document = document();
    let mut references = Vec::new();
    all(&document, "$ref", &mut references);
    assert!(references.len() > 100, "{}", references.len());
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference} is nowhere");
    }
}

#[test]
fn every_operation_has_a_name_of_its_own_a_summary_and_a_way_to_be_refused() {
    let document = document();
    let mut names = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name.to_owned()), "{name} is there twice");
            let summary = operation["summary"].as_str().unwrap_or_default();
            assert!(summary.ends_with('.'), "{method} {path}: {summary:?}");
            if path != "/openapi.json" {
                assert!(operation["responses"]["4XX"].is_object(), "{method} {path}");
            }
        }
    }
    for name in ["status", "deploy", "plan", "rollback", "stream", "open_console", "login"] {
        assert!(names.contains(name), "{name} is missing");
    }
}

#[test]
fn each_operation_has_a_row_that_says_who_may_do_it_and_each_row_an_operation() {
    let document = document();
    let mut described = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap().to_owned();
            described.insert((method.to_uppercase(), path.clone(), name));
            // Open is what the table opens to everybody, and nothing else.
            let open = operation["security"].as_array().is_some_and(|it| it[0] == json!({}));
            let rule =
                TABLE.iter().find(|it| it.path == path && it.method == method.to_uppercase());
            assert_eq!(open, rule.is_some_and(|it| it.tcp == Tcp::Public), "{method} {path}");
        }
    }
    let row = |it: &Rule| (it.method.to_owned(), it.path.to_owned(), it.id.to_owned());
    let rows: BTreeSet<_> = TABLE.iter().map(row).collect();
    assert_eq!(described, rows);
}

#[test]
fn a_type_is_what_serde_makes_of_it() {
    let document = document();
    let schemas = &document["components"]["schemas"];
    let required = |name: &str| -> BTreeSet<String> {
        let list = schemas[name]["required"].as_array();
        list.into_iter().flatten().map(|it| it.as_str().unwrap().to_owned()).collect()
    };
    // Times are strings, what may be left out is not required, and what always comes is.
    let deployment = &schemas["Deployment"]["properties"];
    assert_eq!(deployment["queued_at"]["type"], "string");
    assert_eq!(deployment["queued_at"]["format"], "date-time");
    assert!(required("Deployment").contains("environment"));
    assert!(!required("Deployment").contains("steps"));
    assert!(!required("Rollback").contains("cancel"));
    assert!(schemas["Rollback"]["properties"]["cancel"].is_object());
    assert!(required("Login").contains("password"));
    // openapi-typescript requires what has a default.
    assert!(schemas["Rollback"]["properties"]["cancel"]["default"].is_null());
    // A name of Rust's is not one of JSON's.
    assert!(schemas["Build"]["properties"]["ref"].is_object());
    assert!(schemas["AskBuild"]["properties"]["deployment"].is_object());
    // A stream's events are told apart by their `type`.
    let live = schemas["Live"].to_string();
    for word in ["hello", "app_removed", "build_log", "lost"] {
        assert!(live.contains(&format!("{word:?}")), "{word} is missing: {live}");
    }
    assert!(schemas["Status"].to_string().contains("rolled_back"));
}

#[test]
fn every_operation_stands_in_the_table_of_who_may_and_the_table_has_no_other() {
    let document = document();
    let described: BTreeSet<(String, String, String)> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            item.as_object().unwrap().iter().map(move |(method, operation)| {
                let id = operation["operationId"].as_str().unwrap();
                (method.to_uppercase(), path.clone(), id.to_owned())
            })
        })
        .collect();
    let declared: BTreeSet<_> = vial::api::access::TABLE
        .iter()
        .map(|rule| (rule.method.to_owned(), rule.path.to_owned(), rule.id.to_owned()))
        .collect();
    let without: Vec<_> = described.difference(&declared).collect();
    let beyond: Vec<_> = declared.difference(&described).collect();
    assert!(
        without.is_empty() && beyond.is_empty(),
        "without a row: {without:?}; only a row: {beyond:?}"
    );
}
