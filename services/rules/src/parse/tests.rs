//! Files and what is made of them, line by line.

use super::*;
use crate::{Condition, Headers};

fn netlify(file: &str) -> Rules {
    read(RulesDialect::Netlify, Some(file.as_bytes()), None).unwrap()
}

fn cloudflare(file: &str) -> Rules {
    read(RulesDialect::Cloudflare, Some(file.as_bytes()), None).unwrap()
}

/// `from to status`, with what else a rule says.
fn told(rule: &Redirect) -> String {
    let mut told = format!("{} {} {}", rule.from, rule.to, rule.status);
    if rule.forced {
        told.push('!');
    }
    if let Some(host) = &rule.host {
        told.push_str(&format!(" on {host}"));
    }
    for (name, value) in &rule.query {
        told.push_str(&format!(" ?{name}={value}"));
    }
    for condition in &rule.conditions {
        told.push_str(&match condition {
            Condition::Country(values) => format!(" country {}", values.join("+")),
            Condition::Language(values) => format!(" language {}", values.join("+")),
            Condition::Cookie(values) => format!(" cookie {}", values.join("+")),
        });
    }
    told
}

#[test]
fn netlifys_lines() {
    for (line, expected) in [
        ("/old /new", "/old /new 301"),
        ("old /new 302", "/old /new 302"),
        ("/old\t/new   308!", "/old /new 308!"),
        ("/a /b#x # comment", "/a /b#x 301"),
        ("/docs/* /manual/:splat 301", "/docs/* /manual/:splat 301"),
        ("/app/* 200", "/app/* /app/:splat 200"),
        ("/app/* /index.html 200", "/app/* /index.html 200"),
        ("/store id=:id /product/:id 301", "/store /product/:id 301 ?id=:id"),
        ("/a x=1 y=:y /b/:y", "/a /b/:y 301 ?x=1 ?y=:y"),
        ("/gone /gone.html 410", "/gone /gone.html 410"),
        ("http://old.example/* https://new.example/:splat 301!", "/* https://new.example/:splat 301! on old.example"),
        ("https://Old.example:8080 /home", "/ /home 301 on old.example"),
        ("/ /fr 302 Language=fr,de Country=ca", "/ /fr 302 language fr+de country ca"),
        ("/x /y 302 Cookie=beta", "/x /y 302 cookie beta"),
        ("/x /y 302 Mood=good", "/x /y 302"),
    ] {
        let rules = netlify(line);
        assert_eq!(rules.redirects.iter().map(told).collect::<Vec<_>>(), [expected], "{line}");
    }
}

#[test]
fn lines_that_cannot_be_used_are_told_with_their_numbers_and_the_others_are_used() {
    let file = "\u{feff}# moved\r\n/a /b\r\n\r\n/bad\n/c /d 99\n/.netlify/x /y\n/e https://:host/f\n/g /h 301 Role=admin\n/i https://x.example/ 200\n/j/*/k/* /l\n/m /n";
    let rules = netlify(file);
    assert_eq!(rules.redirects.iter().map(told).collect::<Vec<_>>(), ["/a /b 301", "/m /n 301"]);
    let told: Vec<_> = rules.diagnostics.iter().map(|told| (told.line, told.text.as_str())).collect();
    let lines = [
        (4, "/bad"),
        (5, "/c /d 99"),
        (6, "/.netlify/x /y"),
        (7, "/e https://:host/f"),
        (8, "/g /h 301 Role=admin"),
        (9, "/i https://x.example/ 200"),
        (10, "/j/*/k/* /l"),
    ];
    assert_eq!(told, lines);
    assert!(rules.diagnostics.iter().all(|told| told.file == "_redirects" && !told.message.is_empty()));
    assert_eq!(rules.redirects.last().unwrap().line, 11);
}

