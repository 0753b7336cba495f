//! Closed sites as a reader meets them: what opens them, and that nothing else does.

use crate::header;
use crate::world::{Edge, PATIENCE, World, deploy, id, key};
use ::doors::{Place, TICKET, Ticket};
use events::access::{Access, Hosts, Mode, Passwords};
use events::routing::{Leads, Reach};
use reqwest::Response;
use std::time::{Duration, Instant};

const HOUR: Duration = Duration::from_secs(3600);
const NOBODY: &str = "nobody";

async fn docs(world: &World, edge: &Edge) {
    world.create("docs").await;
    for (alias, number) in [("live", 1), ("preview/plan", 2), ("preview/other", 3)] {
        world.put("docs", number, &[("index.html", alias), ("a/index.html", "a")]).await;
        world.promote("docs", alias, number).await;
    }
    edge.until_serves("other--docs", "/", "preview/other").await;
}

fn previews(preview: Mode) -> Access {
    Access { preview, ..Access::default() }
}

fn own(number: u64) -> String {
    format!("{}--docs", deploy(number))
}

/// Everything that is told, but for the moment.
async fn all(answer: Response) -> String {
    let (status, mut headers) = (answer.status(), answer.headers().clone());
    headers.remove("date");
    let mut headers: Vec<_> = headers.iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
    headers.sort();
    format!("{status}\n{}\n\n{}", headers.join("\n"), answer.text().await.unwrap())
}

/// The cookie that an answer sets, as it is sent back.
fn cookie(answer: &Response) -> String {
    header(answer.headers(), "set-cookie").split(';').next().unwrap_or_default().to_owned()
}

async fn status(edge: &Edge, host: &str, cookie: &str) -> u16 {
    edge.ask("GET", host, "/", &[("cookie", cookie)]).await.status().as_u16()
}

#[tokio::test]
async fn a_site_that_is_not_to_be_known_answers_as_if_there_were_none() {
    let world = World::start().await;
    let edge = world.edge().await;
    docs(&world, &edge).await;
    world.rename("docs", "guide").await;
    edge.until_serves("guide", "/", "live").await;
    world.close("docs", previews(Mode::Link), Passwords::new()).await;
    edge.until_refuses("plan--guide", 404, "site_not_found").await;

    for (method, path) in [
        ("GET", "/"),
        ("HEAD", "/a/"),
        ("POST", "/"),
        ("OPTIONS", "/"),
        ("GET", "/%zz"),
        ("GET", "/?pagefold-share=x.y"),
    ] {
        let none = all(edge.ask(method, NOBODY, path, &[]).await).await;
        let [plan, other, never] = [2, 3, 9].map(|number| own(number).replace("docs", "guide"));
        for host in ["plan--guide", "other--guide", "plan--docs", &plan, &other, &never] {
            assert_eq!(all(edge.ask(method, host, path, &[]).await).await, none, "{method} {host}{path}");
        }
    }
    assert_eq!(edge.text("guide", "/").await, "live", "the live host is open");
    assert_eq!(
        edge.text(&own(1).replace("docs", "guide"), "/").await,
        "live",
        "and so is the own host of what it shows"
    );
    edge.stop().await;
}

