//! The table as the log tells it.

use super::*;
use events::{
    Actor, AliasEvent, BuildId, Envelope, Event, HostEvent, OrganizationId, PromotionReason, Recorded, SiteEngine,
    SiteEvent, SiteSettings,
};
use proptest::prelude::*;
use uuid::Uuid;

fn deploy(number: u64) -> DeployId {
    DeployId::of(BuildId(Uuid::from_u128(number.into())))
}

fn fact(subject: &str, event: impl Into<Event>) -> Recorded {
    let envelope = Envelope {
        id: Uuid::nil(),
        source: "/pagefold/web".to_owned(),
        subject: subject.to_owned(),
        time: time::OffsetDateTime::UNIX_EPOCH,
        correlation: Uuid::nil(),
        causation: None,
        actor: Actor::service("web"),
        traceparent: None,
        tracestate: None,
    };
    Recorded { sequence: 1, envelope, event: event.into() }
}

/// The id of the site first called `name`.
fn id(name: &str) -> SiteId {
    SiteId(Uuid::new_v5(&Uuid::nil(), name.as_bytes()))
}

fn created(site: &str) -> Recorded {
    let settings = SiteSettings {
        repository: "https://github.com/acme/docs".parse().unwrap(),
        branch: "main".parse().unwrap(),
        demo_branch: None,
        engine: SiteEngine::Static,
        building: events::Building::default(),
        serving: Serving::default(),
    };
    let (name, organization) = (site.parse().unwrap(), OrganizationId(Uuid::nil()));
    fact(&id(site).to_string(), SiteEvent::Created { name, organization, settings })
}

fn claimed(site: &str, host: &str) -> Recorded {
    fact(host, HostEvent::Claimed { site: id(site), organization: OrganizationId(Uuid::nil()) })
}

fn released(site: &str, host: &str) -> Recorded {
    fact(host, HostEvent::Released { site: id(site), organization: OrganizationId(Uuid::nil()) })
}

fn renamed(site: &str, name: &str) -> Recorded {
    let (name, previous) = (name.parse().unwrap(), site.parse().unwrap());
    fact(&id(site).to_string(), SiteEvent::Renamed { name, previous })
}

fn deleted(site: &str) -> Recorded {
    fact(&id(site).to_string(), SiteEvent::Deleted {})
}

fn promoted(site: &str, alias: &str, number: u64) -> Recorded {
    promoted_after(site, alias, number, None)
}

fn promoted_after(site: &str, alias: &str, number: u64, previous: Option<u64>) -> Recorded {
    let (site, alias, previous) = (id(site), alias.parse().unwrap(), previous.map(deploy));
    let (deploy, source_sequence, reason) = (deploy(number), number, PromotionReason::Built);
    fact("", AliasEvent::Promoted { site, alias, deploy, number, source_sequence, previous, reason })
}

#[test]
fn what_was_shown_is_found_for_a_day_and_only_the_last_of_it() {
    let mut routes = Routes::default();
    for fact in [created("docs"), claimed("docs", "docs")] {
        routes.apply(&fact);
    }
    for number in 1..=7 {
        routes.apply(&promoted_after("docs", "live", number, number.checked_sub(1).filter(|before| *before > 0)));
    }
    routes = admitted(routes);
    assert_eq!(routes.former("docs", 0), [6, 5, 4, 3, 2].map(deploy));
    routes.apply(&promoted_after("docs", "live", 5, Some(7)));
    routes = admitted(routes);
    assert_eq!(routes.former("docs", FORMER_SECONDS - 1), [7, 6, 5, 4, 3].map(deploy));
    assert_eq!(routes.former("docs", FORMER_SECONDS), []);
    assert_eq!(routes.former("next--docs", 0), []);
    routes.apply(&deleted("docs"));
    assert_eq!(routes.former("docs", 0), []);
}

fn removed(site: &str, alias: &str) -> Recorded {
    fact("", AliasEvent::Removed { site: id(site), alias: alias.parse().unwrap(), previous: deploy(1) })
}

fn admitted(mut routes: Routes) -> Routes {
    for waiting in routes.waiting().collect::<Vec<_>>() {
        routes.admit(&waiting);
    }
    routes
}

