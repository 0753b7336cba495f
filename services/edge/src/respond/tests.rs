//! Answers by table.

use super::*;
use events::event::Serving;
use events::{BuildId, DeployId, Digest};
use http::Request;

fn entry() -> SiteFile {
    let digest = Digest::of(b"0123456789");
    let content_type = "text/plain; charset=utf-8".into();
    SiteFile { path: "a.txt".to_owned(), digest, size: 10, content_type, pack: digest, offset: 0 }
}

fn target(kind: Kind) -> Target {
    let (site, deploy) = (events::SiteId(uuid::Uuid::nil()), DeployId::of(BuildId(uuid::Uuid::nil())));
    Target { site, deploy, kind, serving: Serving::default() }
}

fn request(method: &str, uri: &str, headers: &[(&str, &str)]) -> Parts {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

fn header<'r>(reply: &'r Reply, name: &str) -> Option<&'r str> {
    reply.headers.get(name).map(|value| value.to_str().unwrap())
}

fn etag() -> String {
    format!("\"{}\"", entry().digest)
}

#[test]
fn what_is_asked_decides_status_length_and_body() {
    let (tag, other) = (etag(), "\"x\"");
    for (method, asked, status, length, part) in [
        ("GET", vec![], 200, Some("10"), Some(0..10)),
        ("HEAD", vec![], 200, Some("10"), None),
        ("GET", vec![("if-none-match", tag.as_str())], 304, None, None),
        ("HEAD", vec![("if-none-match", "*")], 304, None, None),
        ("GET", vec![("if-none-match", other)], 200, Some("10"), Some(0..10)),
        ("GET", vec![("if-match", other)], 412, Some("0"), None),
        ("GET", vec![("if-match", tag.as_str())], 200, Some("10"), Some(0..10)),
        ("GET", vec![("range", "bytes=2-4")], 206, Some("3"), Some(2..5)),
        ("GET", vec![("range", "bytes=2-4"), ("if-range", other)], 200, Some("10"), Some(0..10)),
        ("GET", vec![("range", "bytes=2-4"), ("if-none-match", tag.as_str())], 304, None, None),
        ("GET", vec![("range", "bytes=0-1,3-4")], 200, Some("10"), Some(0..10)),
        ("GET", vec![("range", "bytes=10-")], 416, Some("0"), None),
        ("HEAD", vec![("range", "bytes=2-4")], 200, Some("10"), None),
    ] {
        let reply = file(&entry(), &target(Kind::Live), &request(method, "/", &asked));
        let told = (reply.status.as_u16(), header(&reply, "content-length"), reply.part.clone());
        assert_eq!(told, (status, length, part), "{method} {asked:?}");
    }
}

#[test]
fn a_part_says_where_it_belongs() {
    let told = |range| file(&entry(), &target(Kind::Live), &request("GET", "/", &[("range", range)]));
    assert_eq!(header(&told("bytes=2-4"), "content-range"), Some("bytes 2-4/10"));
    assert_eq!(header(&told("bytes=10-"), "content-range"), Some("bytes */10"));
    assert_eq!(header(&told("bytes=0-1,3-4"), "content-range"), None);
}

#[test]
fn only_the_live_host_is_indexed_and_only_a_deploys_own_host_is_immutable() {
    for (kind, cache, robots) in [
        (Kind::Live, "public, max-age=0, must-revalidate", None),
        (Kind::Demo, "public, max-age=0, must-revalidate", Some("noindex")),
        (Kind::Preview, "public, max-age=0, must-revalidate", Some("noindex")),
        (Kind::Deploy, "public, max-age=31536000, immutable", Some("noindex")),
    ] {
        let get = request("GET", "/", &[]);
        let cached = request("GET", "/", &[("if-none-match", "*")]);
        for reply in [
            file(&entry(), &target(kind), &get),
            file(&entry(), &target(kind), &cached),
            redirect("/a/", &target(kind), &get),
        ] {
            assert_eq!((header(&reply, "cache-control"), header(&reply, "x-robots-tag")), (Some(cache), robots));
            assert_eq!(header(&reply, "x-pagefold-deploy"), Some(target(kind).deploy.as_str()));
            assert_eq!(header(&reply, "x-content-type-options"), Some("nosniff"));
            assert_eq!(header(&reply, "x-frame-options"), Some("SAMEORIGIN"));
            assert_eq!(header(&reply, "strict-transport-security"), Some("max-age=31536000"));
            assert_eq!(header(&reply, "referrer-policy"), Some("strict-origin-when-cross-origin"));
        }
    }
}

#[test]
fn a_file_says_what_it_is() {
    let reply = file(&entry(), &target(Kind::Live), &request("GET", "/", &[]));
    assert_eq!(header(&reply, "content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(header(&reply, "etag"), Some(etag().as_str()));
    assert_eq!(header(&reply, "accept-ranges"), Some("bytes"));
}

#[test]
fn a_page_that_says_not_found_is_never_kept_and_has_no_conditions() {
    let asked = request("GET", "/", &[("if-none-match", "*"), ("range", "bytes=0-1")]);
    let reply = shown_as(&entry(), StatusCode::NOT_FOUND, &target(Kind::Deploy), &asked);
    assert_eq!((reply.status.as_u16(), reply.part.clone()), (404, Some(0..10)));
    assert_eq!(header(&reply, "cache-control"), Some("public, max-age=0, must-revalidate"));
    assert_eq!(header(&reply, "etag"), None);
}

#[test]
fn a_redirect_keeps_the_query() {
    for (uri, location) in [("/a", "/a/"), ("/a?b=c&d=%20", "/a/?b=c&d=%20"), ("/a?", "/a/?")] {
        let reply = redirect("/a/", &target(Kind::Live), &request("GET", uri, &[]));
        assert_eq!((reply.status.as_u16(), header(&reply, "location")), (307, Some(location)), "{uri}");
    }
}

#[test]
fn rules_amend_what_is_shown_but_not_who_may_index_it() {
    let file = "/*\n  X-Frame-Options: DENY\n  X-Robots-Tag: all\n  X-Site: yes\n";
    let rules = rules::read(RulesDialect::Netlify, None, Some(file.as_bytes())).unwrap();
    let (rules, asked) = (Matcher::new(&rules), Asked { host: "h", path: "/a.txt", ..Asked::default() });
    let get = request("GET", "/a.txt", &[]);
    for (kind, robots) in [(Kind::Live, "all"), (Kind::Preview, "noindex"), (Kind::Deploy, "noindex")] {
        let mut reply = super::file(&entry(), &target(kind), &get);
        amend(&mut reply, &rules, &asked, kind);
        assert_eq!(header(&reply, "x-frame-options"), Some("DENY"));
        assert_eq!((header(&reply, "x-site"), header(&reply, "x-robots-tag")), (Some("yes"), Some(robots)));
    }
    let mut leads = led("/b", 302, &target(Kind::Live));
    amend(&mut leads, &rules, &asked, Kind::Live);
    assert_eq!((leads.status.as_u16(), header(&leads, "location"), header(&leads, "x-site")), (302, Some("/b"), None));
}
