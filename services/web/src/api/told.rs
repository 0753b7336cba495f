//! What fields of answers hold, as exactly as [`super::exact`] says it of requests: words that are all there are, and texts of one form.

use serde_json::{Value, json};

/// Fields that hold one of these words, by their component and their name.
const WORDS: &[(&str, &str, &[&str])] = &[
    ("Alias", "reason", &["built", "chosen"]),
    (
        "Build",
        "state",
        &["queued", "dispatched", "started", "success", "failure", "error", "timeout", "canceled", "skipped"],
    ),
    ("BuildStep", "name", &["clone", "setup", "build", "publish"]),
    ("BuildTrigger", "kind", &["push", "pull_request", "request", "schedule"]),
    (
        "ExplainedBy",
        "kind",
        &[
            "route",
            "renamed",
            "rule",
            "file",
            "former_file",
            "single_page",
            "page_address",
            "not_found_page",
            "nothing",
            "robots",
            "malformed",
            "too_long",
        ],
    ),
    ("ExplainedBy", "file", &["_redirects"]),
    ("ExplainedHeaders", "file", &["_headers"]),
    (
        "ExplainedStep",
        "step",
        &["push", "request", "schedule", "upload", "build", "deploy", "promotion", "route", "rename"],
    ),
    ("Explanation", "access", MODES),
    ("Invitation", "role", ROLES),
    ("Line", "lane", &["high", "low"]),
    ("Me", "scope", &["read", "deploy", "manage"]),
    ("Member", "role", ROLES),
    ("Membership", "role", ROLES),
    ("NewGate", "mode", MODES),
    ("Route", "action", &["site", "redirect", "gone", "backend"]),
    ("Route", "kind", &["exact", "prefix"]),
    ("Route", "segments", &["preserve", "ignore"]),
    ("RuleDiagnostic", "file", &["_redirects", "_headers"]),
    ("SiteBuilding", "cancel_running", &["previews", "all", "none"]),
    ("SiteBuilding", "network", &["none", "registries", "full"]),
    ("SiteBuilding", "pull_requests", &["all", "approved", "none"]),
    ("SiteBuilding", "size", &["standard", "large"]),
    ("SiteGate", "mode", MODES),
    ("SiteRules", "dialect", DIALECTS),
    ("SiteServing", "html_handling", &["auto-trailing-slash", "force-trailing-slash", "drop-trailing-slash", "none"]),
    ("SiteServing", "not_found_handling", &["404-page", "single-page-application", "none"]),
    ("SiteServing", "rules_dialect", DIALECTS),
    ("User", "role", &["admin", "support"]),
];
const ROLES: &[&str] = &["manager", "user"];
const MODES: &[&str] = &["public", "members", "password", "link"];
const DIALECTS: &[&str] = &["netlify", "cloudflare"];

/// Fields that hold texts of one form, whatever component they are of.
const FORMS: &[(&str, &str)] = &[
    ("alias", "^(live|demo|preview/.+)$"),
    ("commit", "^([0-9a-f]{40}|[0-9a-f]{64})$"),
    ("deploy", "^[0-9a-v]{12}$"),
    ("digest", "^[0-9a-f]{64}$"),
    ("content", "^[0-9a-f]{64}$"),
];

/// Narrows a field of an answer about which nothing more exact is said.
pub(super) fn narrow(component: &str, name: &str, property: &mut Value) {
    let kind = property["type"].clone();
    let (is_text, may_be_null) = match &kind {
        Value::String(kind) => (kind == "string", false),
        Value::Array(kinds) => (kinds.contains(&json!("string")), kinds.contains(&json!("null"))),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => (false, false),
    };
    let Some(property) = property.as_object_mut() else { return };
    if !is_text || ["enum", "pattern", "format"].iter().any(|word| property.contains_key(*word)) {
        return;
    }
    if let Some((.., words)) = WORDS.iter().find(|(of, field, _)| (*of, *field) == (component, name)) {
        let mut words: Vec<Value> = words.iter().map(|word| json!(word)).collect();
        if may_be_null {
            words.push(Value::Null);
        }
        property.insert("enum".to_owned(), Value::Array(words));
    } else if let Some((_, form)) = FORMS.iter().find(|(field, _)| *field == name) {
        property.insert("pattern".to_owned(), json!(form));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_of_a_field_that_is_there() {
        let document = crate::api::openapi();
        for (component, field, words) in WORDS {
            let property = &document["components"]["schemas"][component]["properties"][field];
            let told = property["enum"].as_array().unwrap_or_else(|| panic!("{component}.{field}: {property}"));
            assert!(words.iter().all(|word| told.contains(&json!(word))), "{component}.{field}: {told:?}");
        }
    }
}
