//! What somebody looks at first, and what those look at who look after the whole installation.

use crate::database::{Database, facts};
use crate::fixture::{Story, site_id};
use events::{AliasEvent, AliasName, BuildId, OrganizationEvent, OrganizationId, Outcome, Recorded, RepositoryEvent};
use projections::Sight;
use projections::overview::{Listing, Order, Overview, Standing};
use time::OffsetDateTime;
use uuid::Uuid;

const NORTH: OrganizationId = OrganizationId(Uuid::from_u128(1));
const SOUTH: OrganizationId = OrganizationId(Uuid::from_u128(2));

/// Five sites: two failed, one of them of another organization; one is built, one was never, and one is well.
fn history() -> Vec<Recorded> {
    let mut story = Story::default();
    let mut history = Vec::new();
    for (id, name) in [(NORTH, "north"), (SOUTH, "south")] {
        history.push(story.tell(id, "token:ada", OrganizationEvent::Created { name: name.parse().unwrap() }));
    }
    for (owner, name) in [(NORTH, "alpha"), (NORTH, "beta"), (NORTH, "gamma"), (NORTH, "omega"), (SOUTH, "zeta")] {
        history.push(story.site_created_by(owner, name));
    }
    let mut build = |site: &str, outcome: Option<Outcome>| {
        let id: BuildId = story.next_build();
        history.extend([story.queued(site, id, 1), story.dispatched(site, id), story.started(site, id, 1)]);
        history.extend(outcome.map(|outcome| story.finished(site, id, outcome)));
        if outcome == Some(Outcome::Success) {
            history.push(story.synced(site, id, 1));
        }
    };
    build("alpha", Some(Outcome::Success));
    build("omega", Some(Outcome::Failure));
    build("zeta", Some(Outcome::Timeout));
    build("beta", None);
    let held = AliasEvent::Locked { site: site_id("alpha"), alias: AliasName::Live, reason: "audit".to_owned() };
    history.push(story.tell(format!("{}/live", site_id("alpha")), "token:ben", held));
    history
}

async fn told() -> Database {
    let database = Database::new().await;
    database.live().apply(&facts(&history())).await.unwrap();
    database
}

fn named(found: &Overview) -> Vec<&'static str> {
    let names = ["alpha", "beta", "gamma", "omega", "zeta"];
    let name = |id| names.into_iter().find(|name| site_id(name) == id).unwrap();
    found.sites.iter().map(|id| name(*id)).collect()
}

#[tokio::test]
async fn sites_are_found_by_how_they_stand_and_what_failed_comes_first() {
    let database = told().await;
    let model = database.live();
    let listing = Listing { limit: 10, ..Listing::default() };
    let all = model.overview(&Sight::All, &listing).await.unwrap();
    assert_eq!(named(&all), ["omega", "zeta", "beta", "alpha", "gamma"]);
    assert_eq!((all.all, all.failed, all.building, all.unbuilt), (5, 2, 1, 1));
    for (listing, expected) in [
        (Listing { order: Order::Name, ..listing.clone() }, vec!["alpha", "beta", "gamma", "omega", "zeta"]),
        (Listing { order: Order::Recent, limit: 2, ..listing.clone() }, vec!["beta", "zeta"]),
        (Listing { limit: 2, skip: 2, ..listing.clone() }, vec!["beta", "alpha"]),
        (Listing { standing: Some(Standing::Failed), ..listing.clone() }, vec!["omega", "zeta"]),
        (Listing { standing: Some(Standing::Settled), ..listing.clone() }, vec!["alpha"]),
        (Listing { search: "mm".to_owned(), ..listing.clone() }, vec!["gamma"]),
        (Listing { search: "%".to_owned(), ..listing.clone() }, vec![]),
        (
            Listing { search: "acme/docs".to_owned(), standing: Some(Standing::Unbuilt), ..listing.clone() },
            vec!["gamma"],
        ),
    ] {
        assert_eq!(named(&model.overview(&Sight::All, &listing).await.unwrap()), expected, "{listing:?}");
    }
    let south = Sight::Organizations { seen: vec![SOUTH], managed: vec![] };
    let own = model.overview(&south, &listing).await.unwrap();
    assert_eq!((named(&own), own.all, own.failed), (vec!["zeta"], 1, 1), "nobody counts what is not theirs");
    assert_eq!(model.overview(&Sight::Site(site_id("beta")), &listing).await.unwrap().building, 1);
    assert_eq!(model.open_builds(&south, 10).await.unwrap(), []);
    let open = model.open_builds(&Sight::All, 10).await.unwrap();
    assert_eq!(open.iter().map(|build| build.site).collect::<Vec<_>>(), [site_id("beta")]);
}

