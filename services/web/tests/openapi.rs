//! The committed contract is the one the code has. `UPDATE_SCHEMAS=1` writes it anew.

const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas/openapi.json");

#[test]
fn the_committed_openapi_document_is_the_one_the_code_has() {
    let written = serde_json::to_string_pretty(&web::api::openapi()).unwrap() + "\n";
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        std::fs::write(COMMITTED, &written).unwrap();
    }
    let committed = std::fs::read_to_string(COMMITTED).unwrap_or_default();
    assert!(committed == written, "`schemas/openapi.json` is stale: run `just schemas`");
}

#[test]
fn the_document_is_openapi_3_1_and_every_operation_may_be_a_problem() {
    let document = web::api::openapi();
    assert_eq!(document["openapi"], "3.1.0");
    let operations = document["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap());
    let mut names = std::collections::BTreeSet::new();
    for (method, operation) in operations {
        let problem = &operation["responses"]["default"]["content"]["application/problem+json"];
        assert!(problem.is_object(), "{method} {}", operation["operationId"]);
        assert!(names.insert(operation["operationId"].as_str().unwrap()), "{} is unique", operation["operationId"]);
    }
    assert_eq!(names.len(), 115);
}

#[test]
fn every_post_takes_a_key() {
    let document = web::api::openapi();
    for (path, item) in document["paths"].as_object().unwrap() {
        let Some(operation) = item.get("post") else { continue };
        let parameters = operation["parameters"].as_array().unwrap();
        assert!(parameters.iter().any(|one| one["name"] == "Idempotency-Key"), "{path}");
        assert!(operation["responses"].get("409").is_some() && operation["responses"].get("422").is_some(), "{path}");
    }
}
