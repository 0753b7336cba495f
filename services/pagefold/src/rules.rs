//! The rules of a site, as lines of text.

use serde_json::Value;

/// A line for each rule, and one for each line that is not used.
pub(crate) fn told(rules: &Value) -> String {
    let mut lines = Vec::new();
    for rule in list(&rules["redirects"]) {
        let forced = if rule["forced"] == true { "!" } else { "" };
        let conditions = words(&rule["query"]).chain(words(&rule["conditions"]));
        let conditions: String = conditions.map(|word| format!(" {word}")).collect();
        let (host, from, to) = (word(&rule["host"]), word(&rule["from"]), word(&rule["to"]));
        lines.push(format!("_redirects:{}  {host}{from} {to} {}{forced}{conditions}", rule["line"], rule["status"]));
    }
    for rule in list(&rules["headers"]) {
        let without = words(&rule["unset"]).map(|name| format!("! {name}"));
        let said: Vec<String> = words(&rule["set"]).map(ToOwned::to_owned).chain(without).collect();
        let (file, from) = (word(&rule["file"]), word(&rule["from"]));
        lines.push(format!("{file}:{}  {from}  {}", rule["line"], said.join("; ")));
    }
    for told in list(&rules["diagnostics"]) {
        let (file, line, text) = (word(&told["file"]), &told["line"], word(&told["text"]));
        lines.push(format!("not used: {file}:{line}  {text}  ({})", word(&told["message"])));
    }
    if lines.is_empty() { "no rules".to_owned() } else { lines.join("\n") }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn words(value: &Value) -> impl Iterator<Item = &str> {
    list(value).iter().map(word)
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_rule_is_a_line_with_its_place() {
        let rules = json!({
            "redirects": [{ "line": 2, "host": null, "from": "/a", "query": ["x=:x"], "to": "/b", "status": 302, "forced": true,
                "conditions": ["Cookie=c"] }],
            "headers": [{ "file": "_headers", "line": 1, "from": "/*", "set": ["x-a: 1"], "unset": ["x-b"] }],
            "diagnostics": [{ "file": "_redirects", "line": 7, "text": "/bad", "message": "it has no target" }],
        });
        let lines = "_redirects:2  /a /b 302! x=:x Cookie=c\n_headers:1  /*  x-a: 1; ! x-b\n\
                     not used: _redirects:7  /bad  (it has no target)";
        assert_eq!(told(&rules), lines);
        assert_eq!(told(&json!({})), "no rules");
    }
}
