use super::*;
use crate::routes::Routes;
use ::doors::Place;
use events::SiteId;
use events::access::{Mode, PasswordHash, ShareLink};
use http::{Method, Request};
use serde_json::json;
use time::OffsetDateTime;

const NOW: i64 = 1_000;
const HOST: &str = "plan--docs.example";

fn site() -> SiteId {
    SiteId(Uuid::from_u128(1))
}

fn key() -> Key {
    Key::new([1; 32])
}

fn hash(letter: char) -> PasswordHash {
    format!("$argon2id$v=19${}", letter.to_string().repeat(40)).parse().unwrap()
}

/// Links 1 to this preview, 2 to everything, 3 to another, 4 whose time is over.
fn link(number: u128) -> ShareLink {
    let alias = match number {
        1 => Some("preview/plan".parse().unwrap()),
        3 => Some("preview/other".parse().unwrap()),
        _ => None,
    };
    let end = if number == 4 { NOW } else { NOW + 60 };
    let expires_at = OffsetDateTime::from_unix_timestamp(end).unwrap();
    ShareLink { link: LinkId(Uuid::from_u128(number)), alias, expires_at }
}

fn routes(mode: Mode) -> Routes {
    let links: serde_json::Map<_, _> =
        (1..=4).map(|number| (link(number).link.to_string(), json!(link(number)))).collect();
    let slot = json!({ "alias": "preview/plan", "shown": "bbbbbbbbbbbb", "next": null });
    let id = site().to_string();
    let known = json!({
        "deleted": false, "erased": false, "name": "docs", "serving": { "access": { "preview": mode } },
        "passwords": { "preview": hash('a') }, "links": links, "slots": { "plan": slot },
    });
    serde_json::from_value(json!({ "hosts": { "docs": id, "guide": id }, "sites": { id: known } })).unwrap()
}

fn judged(mode: Mode, label: &str, method: Method, query: &str, cookie: &str) -> Judged {
    let routes = routes(mode);
    let door = routes.door(label).unwrap();
    let request = Request::builder().method(method).uri(format!("/a?x=1{query}")).header("cookie", cookie);
    let request = request.body(()).unwrap().into_parts().0;
    judge(&Knock { door: &door, host: HOST, request: &request }, Some(&key()), NOW)
}

fn shared(number: u128) -> String {
    format!("&{SHARE}={}", ShareToken::make(&key(), site(), &link(number)))
}

fn cookie(by: By<'_>, host: &str, until: i64) -> String {
    format!("a=b; {}={}", cookie_name(site()), Pass::make(&key(), &Place { site: site(), host }, by, until))
}

#[test]
fn without_anything_only_what_is_public_is_open() {
    for mode in Mode::ALL {
        let expected = if mode == Mode::Public { Judged::Open } else { Judged::Closed };
        for junk in ["", "&pagefold-share=", "&pagefold-share=x.y", "&pagefold-ticket=1.2.3"] {
            assert_eq!(judged(mode, "plan--docs", Method::GET, junk, "pagefold-door-x=1"), expected, "{mode} {junk}");
        }
    }
}

#[test]
fn a_share_link_opens_what_it_is_for_while_it_is_good_whatever_the_mode() {
    for mode in Mode::ALL {
        let shut = if mode == Mode::Public { Judged::Open } else { Judged::Closed };
        for (number, opens) in [(1, true), (2, true), (3, false), (4, false), (5, false)] {
            let expected = if opens { Judged::Link(link(number).link, NOW + 60) } else { shut };
            assert_eq!(judged(mode, "plan--docs", Method::GET, &shared(number), ""), expected, "{mode} {number}");
        }
        let forged = shared(1).replace('a', "b");
        assert_eq!(judged(mode, "plan--docs", Method::GET, &forged, ""), shut);
        assert_eq!(judged(mode, "plan--docs", Method::POST, &shared(1), ""), shut, "nothing is opened by a POST");
    }
}

#[test]
fn a_cookie_opens_as_long_as_what_gave_it_does() {
    let (old, new) = (hash('b'), hash('a'));
    let by_link = |number| By::Link(LinkId(Uuid::from_u128(number)));
    for (mode, by, expected) in [
        (Mode::Link, by_link(1), Judged::Inside),
        (Mode::Password, by_link(1), Judged::Inside),
        (Mode::Link, by_link(3), Judged::Closed),
        (Mode::Link, by_link(4), Judged::Closed),
        (Mode::Link, by_link(9), Judged::Closed),
        (Mode::Password, By::Password(&new), Judged::Inside),
        (Mode::Password, By::Password(&old), Judged::Closed),
        (Mode::Link, By::Password(&new), Judged::Closed),
        (Mode::Members, By::Password(&new), Judged::Closed),
        (Mode::Members, By::Ticket, Judged::Inside),
        (Mode::Password, By::Ticket, Judged::Closed),
        (Mode::Link, By::Ticket, Judged::Closed),
    ] {
        let of = |cookie: &str| judged(mode, "plan--docs", Method::GET, "", cookie);
        assert_eq!(of(&cookie(by, HOST, NOW + 1)), expected, "{mode} {by:?}");
        assert_eq!(of(&cookie(by, HOST, NOW)), Judged::Closed, "its time is over");
        assert_eq!(of(&cookie(by, "docs.example", NOW + 1)), Judged::Closed, "of another host");
    }
}

#[test]
fn a_ticket_is_for_members_on_the_host_they_came_from() {
    let ticket = |host, now| format!("&{TICKET}={}", Ticket::make(&key(), &Place { site: site(), host }, now));
    let mine = ticket(HOST, NOW);
    assert!(matches!(judged(Mode::Members, "plan--docs", Method::GET, &mine, ""), Judged::Ticket(_)));
    for (mode, ticket) in [
        (Mode::Password, mine.clone()),
        (Mode::Link, mine),
        (Mode::Members, ticket("docs.example", NOW)),
        (Mode::Members, ticket(HOST, NOW - 60)),
    ] {
        assert_eq!(judged(mode, "plan--docs", Method::GET, &ticket, ""), Judged::Closed, "{mode}");
    }
}

#[test]
fn a_former_host_leads_on_unless_nobody_is_to_know() {
    for (mode, query, expected) in [
        (Mode::Link, String::new(), Judged::Closed),
        (Mode::Link, shared(1), Judged::Open),
        (Mode::Password, String::new(), Judged::Open),
        (Mode::Members, String::new(), Judged::Open),
    ] {
        assert_eq!(judged(mode, "plan--guide", Method::GET, &query, ""), expected, "{mode}");
    }
}

#[test]
fn without_the_key_nothing_opens() {
    let routes = routes(Mode::Link);
    let door = routes.door("plan--docs").unwrap();
    let request = Request::get(format!("/?x{}", shared(1))).body(()).unwrap().into_parts().0;
    let knock = Knock { door: &door, host: HOST, request: &request };
    assert_eq!(judge(&knock, None, NOW), Judged::Closed);
    assert_eq!(judge(&knock, Some(&Key::new([2; 32])), NOW), Judged::Closed);
}