#[tokio::test]
async fn a_share_link_becomes_a_cookie_until_it_is_revoked_without_the_log_and_after_a_restart() {
    let mut world = World::start().await;
    let edge = world.edge().await;
    docs(&world, &edge).await;
    world.close("docs", previews(Mode::Link), Passwords::new()).await;
    edge.until_refuses("plan--docs", 404, "site_not_found").await;
    let (link, end) = world.share("docs", Some("preview/plan"), HOUR).await;
    let asked = format!("/a/?x=1&{end}&y");
    let opened = edge.until_answers("plan--docs", &asked, &[], |headers| headers.contains_key("set-cookie")).await;
    assert_eq!((opened.status().as_u16(), &*header(opened.headers(), "location")), (303, "/a/?x=1&y"));
    assert_eq!(header(opened.headers(), "cache-control"), "private, no-store");
    assert_eq!(header(opened.headers(), "referrer-policy"), "no-referrer");
    let set = header(opened.headers(), "set-cookie");
    let (rest, seconds) = (set.split_once(';').unwrap().1, set.split("Max-Age=").nth(1).unwrap());
    let seconds: u64 = seconds.split(';').next().unwrap().parse().unwrap();
    assert!(rest.contains("HttpOnly") && rest.contains("SameSite=Lax") && !rest.contains("Domain"), "{set}");
    assert!(!rest.contains("Secure"), "this is no TLS");
    assert!(seconds <= HOUR.as_secs(), "no longer than the link: {set}");
    let plan = cookie(&opened);
    let inside = edge.ask("GET", "plan--docs", "/", &[("cookie", &plan)]).await;
    assert_eq!((inside.status().as_u16(), &*header(inside.headers(), "cache-control")), (200, "private, no-store"));
    assert_eq!(header(inside.headers(), "x-robots-tag"), "noindex");

    // It is for one preview, and its cookie for one host.
    assert_eq!(status(&edge, "other--docs", &plan).await, 404);
    assert_eq!(status(&edge, &own(2), &plan).await, 404);
    for (host, path, opens) in [("other--docs", "/", false), (&*own(3), "/", false), (&*own(2), "/", true)] {
        let answer = edge.get(host, &format!("{path}?{end}")).await;
        assert_eq!(answer.headers().contains_key("set-cookie"), opens, "{host}");
    }
    for wrong in [end.replace('0', "1"), end.split('.').next().unwrap().to_owned(), format!("{end}0")] {
        let answer = edge.get("plan--docs", &format!("/?{wrong}")).await;
        assert_eq!((answer.status().as_u16(), answer.headers().contains_key("set-cookie")), (404, false), "{wrong}");
    }
    edge.stop().await;
    world.kill_log().await;
    let edge = world.edge().await;
    assert_eq!(status(&edge, "plan--docs", &plan).await, 200, "what it knows is on its disk");
    assert_eq!(status(&edge, "plan--docs", "").await, 404);

    world.start_log().await;
    world.revoke("docs", link).await;
    closes(&edge, &plan).await;
    let answer = edge.get("plan--docs", &format!("/?{end}")).await;
    assert_eq!((answer.status().as_u16(), answer.headers().contains_key("set-cookie")), (404, false));
    edge.stop().await;
}