fn told(facts: impl IntoIterator<Item = Recorded>) -> Routes {
    let mut routes = Routes::default();
    routes.apply(&claimed("docs", "docs"));
    tell(&mut routes, facts);
    routes
}

fn tell(routes: &mut Routes, facts: impl IntoIterator<Item = Recorded>) {
    let news: Vec<_> = facts.into_iter().filter_map(|fact| routes.apply(&fact)).collect();
    news.iter().for_each(|site| routes.enter_service(site));
}

fn shown(routes: &Routes, label: &str) -> Option<(DeployId, Kind)> {
    match routes.resolve(label)? {
        Route::Shows(target) => Some((target.deploy, target.kind)),
        Route::Moved(to) => panic!("{label} moved to {to}"),
    }
}

#[test]
fn every_alias_has_its_host() {
    let routes = told([
        created("docs"),
        promoted("docs", "live", 1),
        promoted("docs", "demo", 2),
        promoted("docs", "preview/fix", 3),
        promoted("docs", "preview/Fix/typo", 4),
    ]);
    let branch: events::Branch = "Fix/typo".parse().unwrap();
    let by_id = format!("{}--docs", deploy(9));
    for (label, expected) in [
        ("docs", Some((deploy(1), Kind::Live))),
        ("demo--docs", Some((deploy(2), Kind::Demo))),
        ("fix--docs", Some((deploy(3), Kind::Preview))),
        (&format!("{}--docs", branch.host_prefix()), Some((deploy(4), Kind::Preview))),
        (&by_id, Some((deploy(9), Kind::Deploy))),
        ("other--docs", None),
        ("live--docs", None),
        ("news", None),
        (&format!("{}--news", deploy(9)), None),
        ("--docs", None),
        ("", None),
    ] {
        assert_eq!(shown(&routes, label), expected, "{label}");
    }
}

#[test]
fn a_promotion_is_shown_when_it_is_admitted_and_not_before() {
    let mut routes = admitted(told([promoted("docs", "live", 1)]));
    routes.apply(&promoted("docs", "live", 2));
    assert_eq!(shown(&routes, "docs"), Some((deploy(1), Kind::Live)));
    assert_eq!(shown(&admitted(routes), "docs"), Some((deploy(2), Kind::Live)));
}

#[test]
fn what_was_overtaken_while_it_loaded_is_not_shown() {
    let mut routes = admitted(told([promoted("docs", "live", 1)]));
    routes.apply(&promoted("docs", "live", 2));
    let overtaken = routes.waiting().next().unwrap();
    routes.apply(&promoted("docs", "live", 3));
    routes.admit(&overtaken);
    assert_eq!(shown(&routes, "docs"), Some((deploy(1), Kind::Live)));
    routes.apply(&promoted("docs", "live", 1));
    assert_eq!(shown(&admitted(routes), "docs"), Some((deploy(1), Kind::Live)));
}

#[test]
fn what_a_reader_may_have_seen_stays_although_it_was_never_admitted() {
    let mut routes = told([promoted("docs", "live", 1)]);
    assert_eq!(routes.waiting().next().map(|waiting| waiting.deploy), Some(deploy(1)));
    tell(&mut routes, [promoted("docs", "live", 2)]);
    assert_eq!(shown(&routes, "docs"), Some((deploy(1), Kind::Live)));
    assert_eq!(shown(&admitted(routes), "docs"), Some((deploy(2), Kind::Live)));
}

#[test]
fn what_was_overtaken_before_anybody_could_see_it_is_never_shown() {
    let routes = told([promoted("docs", "live", 1), promoted("docs", "live", 2)]);
    assert_eq!(shown(&routes, "docs"), Some((deploy(2), Kind::Live)));
}

#[test]
fn a_removed_alias_shows_nothing_and_leaves_the_others() {
    let facts = [promoted("docs", "live", 1), promoted("docs", "demo", 2), removed("docs", "demo")];
    let routes = told(facts);
    assert_eq!((shown(&routes, "demo--docs"), shown(&routes, "docs")), (None, Some((deploy(1), Kind::Live))));
}

