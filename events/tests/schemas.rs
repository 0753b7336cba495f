//! The committed contract is the one the code states, and every fact ever published can still be read.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use events::{Event, schema};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas")
}

fn pretty(value: &Value) -> String {
    format!("{}\n", serde_json::to_string_pretty(value).unwrap())
}

fn generated() -> Vec<(PathBuf, String)> {
    let mut files: Vec<(PathBuf, String)> = schema::facts()
        .into_iter()
        .map(|(name, schema)| (folder().join(format!("events/{name}.json")), pretty(&schema)))
        .collect();
    files.push((folder().join("asyncapi.json"), pretty(&schema::asyncapi())));
    files
}

fn names_in(sub: &str) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder().join(sub)).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap().trim_end_matches(".json").to_owned())
        .collect()
}

#[test]
fn committed_schemas_are_what_the_code_states() {
    for (path, content) in generated() {
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            std::fs::write(&path, &content).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == content, "{} is out of date: run `just schemas`", path.display());
    }
    assert_eq!(names_in("events"), schema::facts().into_keys().collect(), "stale files in schemas/events");
}

#[test]
fn every_fact_has_a_golden_sample() {
    let known: BTreeSet<String> = schema::facts().into_keys().collect();
    assert!(known.is_subset(&names_in("history")), "missing: {:?}", known.difference(&names_in("history")));
}

#[test]
fn every_fact_ever_published_can_still_be_read() {
    for name in names_in("history") {
        let sample = std::fs::read(folder().join(format!("history/{name}.json"))).unwrap();
        let data: Value = serde_json::from_slice(&sample).unwrap();
        let event =
            Event::decode(&format!("dev.pagefold.{name}"), &sample).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert_eq!(event.name(), name);
        assert_eq!(event.data(), data, "{name} does not write what it reads");
        let payload: Value = serde_json::from_str(&event.payload()).unwrap();
        assert_eq!(payload, data, "{name} has a payload that is not its data");
        let validator = jsonschema::validator_for(&schema::facts()[&name]).unwrap();
        assert!(
            validator.is_valid(&data),
            "{name}: {:?}",
            validator.iter_errors(&data).map(|e| e.to_string()).collect::<Vec<_>>()
        );
    }
}

#[test]
fn a_deletion_tells_its_tip_since_it_is_kept_and_those_before_it_are_read_as_they_were() {
    let sample = std::fs::read(folder().join("history/repository.branch_deleted.v1.json")).unwrap();
    let mut data: Value = serde_json::from_slice(&sample).unwrap();
    assert_eq!(data.get("before"), None);
    data["before"] = "a".repeat(40).into();
    assert!(jsonschema::validator_for(&schema::facts()["repository.branch_deleted.v1"]).unwrap().is_valid(&data));
    let event = Event::decode("dev.pagefold.repository.branch_deleted.v1", data.to_string().as_bytes()).unwrap();
    assert_eq!(event.data(), data);
}

#[test]
fn settings_say_how_a_site_is_built_where_that_is_not_the_default() {
    let sample = std::fs::read(folder().join("history/site.settings_changed.v1.json")).unwrap();
    let mut data: Value = serde_json::from_slice(&sample).unwrap();
    assert_eq!(data["settings"].get("building"), None);
    data["settings"]["building"] = serde_json::json!({ "cancel_running": "all", "recipe": { "base_directory": "docs", "command": "make" },
            "watch": ["docs/**"], "ignore_branches": ["wip/*"],
            "schedules": [{ "branch": "main", "cron": "0 6 * * *", "time_zone": "Europe/London" }] });
    assert!(jsonschema::validator_for(&schema::facts()["site.settings_changed.v1"]).unwrap().is_valid(&data));
    let event = Event::decode("dev.pagefold.site.settings_changed.v1", data.to_string().as_bytes()).unwrap();
    assert_eq!(event.data(), data);
    // What was said before more could be said is read as it was meant.
    data["settings"]["building"] = serde_json::json!({});
    assert!(jsonschema::validator_for(&schema::facts()["site.settings_changed.v1"]).unwrap().is_valid(&data));
    let event = Event::decode("dev.pagefold.site.settings_changed.v1", data.to_string().as_bytes()).unwrap();
    assert_eq!(event.data()["settings"].get("building"), None);
}

