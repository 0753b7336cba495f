//! Every answer of the API that a story gets is one that its document declares.

use http::StatusCode;
use serde_json::Value;
use std::sync::LazyLock;

static DOCUMENT: LazyLock<Value> = LazyLock::new(web::api::openapi);

/// Whether a path is one of a template, whose last parameter may have slashes.
fn is_of(path: &str, template: &str) -> bool {
    let (mut path, mut template) = (path.split('/'), template.split('/').peekable());
    while let Some(part) = template.next() {
        let Some(given) = path.next() else { return false };
        let named = part.starts_with('{');
        if !named && given != part {
            return false;
        }
        if named && template.peek().is_none() {
            return true;
        }
    }
    path.next().is_none()
}

/// Fails if a problem is none that is declared for what is at `path`. What is at no address of the document is not in it.
pub(crate) fn check(path: &str, status: StatusCode, answer: &Value) {
    let (Some(path), Some(code)) = (path.strip_prefix("/api/v1"), answer["code"].as_str()) else { return };
    if status.is_success() || status == StatusCode::METHOD_NOT_ALLOWED {
        return;
    }
    let items = DOCUMENT["paths"].as_object().unwrap().iter().filter(|(template, _)| is_of(path, template));
    let operations: Vec<&Value> = items.flat_map(|(_, item)| item.as_object().unwrap().values()).collect();
    let declares = |operation: &&Value| {
        let schema = &operation["responses"][status.as_str()]["content"]["application/problem+json"]["schema"];
        let codes = schema["allOf"][1]["properties"]["code"]["enum"].as_array();
        codes.is_some_and(|codes| codes.iter().any(|one| one == code))
    };
    assert!(
        operations.is_empty() || operations.iter().any(declares),
        "{path} does not declare {status} {code}: {answer}"
    );
}