#[test]
fn cloudflares_lines() {
    for (line, expected) in [
        ("/old /new", "/old /new 302"),
        ("old /new 301", "/old /new 301"),
        ("/a/../b?x=1#y /new", "/b /new 302"),
        ("/\u{fc} /new", "/%C3%BC /new 302"),
        ("/a https://new.example:8443/b?c=d#e 307", "/a https://new.example:8443/b?c=d#e 307"),
        ("/a /b # comment", "/a /b 302"),
        ("/a* /b/:splat", "/a* /b/:splat 302"),
    ] {
        assert_eq!(cloudflare(line).redirects.iter().map(told).collect::<Vec<_>>(), [expected], "{line}");
    }
    for line in [
        "/a",
        "/a /b 301 more",
        "/a /b 301!",
        "/a /b 404",
        "/a http://plain.example/",
        "https://x.example/a /b",
        "/a https://x.example/ 200",
        "/* /index.html 200",
        "/a/ /index",
        "/a/*/b/* /c",
    ] {
        let rules = cloudflare(line);
        assert_eq!((rules.redirects.len(), rules.diagnostics.len()), (0, 1), "{line}");
    }
}

#[test]
fn cloudflare_uses_the_first_of_two_lines_for_one_path() {
    let rules = cloudflare("/a /b\n/c /d\n/a /e");
    assert_eq!(rules.redirects.iter().map(told).collect::<Vec<_>>(), ["/a /b 302", "/c /d 302"]);
    assert_eq!(rules.diagnostics.iter().map(|told| told.line).collect::<Vec<_>>(), [3]);
    assert_eq!(netlify("/a /b\n/a /e").redirects.len(), 2);
}

fn headers(dialect: RulesDialect, file: &str) -> (Vec<Headers>, Vec<u32>) {
    let rules = read(dialect, None, Some(file.as_bytes())).unwrap();
    (rules.headers, rules.diagnostics.iter().map(|told| told.line).collect())
}

#[test]
fn headers_stand_below_their_paths() {
    let file = "X-Lost: 1\n/*\n  X-Site: yes\n  # comment\n  X-Site: and more\n  no colon\n  X-Empty:\n/secure/*\n  X-Frame-Options: DENY\n  Content-Length: 3\n  Basic-Auth: a:b\n! X-Gone\n";
    let (rules, diagnostics) = headers(RulesDialect::Netlify, file);
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(rules[0].set, [pair("x-site", "yes, and more")]);
    assert_eq!((rules[1].from.as_str(), rules[1].line), ("/secure/*", 8));
    assert_eq!(rules[1].set, [pair("x-frame-options", "DENY")]);
    assert_eq!(diagnostics, [1, 6, 7, 10, 11, 12]);

    let file = "https://Docs.example/a\n  ! X-Frame-Options\nhttps://x.example:81/\n  X-Lost: 1\n/*/*\n  X-Lost: 2\n/a\n  !X-A\n";
    let (rules, diagnostics) = headers(RulesDialect::Cloudflare, file);
    assert_eq!((rules.len(), rules[0].host.as_deref()), (1, Some("docs.example")));
    assert_eq!(rules[0].unset, ["x-frame-options"]);
    assert_eq!(diagnostics, [3, 5, 8]);
}

#[test]
fn what_a_site_has_not_makes_no_rules_and_equal_files_have_equal_digests() {
    assert_eq!(read(RulesDialect::Netlify, None, None), None);
    let digest = |dialect, redirects: Option<&str>, headers: Option<&str>| {
        read(dialect, redirects.map(str::as_bytes), headers.map(str::as_bytes)).unwrap().source
    };
    let of = |redirects| digest(RulesDialect::Netlify, Some(redirects), None);
    assert_eq!(of("/a /b"), of("/a /b"));
    assert_ne!(of("/a /b"), of("/a /c"));
    assert_ne!(of("/a /b"), digest(RulesDialect::Cloudflare, Some("/a /b"), None));
    assert_ne!(of("/a /b"), digest(RulesDialect::Netlify, None, Some("/a /b")));
    assert_ne!(of("/a /b"), digest(RulesDialect::Netlify, Some("/a /b"), Some("")));
}

#[test]
fn rules_read_back_from_their_json() {
    let file = "/a x=:x /b 302! Cookie=c\nhttp://h.example/* /c/:splat\n/bad\n";
    let rules = read(RulesDialect::Netlify, Some(file.as_bytes()), Some(b"/*\n X-A: 1\n")).unwrap();
    let json = serde_json::to_string(&rules).unwrap();
    assert_eq!(serde_json::from_str::<Rules>(&json).unwrap(), rules);
}