#[test]
fn a_deleted_site_shows_nothing_until_it_is_restored_and_then_what_it_showed() {
    let facts = [created("docs"), promoted("docs", "live", 1), promoted("docs", "demo", 2)];
    let mut routes = admitted(told(facts));
    tell(&mut routes, [deleted("docs"), released("docs", "docs")]);
    assert_eq!((shown(&routes, "docs"), routes.resolve("docs")), (None, None));
    let restored = SiteEvent::Restored { name: "guide".parse().unwrap(), former: ["docs".parse().unwrap()].into() };
    let restored = fact(&id("docs").to_string(), restored);
    tell(&mut routes, [restored, claimed("docs", "guide"), claimed("docs", "docs")]);
    assert_eq!(shown(&routes, "guide"), Some((deploy(1), Kind::Live)));
    assert_eq!(shown(&routes, "demo--guide"), Some((deploy(2), Kind::Demo)));
    assert_eq!(routes.resolve("docs"), Some(Route::Moved("guide".to_owned())));
}

#[test]
fn an_erased_site_is_gone_for_good() {
    let erased = fact(&id("docs").to_string(), SiteEvent::Erased {});
    let facts = [created("docs"), promoted("docs", "live", 1), deleted("docs"), erased];
    let late = [promoted("docs", "live", 2), created("docs")];
    let routes = told(facts.into_iter().chain(late));
    assert_eq!(shown(&routes, "docs"), None);
    assert_eq!(shown(&routes, &format!("{}--docs", deploy(1))), None);
    assert_eq!(routes.waiting().next(), None);
}

#[test]
fn the_former_hosts_of_a_renamed_site_lead_to_the_present_one() {
    let facts = [created("docs"), promoted("docs", "live", 1), renamed("docs", "guide"), claimed("docs", "guide")];
    let mut routes = told(facts);
    assert_eq!(shown(&routes, "guide"), Some((deploy(1), Kind::Live)));
    for (label, to) in [("docs", "guide"), ("fix--docs", "fix--guide")] {
        assert_eq!(routes.resolve(label), Some(Route::Moved(to.to_owned())));
    }
    routes.apply(&released("docs", "docs"));
    assert_eq!(routes.resolve("docs"), None);
}

#[test]
fn a_released_host_shows_the_site_that_claims_it_next() {
    let facts = [created("docs"), promoted("docs", "live", 1), deleted("docs"), released("docs", "docs")];
    let again = [created("new"), claimed("new", "docs"), promoted("new", "live", 2)];
    let mut routes = told(facts);
    assert_eq!(routes.resolve("docs"), None);
    tell(&mut routes, again);
    routes.apply(&renamed("new", "docs"));
    assert_eq!(shown(&routes, "docs"), Some((deploy(2), Kind::Live)));
}

#[test]
fn a_table_reads_back_from_its_snapshot() {
    let mut routes = admitted(told([created("news"), promoted("docs", "live", 1), deleted("old")]));
    routes.apply(&promoted("docs", "preview/a/b", 2));
    let json = serde_json::to_string(&routes).unwrap();
    assert_eq!(serde_json::from_str::<Routes>(&json).unwrap(), routes);
}

proptest! {
    #[test]
    fn any_label_resolves_without_a_panic_and_only_to_known_sites(label in ".{0,70}") {
        let routes = told([promoted("docs", "live", 1)]);
        match routes.resolve(&label) {
            Some(Route::Shows(target)) => prop_assert_eq!(target.site, id("docs")),
            Some(Route::Moved(to)) => prop_assert!(false, "{} moved to {}", label, to),
            None => {}
        }
    }

    #[test]
    fn facts_told_again_after_a_restart_change_nothing(
        steps in proptest::collection::vec((0..3_u8, 1..4_u64), 0..20),
    ) {
        let step = |&(alias, number): &(u8, u64)| {
            promoted("docs", ["live", "demo", "preview/x"][usize::from(alias)], number)
        };
        let once = admitted(told(steps.iter().map(step)));
        let mut again = once.clone();
        if let Some(last) = steps.last() {
            again.apply(&step(last));
        }
        prop_assert_eq!(admitted(again), once);
    }
}