/// Waits until a cookie opens the preview no more.
async fn closes(edge: &Edge, cookie: &str) {
    let deadline = Instant::now() + PATIENCE;
    while status(edge, "plan--docs", cookie).await == 200 {
        assert!(Instant::now() < deadline, "the cookie opens the preview still");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_password_opens_where_it_is_right_and_only_ten_are_tried() {
    let world = World::start().await;
    let edge = world.edge().await;
    docs(&world, &edge).await;
    let hash = |password: &str| ::doors::hash(&key(), &password.into()).unwrap();
    world.close("docs", previews(Mode::Password), Passwords::from([(Hosts::Preview, hash("correct horse"))])).await;
    edge.until_refuses("plan--docs", 401, "password_needed").await;
    let form = edge.get("plan--docs", "/a/").await;
    assert_eq!(header(form.headers(), "cache-control"), "private, no-store");
    let text = form.text().await.unwrap();
    assert!(text.contains("<label for=\"password\">") && text.contains("<form method=\"post\">"), "{text}");
    let kind = ("content-type", "application/x-www-form-urlencoded");
    let right = edge.send("plan--docs", "/a/?b=c", kind, "password=correct+horse").await;
    assert_eq!((right.status().as_u16(), &*header(right.headers(), "location")), (303, "/a/?b=c"));
    let pass = cookie(&right);
    assert_eq!(status(&edge, "plan--docs", &pass).await, 200);
    assert_eq!(status(&edge, "other--docs", &pass).await, 401, "a cookie is of one host");
    assert_eq!(edge.ask("POST", "plan--docs", "/", &[("cookie", &pass)]).await.status().as_u16(), 405);
    assert_eq!(edge.ask("PUT", "plan--docs", "/", &[]).await.status().as_u16(), 405);

    for _ in 0..10 {
        let wrong = edge.send("plan--docs", "/", kind, "password=correct+house").await;
        assert_eq!((wrong.status().as_u16(), wrong.headers().contains_key("set-cookie")), (401, false));
        assert!(wrong.text().await.unwrap().contains("password_wrong"));
    }
    let late = edge.send("plan--docs", "/", kind, "password=correct+horse").await;
    assert_eq!((late.status().as_u16(), late.headers().contains_key("retry-after")), (429, true));

    world.close("docs", previews(Mode::Password), Passwords::from([(Hosts::Preview, hash("another"))])).await;
    closes(&edge, &pass).await;
    edge.stop().await;
}

#[tokio::test]
async fn members_are_sent_to_sign_in_and_a_ticket_is_good_once() {
    let world = World::start().await;
    let edge = world.edge().await;
    docs(&world, &edge).await;
    world.close("docs", previews(Mode::Members), Passwords::new()).await;
    let answer = edge.until_answers("plan--docs", "/a/?b=c", &[], |headers| headers.contains_key("location")).await;
    let there = format!(
        "https://pages.example/open/{}?to=http%3A%2F%2Fplan%2D%2Ddocs%2Esites%2Elocalhost%2Fa%2F%3Fb%3Dc",
        id("docs")
    );
    assert_eq!((answer.status().as_u16(), &*header(answer.headers(), "location")), (303, &*there));
    let place = Place { site: id("docs"), host: "plan--docs.sites.localhost" };
    let ticket = Ticket::make(&key(), &place, runtime::clock::now().unix_timestamp());
    let back = format!("/a/?b=c&{TICKET}={ticket}");
    assert!(edge.get("other--docs", &back).await.headers().get("set-cookie").is_none(), "it is for another host");
    let opened = edge.get("plan--docs", &back).await;
    assert_eq!(header(opened.headers(), "location"), "/a/?b=c");
    assert_eq!(status(&edge, "plan--docs", &cookie(&opened)).await, 200);
    let again = edge.get("plan--docs", &back).await;
    assert_eq!((header(again.headers(), "location"), again.headers().contains_key("set-cookie")), (there, false));
    edge.stop().await;
}

#[tokio::test]
async fn a_route_to_a_closed_site_is_closed_and_a_backend_is_shown_no_pass() {
    let world = World::start().await;
    let edge = world.edge().await;
    docs(&world, &edge).await;
    world.create("news").await;
    world.put("news", 5, &[("index.html", "news"), ("docs/index.html", "of news")]).await;
    world.promote("news", "live", 5).await;
    edge.until_serves("news", "/", "news").await;
    world.lead("news.sites.localhost", "/a", Reach::Prefix, Leads::Site { site: id("docs") }).await;
    edge.until_serves("news", "/a/", "a").await;
    world.close("docs", Access { live: Mode::Link, ..Access::default() }, Passwords::new()).await;
    edge.until_refuses("docs", 404, "site_not_found").await;
    edge.refuses("news", "/a/", 404, "site_not_found").await;
    let (_, end) = world.share("docs", Some("live"), HOUR).await;
    let opened =
        edge.until_answers("news", &format!("/a/?{end}"), &[], |headers| headers.contains_key("set-cookie")).await;
    let inside = edge.ask("GET", "news", "/a/", &[("cookie", &cookie(&opened))]).await;
    assert_eq!(header(inside.headers(), "cache-control"), "private, no-store");
    assert_eq!(inside.text().await.unwrap(), "a");
    assert_eq!(edge.text("news", "/").await, "news", "the rest of the host is open");
    edge.stop().await;
}
