use super::*;
use crate::{Matcher, parse};
use http::HeaderMap;

fn told(pages: &Pages) -> Vec<String> {
    let of = |told: &Diagnostic| format!("{}:{} {}: {}", told.file, told.line, told.text, told.message);
    pages.diagnostics.iter().map(of).collect()
}

#[test]
fn all_of_the_file_is_read() {
    let pages = read(
        br#"{
  "fullClone": true,
  "headers": [
    { "/index.html": { " Cache-Control ": " no-cache " } },
    { "/*": { "cache-control": "max-age=600", "x-frame-options": "DENY" } }
  ],
  "excludePaths": ["/drafts/*"],
  "includePaths": ["/drafts/open.html"],
  "cache": false
}"#,
    );
    assert_eq!(told(&pages), Vec::<String>::new());
    assert!(pages.full_clone && !pages.cache);
    assert!(!pages.paths.publishes("drafts/a.html") && pages.paths.publishes("drafts/open.html"));
    let headers: Vec<_> = pages.headers.iter().map(|rule| (rule.line, rule.from.as_str(), rule.set.len())).collect();
    assert_eq!(headers, [(4, "/index.html", 1), (5, "/*", 2)]);
    assert_eq!(pages.headers[0].set, [("cache-control".to_owned(), "no-cache".to_owned())]);
}

#[test]
fn what_cannot_be_used_is_told_and_the_rest_is_used() {
    let pages = read(
        br#"{
  "headers": [
    { "/a*b": { "cache-control": "x" } },
    "text",
    { "/n": 1 },
    { "/o": { "content-length": "3", "x-o": 7, "x-p": "1" } }
  ],
  "excludePaths": ["drafts", 5, "/fine/*"],
  "includePaths": "/x",
  "fullClone": "yes",
  "cache": null,
  "colour": "red"
}"#,
    );
    let expected = [
        "pages.json:11 cache: it is neither `true` nor `false`",
        "pages.json:12 colour: nothing is called so here",
        "pages.json:8 drafts: it means no path: each begins with `/`",
        "pages.json:8 excludePaths: `5` is not a path",
        "pages.json:10 fullClone: it is neither `true` nor `false`",
        "pages.json:3 /a*b: a star stands alone, or before an extension",
        "pages.json:2 headers: `\"text\"` is not a path with its headers",
        "pages.json:5 /n: its headers are not an object",
        "pages.json:6 /o: `content-length` is not for sites to say",
        "pages.json:6 /o: the value of `x-o` is not a text",
        "pages.json:9 includePaths: it is not a list",
    ];
    let mut found = told(&pages);
    found.sort();
    let mut expected = expected.map(str::to_owned);
    expected.sort();
    assert_eq!(found, expected);
    assert!(pages.cache && !pages.full_clone && !pages.paths.publishes("fine/x"));
    assert_eq!(pages.headers[0].set, [("x-p".to_owned(), "1".to_owned())]);
}

#[test]
fn what_is_no_json_says_where() {
    let pages = read(b"{\n  \"cache\": true,\n}");
    assert!(told(&pages)[0].starts_with("pages.json:3 }: it is not JSON: "), "{:?}", told(&pages));
    assert_eq!(told(&read(b"[]")), ["pages.json:1 : it is not an object"]);
    assert!(read(b"{}").diagnostics.is_empty());
    assert_eq!(Pages { diagnostics: Vec::new(), ..read(&[0xff, 0xfe]) }, Pages::default());
}

#[test]
fn the_first_path_counts_and_the_file_of_headers_goes_over_it() {
    let file = br#"{ "headers": [
        { "/index.html": { "cache-control": "no-cache" } },
        { "/*": { "cache-control": "max-age=600", "x-from": "pages" } }] }"#;
    let own = parse::read(RulesDialect::Netlify, None, Some(b"/app.js\n  X-From: headers"));
    let rules = joined(own, RulesDialect::Netlify, Some(file)).unwrap();
    let matcher = Matcher::new(&rules);
    let answered = |path: &str| {
        let mut headers = HeaderMap::new();
        headers.insert("cache-control", "usual".parse().unwrap());
        matcher.amend("docs.example", path, &mut headers);
        let of = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
        (of("cache-control"), of("x-from"))
    };
    assert_eq!(answered("/"), ("no-cache".to_owned(), String::new()));
    assert_eq!(answered("/about/"), ("max-age=600".to_owned(), "pages".to_owned()));
    assert_eq!(answered("/app.js"), ("max-age=600".to_owned(), "headers".to_owned()));
    assert_eq!(matcher.paged_by("/about/"), Some(3));
}

#[test]
fn rules_are_others_with_the_file_and_as_they_were_without_it() {
    let own = || parse::read(RulesDialect::Netlify, Some(b"/a /b"), None);
    assert_eq!(joined(own(), RulesDialect::Netlify, None), own());
    assert_eq!(
        joined(None, RulesDialect::Netlify, Some(b"{}")),
        None,
        "a file that says nothing of headers is no rule"
    );
    let with = joined(own(), RulesDialect::Netlify, Some(b"{}")).unwrap();
    assert_ne!(with.source, own().unwrap().source);
    let told = joined(None, RulesDialect::Netlify, Some(b"{")).unwrap();
    assert_eq!(told.diagnostics.len(), 1, "what is wrong with it is told all the same");
    let text = serde_json::to_string(&told).unwrap();
    assert_eq!(serde_json::from_str::<Rules>(&text).unwrap(), told);
    assert!(!serde_json::to_string(&own().unwrap()).unwrap().contains("pages"), "older readers know no such field");
}
