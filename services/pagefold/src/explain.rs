//! Why readers of an address are answered as they are, as lines of text.

use ctl::print::cell;
use serde_json::Value;

/// What is answered, each fact that led to it, and what decides.
pub(crate) fn told(explained: &Value) -> String {
    let status = explained["status"]
        .as_u64()
        .map_or_else(|| "what a server elsewhere says".to_owned(), |status| status.to_string());
    let location = explained["location"].as_str().map(|location| format!(" to {location}")).unwrap_or_default();
    let mut lines = vec![format!("{}{}  {status}{location}", cell(&explained["host"]), cell(&explained["path"]))];
    let places = ["site", "alias", "access", "deploy", "commit", "author"];
    let known: Vec<String> = places
        .into_iter()
        .filter(|name| !explained[*name].is_null())
        .map(|name| format!("{name} {}", cell(&explained[name])))
        .collect();
    if !known.is_empty() {
        lines.push(known.join("  "));
    }
    for step in list(&explained["chain"]) {
        let text = if step["text"].is_null() { &step["type"] } else { &step["text"] };
        let (time, actor) = (cell(&step["time"]), cell(&step["actor"]));
        lines.push(format!("{}  {}  {time}  {actor}  {}", cell(&step["step"]), step["sequence"], cell(text)));
    }
    lines.push(format!("decided  {}", cell(&explained["decided_by"]["text"])));
    for rule in list(&explained["headers"]) {
        lines.push(format!("headers  {}:{}  {}", cell(&rule["file"]), rule["line"], cell(&rule["text"])));
    }
    lines.join("\n")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_step_is_a_line() {
        let explained = json!({
            "host": "docs.example", "path": "/old", "status": 301, "location": "/new", "site": "docs", "alias": "live", "access": "link", "deploy": null,
            "commit": null, "author": null, "decided_by": { "text": "line 1 of `_redirects` says so: `/old /new 301`" },
            "headers": [{ "file": "_headers", "line": 3, "text": "/*" }],
            "chain": [{ "step": "push", "sequence": 7, "type": "t", "text": "`main` pushed", "time": "2026-01-02T03:04:05Z", "actor": "github:x" }],
        });
        let lines = "docs.example/old  301 to /new\nsite docs  alias live  access link\npush  7  2026-01-02T03:04:05Z  github:x  `main` pushed\n\
                     decided  line 1 of `_redirects` says so: `/old /new 301`\nheaders  _headers:3  /*";
        assert_eq!(told(&explained), lines);
    }
}
