//! Who may depend on whom, held against what cargo says.

use journeys::workspace;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Every crate of ours with those of ours that it may use. Arrows only point to the left and upwards: services never use
/// services, only the executable puts them together.
const MAY_USE: &[(&str, &[&str])] = &[
    ("events", &[]),
    ("runtime", &["events"]),
    ("projections", &["events"]),
    ("rules", &["events"]),
    ("doors", &["events"]),
    ("storage", &["events", "rules"]),
    ("answers", &["events", "rules", "runtime", "storage"]),
    ("listener", &[]),
    ("depot", &["listener"]),
    ("servers", &["events", "runtime", "projections"]),
    ("ctl", &["events", "runtime"]),
    ("edge", &["answers", "dialer", "doors", "events", "listener", "rules", "runtime", "storage"]),
    ("dialer", &["events"]),
    ("mailer", &[]),
    ("github", &["dialer", "events", "runtime"]),
    ("launcher", &["dialer", "events", "rules", "runtime", "storage"]),
    ("notifier", &["dialer", "events", "github", "mailer", "runtime"]),
    ("projector", &["events", "runtime", "projections"]),
    ("registrar", &["doors", "events", "runtime"]),
    ("scheduler", &["events", "runtime"]),
    ("syncer", &["events", "rules", "runtime", "storage"]),
    (
        "web",
        &[
            "answers",
            "dialer",
            "doors",
            "events",
            "github",
            "listener",
            "mailer",
            "runtime",
            "projections",
            "rules",
            "storage",
        ],
    ),
    (
        "pagefold",
        &[
            "answers",
            "events",
            "listener",
            "runtime",
            "projections",
            "storage",
            "depot",
            "dialer",
            "doors",
            "servers",
            "ctl",
            "edge",
            "github",
            "launcher",
            "mailer",
            "notifier",
            "projector",
            "registrar",
            "rules",
            "scheduler",
            "syncer",
            "web",
        ],
    ),
    // The private servers, to put a fleet up, the language, to make up a history, and the store, to have in it what that shows.
    ("journeys", &["depot", "events", "projections", "runtime", "servers", "storage"]),
];

/// Each client of the world outside belongs to one crate, which alone knows it.
const BELONGS_TO: &[(&str, &str)] = &[
    ("async-nats", "runtime"),
    ("sqlx", "projections"),
    ("aws-sdk-s3", "storage"),
    ("bollard", "launcher"),
    ("lettre", "mailer"),
    ("hickory-resolver", "registrar"),
    ("instant-acme", "registrar"),
];

/// What `events` must stay free of, however deep.
const NOT_BELOW_EVENTS: &[&str] = &["tokio", "async_std", "smol", "futures", "hyper", "async_nats", "sqlx"];

/// Longest source file, its tests aside.
const LINES_MAX: usize = 400;

#[test]
fn crates_use_only_those_below_them() {
    let metadata = metadata();
    let ours = members(&metadata);
    let table: BTreeMap<_, _> = MAY_USE.iter().copied().collect();
    assert_eq!(ours.keys().copied().collect::<BTreeSet<_>>(), table.keys().copied().collect(), "the table is complete");
    for (name, package) in &ours {
        for used in uses(package).filter(|used| ours.contains_key(used)) {
            assert!(table[name].contains(&used), "`{name}` may not use `{used}`");
        }
    }
}

#[test]
fn every_client_belongs_to_one_crate() {
    let metadata = metadata();
    for (client, owner) in BELONGS_TO {
        let users = members(&metadata).into_iter().filter(|(_, package)| uses(package).any(|used| used == *client));
        assert_eq!(users.map(|(name, _)| name).collect::<Vec<_>>(), [*owner], "`{client}`");
    }
}

#[test]
fn the_language_knows_no_runtime() {
    let tree = cargo(&["tree", "--package=events", "--edges=normal,build", "--prefix=none", "--format={lib}"]);
    let below: BTreeSet<&str> = tree.lines().collect();
    assert!(below.contains("serde"), "the tree was read: {below:?}");
    for forbidden in NOT_BELOW_EVENTS {
        assert!(!below.contains(forbidden), "`{forbidden}` is below `events`");
    }
}

#[test]
fn no_source_file_is_longer_than_one_can_hold_in_mind() {
    let mut files = Vec::new();
    for folder in ["events/src", "projections/src", "services", "tests"] {
        source_files(&workspace().join(folder), &mut files);
    }
    assert!(files.len() > 100, "the sources were found: {}", files.len());
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let lines = before_tests(&text).lines().count();
        assert!(lines <= LINES_MAX, "`{}` has {lines} lines without its tests", file.display());
    }
}

/// A source without its tests.
pub(crate) fn before_tests(text: &str) -> String {
    text.lines().take_while(|line| *line != "#[cfg(test)]").map(|line| format!("{line}\n")).collect()
}

fn metadata() -> Value {
    serde_json::from_str(&cargo(&["metadata", "--format-version=1", "--no-deps"])).unwrap()
}

/// What cargo says about the workspace as it is locked.
fn cargo(arguments: &[&str]) -> String {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let output = cargo.args(arguments).args(["--locked", "--offline"]).current_dir(workspace()).output().unwrap();
    assert!(output.status.success(), "cargo {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn members(metadata: &Value) -> BTreeMap<&str, &Value> {
    let ids: BTreeSet<&str> = list(&metadata["workspace_members"]).map(|id| id.as_str().unwrap()).collect();
    let ours = list(&metadata["packages"]).filter(|package| ids.contains(package["id"].as_str().unwrap()));
    ours.map(|package| (package["name"].as_str().unwrap(), package)).collect()
}

/// What a crate is made of; what only its tests use is their own matter.
fn uses(package: &Value) -> impl Iterator<Item = &str> {
    list(&package["dependencies"]).filter(|used| used["kind"] != "dev").map(|used| used["name"].as_str().unwrap())
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().unwrap().iter()
}

/// Sources without the files that are tests from end to end: `tests.rs`, and a crate's own folder `tests`.
pub(crate) fn source_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "tests" {
            source_files(&path, found);
        } else if name.ends_with(".rs") && name != "tests.rs" {
            found.push(path);
        }
    }
}
