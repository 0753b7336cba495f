//! Which rule answers, and how.

use super::*;
use crate::read;
use proptest::prelude::*;
use std::time::{Duration, Instant};

fn matcher(dialect: RulesDialect, redirects: &str) -> Matcher {
    Matcher::new(&read(dialect, Some(redirects.as_bytes()), None).unwrap())
}

/// `line status>location`, `line status=path`, or `-`. A query follows a question mark.
fn told(matcher: &Matcher, url: &str) -> String {
    let (path, query) = url.split_once('?').map_or((url, None), |(path, query)| (path, Some(query)));
    let asked = Asked { host: "docs.example", path, query, ..Asked::default() };
    tell(matcher.redirect(&asked))
}

fn tell(matched: Option<Matched>) -> String {
    match matched {
        None => "-".to_owned(),
        Some(Matched { line, outcome: Outcome::Redirect { location, status }, .. }) => {
            format!("{line} {status}>{location}")
        }
        Some(Matched { line, outcome: Outcome::Rewrite { path, status }, .. }) => format!("{line} {status}={path}"),
    }
}

#[test]
fn by_netlifys_grammar() {
    let rules = matcher(
        RulesDialect::Netlify,
        "/old /new 301
/blog/:slug /posts/:slug 302
/docs/* /manual/:splat 301
/store id=:id kind=a /product/:id 301
/deep/*/end /end/:splat
/glued* /g/:splat
/x/:y/z /z?of=:y&unknown=:w#top
/slash/ /no-slash
/first/* /one
/first/second /two
/whole /app/index.html 200
/part*in/mid /literal
/\u{fc}ber /about
/target//double/ //evil.example//x
/splat/* /:splat 301
/away/* https://example.org/:splat
/up/:a /x/:a
http://other.example/* /other
",
    );
    for (url, expected) in [
        ("/old", "1 301>/new"),
        ("/old/", "1 301>/new"),
        ("/old//", "-"),
        ("//old", "-"),
        ("/OLD", "-"),
        ("/old?a=b&c", "1 301>/new?a=b&c"),
        ("/blog/x", "2 302>/posts/x"),
        ("/blog/x/", "2 302>/posts/x"),
        ("/blog/x/y", "-"),
        ("/blog/", "-"),
        ("/docs", "3 301>/manual/"),
        ("/docs/", "3 301>/manual/"),
        ("/docs/a/b", "3 301>/manual/a/b"),
        ("/docs/a/b/", "3 301>/manual/a/b/"),
        ("/docsy", "-"),
        ("/store?id=7&kind=a", "4 301>/product/7"),
        ("/store?kind=a&x=1&id=7&id=8", "4 301>/product/8?x=1"),
        ("/store?id=a%2Fb+c&kind=a", "4 301>/product/a%2Fb%20c"),
        ("/store?id=..&kind=a", "-"),
        ("/store?id=&kind=a", "-"),
        ("/store?id=7&kind=b", "-"),
        ("/store", "-"),
        ("/deep/end", "5 301>/end/"),
        ("/deep/a/b/end/", "5 301>/end/a/b"),
        ("/gluedly", "6 301>/g/ly"),
        ("/x/a&b/z?q=1", "7 301>/z?of=a%26b&unknown=:w#top"),
        ("/slash", "8 301>/no-slash"),
        ("/first/second", "9 301>/one"),
        ("/whole?q=1", "11 200=/app/index.html"),
        ("/part*in/mid", "12 301>/literal"),
        ("/partly-in/mid", "-"),
        ("/%C3%BCber", "13 301>/about"),
        ("/%c3%bcber", "13 301>/about"),
        ("/target//double", "14 301>/evil.example/x"),
        ("/splat//evil.example/x", "15 301>/evil.example/x"),
        ("/away//evil.example", "16 301>https://example.org/evil.example"),
        ("/up/..", "-"),
        ("/up/%2e%2E", "-"),
        ("/up/a%2F..%2Fb", "17 301>/x/a%2F..%2Fb"),
        ("/other", "-"),
    ] {
        assert_eq!(told(&rules, url), expected, "{url}");
    }
    let asked = Asked { host: "Other.Example", path: "/anything", ..Asked::default() };
    assert_eq!(tell(rules.redirect(&asked)), "18 301>/other");
}

#[test]
fn by_cloudflares_grammar() {
    let rules = matcher(
        RulesDialect::Cloudflare,
        "/old /new
/slash/ /no-slash 301
/splat/* /s/:splat
/partial:x.html /p/:x 308
/a*b /ab/:splat
/page /other.html 200
/to https://example.org/x#frag
/blog/:slug/:slug2 /:slug2/:slug
/late /static
",
    );
    for (url, expected) in [
        ("/old", "1 302>/new"),
        ("/old/", "-"),
        ("/slash", "-"),
        ("/slash/", "2 301>/no-slash"),
        ("/splat", "-"),
        ("/splat/", "3 302>/s/"),
        ("/splat/x//y/", "3 302>/s/x/y/"),
        ("/partialfoo.html", "4 308>/p/foo"),
        ("/partial.html", "-"),
        ("/axx/yyb", "5 302>/ab/xx/yy"),
        ("/page", "6 200=/other.html"),
        ("/to?q=1", "7 302>https://example.org/x?q=1#frag"),
        ("/blog/a/b", "8 302>/b/a"),
        ("/late", "9 302>/static"),
    ] {
        assert_eq!(told(&rules, url), expected, "{url}");
    }
}

#[test]
fn conditions_all_hold_or_the_next_rule_is_asked() {
    let rules = matcher(
        RulesDialect::Netlify,
        "/ /beta 302 Cookie=beta Language=en\n/ /fr 302! Language=fr\n/ /ca 302 Country=CA,us\n/ /all 302\n",
    );
    for (cookies, languages, expected) in [
        (Some("a=b; beta=1"), Some("en-GB,fr"), "1 302>/beta"),
        (Some("beta=1"), Some("de"), "4 302>/all"),
        (None, Some("fr-CA;q=0.9, en"), "2 302>/fr"),
        (None, Some("frisian"), "4 302>/all"),
        (Some("nf_lang=fr"), Some("en"), "2 302>/fr"),
        (Some("nf_country=ca"), None, "3 302>/ca"),
        (None, None, "4 302>/all"),
    ] {
        let asked = Asked { host: "h", path: "/", query: None, cookies, languages };
        let matched = rules.redirect(&asked).unwrap();
        assert_eq!(matched.forced, matched.line == 2);
        assert_eq!(tell(Some(matched)), expected, "{cookies:?} {languages:?}");
    }
}

fn amended(dialect: RulesDialect, file: &str, path: &str) -> Vec<String> {
    let matcher = Matcher::new(&read(dialect, None, Some(file.as_bytes())).unwrap());
    let mut headers = HeaderMap::new();
    headers.insert("cache-control", HeaderValue::from_static("ours"));
    headers.insert("x-frame-options", HeaderValue::from_static("ours"));
    matcher.amend("docs.example", path, &mut headers);
    let mut told: Vec<_> = headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    told.sort();
    told
}

#[test]
fn netlifys_headers_replace_and_the_last_rule_wins() {
    let file =
        "/*\n  X-A: 1\n  Cache-Control: one\n/docs/*\n  cache-control: two\n/:page/x.HTML\n  X-B: 2\n/*.js\n  X-C: 3\n";
    for (path, expected) in [
        ("/", vec!["cache-control: one", "x-a: 1", "x-frame-options: ours"]),
        ("/docs", vec!["cache-control: two", "x-a: 1", "x-frame-options: ours"]),
        ("/DOCS//a/", vec!["cache-control: two", "x-a: 1", "x-frame-options: ours"]),
        ("/p/x.html/", vec!["cache-control: one", "x-a: 1", "x-b: 2", "x-frame-options: ours"]),
        ("/a/b.js", vec!["cache-control: one", "x-a: 1", "x-c: 3", "x-frame-options: ours"]),
    ] {
        assert_eq!(amended(RulesDialect::Netlify, file, path), expected, "{path}");
    }
}

#[test]
fn cloudflares_headers_take_away_replace_ours_and_join_their_own() {
    let file = "/*\n  ! X-Frame-Options\n  Cache-Control: one\n/docs/*\n  Cache-Control: two\n  X-Path: :splat!\n/docs/none\n  ! Cache-Control\nhttps://other.example/*\n  X-Other: 1\n/:name/named\n  X-Name: is :name\n";
    for (path, expected) in [
        ("/", vec!["cache-control: one"]),
        ("/docs/a/b", vec!["cache-control: one, two", "x-path: a/b!"]),
        ("/docs/none", vec!["x-path: none!"]),
        ("/Docs/a", vec!["cache-control: one"]),
        ("/me/named", vec!["cache-control: one", "x-name: is me"]),
    ] {
        assert_eq!(amended(RulesDialect::Cloudflare, file, path), expected, "{path}");
    }
}

/// The bounds are those of a release build; a debug one is given twenty times as long.
#[test]
fn many_rules_are_read_and_asked_quickly() {
    let slack = if cfg!(debug_assertions) { 20 } else { 1 };
    let file: String = (0..45_000_u32)
        .map(|number| match number % 3 {
            0 => format!("/old/page-{number} /new/page-{number} 301\n"),
            1 => format!("/section-{number}/* /part/:splat 301\n"),
            _ => format!("/blog/{number}/:slug /posts/:slug 302\n"),
        })
        .collect();
    let read = || {
        let started = Instant::now();
        let rules = read(RulesDialect::Netlify, Some(file.as_bytes()), None).unwrap();
        (started.elapsed(), rules)
    };
    // Whatever else the machine does, one of a few tries is left alone.
    let (parsed, rules) = (0..5).map(|_| read()).min_by_key(|(taken, _)| *taken).unwrap();
    println!("{parsed:?}");
    assert_eq!((rules.redirects.len(), rules.diagnostics.len()), (45_000, 0));
    assert!(parsed < Duration::from_millis(30) * slack, "{parsed:?}");
    let ready = Matcher::new(&rules);
    for url in ["/old/page-0", "/old/page-44997", "/section-44998/a/b", "/blog/44999/x", "/none/at/all"] {
        let (asked, started) = (Asked { host: "h", path: url, ..Asked::default() }, Instant::now());
        for _ in 0..100 {
            let _ = std::hint::black_box(ready.redirect(std::hint::black_box(&asked)));
        }
        let each = started.elapsed() / 100;
        println!("{url} {each:?}");
        assert!(each < Duration::from_micros(10) * slack, "{url}: {each:?}");
    }
}

proptest! {
    /// The tree finds what asking one rule after the other finds.
    #[test]
    fn the_first_rule_of_the_file_answers(
        file in proptest::collection::vec("(/(a|b|:x|ab)){1,3}(/\\*)?( q=(1|:q))? /t 30[12]", 0..12),
        path in "(/(a|b|ab|c)?){0,4}/?",
        query in proptest::option::of("q=[12]"),
    ) {
        let path = if path.is_empty() { "/".to_owned() } else { path };
        let rules = read(RulesDialect::Netlify, Some(file.join("\n").as_bytes()), None).unwrap();
        let asked = Asked { host: "h", path: &path, query: query.as_deref(), ..Asked::default() };
        let alone = rules.redirects.iter().find_map(|rule| {
            let one = Rules { redirects: vec![rule.clone()], ..rules.clone() };
            let ready = Matcher::new(&one);
            ready.redirects[0].matched(&Grammar::Redirects(RulesDialect::Netlify).spelled(&path), &asked, ready.dialect)
        });
        prop_assert_eq!(Matcher::new(&rules).redirect(&asked), alone);
    }

    /// Whatever is asked, an answer stays on its host unless the file names another.
    #[test]
    fn no_reader_chooses_the_host(
        to in "/(:splat|:x|a|/|\\.|b){0,4}",
        path in "/(/|a|%2[fFeE]|\\.|%5[cC]|@|:|evil\\.example){0,8}",
        dialect in proptest::sample::select(vec![RulesDialect::Netlify, RulesDialect::Cloudflare]),
    ) {
        for from in ["/*", "/:x/*", "/a*"] {
            let rules = matcher(dialect, &format!("{from} {to} 301"));
            let asked = Asked { host: "h", path: &path, ..Asked::default() };
            if let Some(Matched { outcome: Outcome::Redirect { location, .. }, .. }) = rules.redirect(&asked) {
                prop_assert!(location.starts_with('/') && !location.starts_with("//") && !location.contains('\\'), "{}", location);
                prop_assert!(!location.split('/').any(crate::path::is_dots), "{}", location);
            }
        }
    }

    #[test]
    fn no_file_makes_it_panic(redirects in "(\\PC|[ \n/*:=!#.]){0,60}", headers in "(\\PC|[ \n/*:!#.]){0,60}", path in "/\\PC{0,10}") {
        for dialect in [RulesDialect::Netlify, RulesDialect::Cloudflare] {
            let rules = read(dialect, Some(redirects.as_bytes()), Some(headers.as_bytes())).unwrap();
            let ready = Matcher::new(&rules);
            let _ = ready.redirect(&Asked { host: "h", path: &path, query: Some(&path), ..Asked::default() });
            ready.amend("h", &path, &mut HeaderMap::new());
        }
    }
}
