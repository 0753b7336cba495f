//! Which route a request has, against a table and against a slow and simple matcher.

use super::*;
use events::RouteId;
use proptest::prelude::*;
use uuid::Uuid;

fn added(number: u128, host: &str, path: &str, kind: Reach) -> RouteEvent {
    let (route, host, path) = (RouteId(Uuid::from_u128(number)), host.parse().unwrap(), path.parse().unwrap());
    RouteEvent::Added(Routed { route, host, path, kind, leads: Leads::Gone { page: None }, owner: None })
}

fn removed(host: &str, path: &str) -> RouteEvent {
    let (host, path) = (host.parse().unwrap(), path.parse().unwrap());
    RouteEvent::Removed { route: RouteId(Uuid::nil()), host, path, owner: None }
}

fn told(facts: impl IntoIterator<Item = RouteEvent>) -> Leading {
    let mut leading = Leading::default();
    facts.into_iter().for_each(|fact| leading.apply(&fact));
    leading
}

/// The number of the route that answers, and what is below it.
fn found(leading: &Leading, host: &str, path: &str) -> Option<(u128, String)> {
    leading.find(host, path).map(|found| (found.led.route.0.as_u128(), found.below.to_owned()))
}

#[test]
fn routes_are_looked_for_at_a_path_and_above_it() {
    for (path, expected) in [
        ("/", &["/"][..]),
        ("/a", &["/a", "/"]),
        ("/a/b c/", &["/a/b%20c", "/a", "/"]),
        ("/café", &["/caf%C3%A9", "/"]),
    ] {
        let paths: Vec<String> = at_or_above(path).iter().map(ToString::to_string).collect();
        assert_eq!(paths, expected, "{path}");
    }
}

#[test]
fn the_path_itself_goes_first_and_then_the_longest_above_it_by_whole_segments() {
    use Reach::{Exact, Prefix};
    let leading = told([
        added(1, "a.test", "/foo", Exact),
        added(2, "a.test", "/bar", Prefix),
        added(3, "a.test", "/bar/deep/down", Prefix),
        added(4, "a.test", "/bar/deep/page", Exact),
        added(5, "a.test", "/caf%C3%A9", Prefix),
        added(6, "b.test", "/", Prefix),
        added(7, "b.test", "/foo", Exact),
        added(8, "c.test", "/", Exact),
    ]);
    for (host, path, expected) in [
        ("a.test", "/foo", Some((1, ""))),
        ("a.test", "/foo/", Some((1, ""))),
        ("a.test", "/foo/x", None),
        ("a.test", "/foobar", None),
        ("a.test", "/foo.json", None),
        ("a.test", "/", None),
        ("a.test", "/bar", Some((2, ""))),
        ("a.test", "/bar/x/y", Some((2, "/x/y"))),
        ("a.test", "/bar/x/y/", Some((2, "/x/y/"))),
        ("a.test", "/bar/deep", Some((2, "/deep"))),
        ("a.test", "/barn", None),
        ("a.test", "/bar/deep/down", Some((3, ""))),
        ("a.test", "/bar/deep/down/x", Some((3, "/x"))),
        ("a.test", "/bar/deep/downward", Some((2, "/deep/downward"))),
        ("a.test", "/bar/deep/page", Some((4, ""))),
        ("a.test", "/bar/deep/page/x", Some((2, "/deep/page/x"))),
        ("a.test", "/café/au lait", Some((5, "/au lait"))),
        ("a.test", "/Foo", None),
        ("b.test", "/", Some((6, ""))),
        ("b.test", "/x/y", Some((6, "/x/y"))),
        ("b.test", "/foo", Some((7, ""))),
        ("b.test", "/foo/x", Some((6, "/foo/x"))),
        ("c.test", "/", Some((8, ""))),
        ("c.test", "/x", None),
        ("d.test", "/foo", None),
    ] {
        let expected = expected.map(|(number, below)| (number, below.to_owned()));
        assert_eq!(found(&leading, host, path), expected, "{host}{path}");
    }
}

#[test]
fn a_host_without_routes_is_forgotten() {
    let leading = told([added(1, "a.test", "/x", Reach::Prefix), removed("a.test", "/x"), removed("a.test", "/y")]);
    assert_eq!(leading, Leading::default());
}

#[test]
fn one_change_among_many_routes_copies_and_tells_only_itself() {
    let many = told((0..20_000).map(|number| added(number, "a.test", &format!("/{number}"), Reach::Exact)));
    let mut later = many.clone();
    later.apply(&added(20_001, "a.test", "/7", Reach::Prefix));
    let changes = later.changes_since(&many);
    assert_eq!(changes.keys().map(|place| &**place).collect::<Vec<_>>(), ["a.test/7"]);
    let mut again = many.clone();
    again.change(changes);
    assert_eq!((&again, found(&again, "a.test", "/7/x")), (&later, Some((20_001, "/x".to_owned()))));
    assert_eq!(found(&many, "a.test", "/7/x"), None, "who read the table before reads on in it");
}

proptest! {
    #[test]
    fn it_finds_what_a_slow_matcher_finds_whatever_was_added_and_removed(
        steps in proptest::collection::vec(("[ab]\\.test", "(/[ab]{1,2}){0,3}/?", any::<bool>(), 0_u8..4), 0..30),
        asked in proptest::collection::vec(("[ab]\\.test", "(/[ab]{1,2}){0,4}/?"), 20),
    ) {
        let (mut leading, mut plain) = (Leading::default(), BTreeMap::<(String, Vec<String>), (u128, Reach)>::new());
        let segments = |path: &str| path.split('/').filter(|part| !part.is_empty()).map(ToOwned::to_owned).collect::<Vec<_>>();
        for (number, (host, path, prefix, remove)) in steps.iter().enumerate() {
            let path = format!("/{}", path.trim_start_matches('/'));
            let key = (host.clone(), segments(&path));
            if *remove == 0 {
                leading.apply(&removed(host, &path));
                plain.remove(&key);
            } else {
                let kind = if *prefix { Reach::Prefix } else { Reach::Exact };
                leading.apply(&added(number as u128, host, &path, kind));
                plain.insert(key, (number as u128, kind));
            }
        }
        for (host, path) in asked {
            let path = format!("/{}", path.trim_start_matches('/'));
            let whole = segments(&path);
            let of = |length: usize| plain.get(&(host.clone(), whole[..length].to_vec())).filter(|(_, kind)| length == whole.len() || *kind == Reach::Prefix).map(|(number, _)| {
                (*number, whole[length..].iter().map(|part| format!("/{part}")).collect::<String>())
            });
            let expected = (0..=whole.len()).rev().find_map(of);
            let found = found(&leading, &host, &path).map(|(number, below)| (number, below.trim_end_matches('/').to_owned()));
            prop_assert_eq!(found, expected, "{}{}", host, path);
        }
        let json = serde_json::to_string(&leading).unwrap();
        prop_assert_eq!(serde_json::from_str::<Leading>(&json).unwrap(), leading);
    }
}