#[test]
fn a_push_may_tell_what_it_changed_and_a_queued_build_how_it_is_made() {
    for (name, field, value) in [
        ("repository.push_received.v1", "paths", serde_json::json!(["docs/a.md"])),
        ("build.queued.v1", "recipe", serde_json::json!({ "output_directory": "dist" })),
    ] {
        let sample = std::fs::read(folder().join(format!("history/{name}.json"))).unwrap();
        let mut data: Value = serde_json::from_slice(&sample).unwrap();
        assert_eq!(data.get(field), None);
        data[field] = value;
        assert!(jsonschema::validator_for(&schema::facts()[name]).unwrap().is_valid(&data), "{name}");
        let event = Event::decode(&format!("dev.pagefold.{name}"), data.to_string().as_bytes()).unwrap();
        assert_eq!(event.data(), data);
    }
}

#[test]
fn an_end_tells_steps_and_resources_since_they_are_measured() {
    let sample = std::fs::read(folder().join("history/build.finished.v1.json")).unwrap();
    let mut data: Value = serde_json::from_slice(&sample).unwrap();
    assert_eq!((data.get("steps"), data.get("resources")), (None, None));
    data["steps"] = serde_json::json!([{
        "name": "clone", "started_at": "2026-11-22T10:55:45.5Z", "ended_at": "2026-11-22T10:55:46Z", "exit_code": 0,
    }]);
    data["resources"] = serde_json::json!({ "cpu_ms": 7, "memory_peak_bytes": 4096, "disk_peak_bytes": null });
    assert!(jsonschema::validator_for(&schema::facts()["build.finished.v1"]).unwrap().is_valid(&data));
    let event = Event::decode("dev.pagefold.build.finished.v1", data.to_string().as_bytes()).unwrap();
    assert_eq!(event.data(), data);
}

#[test]
fn settings_say_how_a_site_answers_where_that_is_not_the_default() {
    let sample = std::fs::read(folder().join("history/site.settings_changed.v1.json")).unwrap();
    let mut data: Value = serde_json::from_slice(&sample).unwrap();
    assert_eq!(data["settings"].get("serving"), None);
    let html_handling = events::event::HtmlHandling::DropTrailingSlash;
    data["settings"]["serving"] =
        serde_json::to_value(events::event::Serving { html_handling, ..Default::default() }).unwrap();
    assert!(jsonschema::validator_for(&schema::facts()["site.settings_changed.v1"]).unwrap().is_valid(&data));
    let event = Event::decode("dev.pagefold.site.settings_changed.v1", data.to_string().as_bytes()).unwrap();
    assert_eq!(event.data(), data);
}

#[test]
fn a_schema_refuses_what_the_type_refuses() {
    let schemas = schema::facts();
    let validator = jsonschema::validator_for(&schemas["alias.promoted.v1"]).unwrap();
    let sample = std::fs::read_to_string(folder().join("history/alias.promoted.v1.json")).unwrap();
    let mut data: Value = serde_json::from_str(&sample).unwrap();
    data["deploy"] = "NOT-A-DEPLOY".into();
    assert!(!validator.is_valid(&data));
    assert!(Event::decode("dev.pagefold.alias.promoted.v1", data.to_string().as_bytes()).is_err());
}

#[test]
fn unknown_types_are_told_from_malformed_payloads() {
    use events::DecodeError::{Malformed, UnknownType};
    for unknown in [
        "dev.pagefold.build.exploded.v1",
        "dev.pagefold.cake.baked.v1",
        "org.other.thing",
        "dev.pagefold.build.queued.v9",
    ] {
        assert!(matches!(Event::decode(unknown, b"{}"), Err(UnknownType(_))), "{unknown}");
    }
    for data in [&b"{}"[..], b"[]", b"", b"not json", br#"{"site":"018f2d6c-7a10-7b3e-8f00-5a1f6a1f0c11"} trailing"#] {
        assert!(matches!(Event::decode("dev.pagefold.build.dispatched.v1", data), Err(Malformed { .. })), "{data:?}");
    }
    let with_more = br#"{"site":"018f2d6c-7a10-7b3e-8f00-5a1f6a1f0c11","added_by_a_newer_writer":1}"#;
    assert!(Event::decode("dev.pagefold.build.dispatched.v1", with_more).is_ok());
}