#[tokio::test]
async fn what_waits_for_somebody_is_theirs() {
    let database = told().await;
    let model = database.live();
    let (ada, ben) = (events::Actor("token:alice".to_owned()), events::Actor("token:ben".to_owned()));
    let names = |sites: Vec<projections::sites::SiteRow>| -> Vec<String> {
        sites.into_iter().map(|site| site.name.to_string()).collect()
    };
    assert_eq!(names(model.sites_locked_by(&ben, &Sight::All, 10).await.unwrap()), ["alpha"]);
    assert!(model.sites_locked_by(&ada, &Sight::All, 10).await.unwrap().is_empty());
    assert!(
        model
            .sites_locked_by(&ben, &Sight::Organizations { seen: vec![SOUTH], managed: vec![] }, 10)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        names(model.silent_sites_of(&ada, &Sight::All, 2).await.unwrap()),
        ["zeta", "omega"],
        "the newest first"
    );
    let mut story = Story::default();
    for _ in 0..100 {
        story.next_build();
    }
    let mut later: Vec<Recorded> = (0..history().len()).map(|_| story.site_created("none")).collect();
    let push = RepositoryEvent::PushReceived {
        repository: "https://github.com/acme/docs".parse().unwrap(),
        branch: "main".parse().unwrap(),
        before: None,
        commit: crate::fixture::commit(),
        summary: "Fix".to_owned(),
        delivery: "d-1".to_owned(),
        skip: false,
        paths: None,
        site: Some(site_id("zeta")),
        pull_request: None,
    };
    later.push(story.tell(format!("github.com/acme/docs#{}", site_id("zeta")), "webhook:github", push));
    model.apply(&facts(&later[later.len() - 1..])).await.unwrap();
    assert_eq!(names(model.silent_sites_of(&ada, &Sight::All, 2).await.unwrap()), ["omega", "gamma"]);
}

#[tokio::test]
async fn the_platform_tells_its_queue_its_pace_and_who_uses_it() {
    let database = told().await;
    let model = database.live();
    let queue = model.queue(10).await.unwrap();
    let [line] = queue.as_slice() else { panic!("{queue:?}") };
    assert_eq!((line.organization, line.waiting, line.running, line.waiting_since), (NORTH, 0, 1, None));
    assert_eq!(line.name.as_ref().unwrap().as_str(), "north");
    let launchers = model.busy_launchers().await.unwrap();
    assert_eq!(
        launchers.iter().map(|launcher| (launcher.name.as_str(), launcher.busy)).collect::<Vec<_>>(),
        [("worker-1", 1)]
    );
    let pace = model.pace(OffsetDateTime::UNIX_EPOCH, 3600).await.unwrap();
    let [hour] = pace.as_slice() else { panic!("{pace:?}") };
    assert_eq!((hour.builds, hour.failed, hour.wait_ms, hour.took_ms), (4, 2, Some(2000.0), Some(1200.0)));
    let usage = model.usage(OffsetDateTime::UNIX_EPOCH, None, 10).await.unwrap();
    let told: Vec<_> =
        usage.iter().map(|row| (row.name.as_str(), row.sites, row.builds, row.build_ms, row.stored_bytes)).collect();
    assert_eq!(told, [("north", 4, 3, 2400, 100), ("south", 1, 1, 1200, 0)]);
    assert_eq!(model.usage(OffsetDateTime::UNIX_EPOCH, Some("north"), 10).await.unwrap().len(), 1);
    let heard = ["build".to_owned()];
    let first = model.stated_after(0, &heard).await.unwrap();
    assert_eq!(first, Some(history()[7].envelope.time.replace_nanosecond(first.unwrap().nanosecond()).unwrap()));
    assert_eq!(model.stated_after(1000, &heard).await.unwrap(), None);
}
