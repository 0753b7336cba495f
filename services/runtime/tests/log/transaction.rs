//! Decisions on several aggregates: all of their facts, or none.

use crate::proxy::Proxy;
use crate::world::{World, cause, create, found, history, push, settings, within};
use events::host::{self, Owner};
use events::site::{self as sites, Change};
use events::{
    Event, Handle, Host, HostEvent, Organization, OrganizationId, Refusal, Repository, Site, SiteId, SiteName, handle,
    ids,
};
use futures::future::join_all;
use runtime::{Connection, ExecuteError, Log, Transaction};
use std::collections::BTreeSet;

fn organization() -> OrganizationId {
    OrganizationId(ids::of_delivery("test", "acme"))
}

fn site(text: &str) -> SiteId {
    SiteId(ids::of_delivery("test", text))
}

/// A site with the host that bears its name.
fn claim<'a>(log: &'a Log, site: SiteId, name: &str) -> Transaction<'a> {
    let claim = host::Command::Claim(Owner { site, organization: organization() });
    log.transaction(cause()).with::<Site>(site, create("acme")).with::<Host>(name, claim)
}

/// The owner of sites, with its name.
fn owner(log: &Log) -> Transaction<'_> {
    let claim = handle::Command::Claim(organization());
    log.transaction(cause()).with::<Organization>(organization(), found()).with::<Handle>("acme", claim)
}

#[tokio::test]
async fn the_facts_of_a_transaction_stand_together_as_one_story() {
    let world = World::start().await;
    let log = world.log("web").await;
    let both = claim(&log, site("docs"), "docs").with::<Organization>(organization(), found());
    let recorded = both.with::<Handle>("acme", handle::Command::Claim(organization())).commit().await.unwrap();
    let names: Vec<String> = recorded.iter().map(|fact| fact.event.name()).collect();
    assert_eq!(names, ["site.created.v1", "host.claimed.v1", "organization.created.v1", "handle.claimed.v1"]);
    assert!(recorded.iter().map(|fact| fact.sequence).eq(1..=4));
    let first = recorded[0].envelope.id;
    assert!(recorded.iter().all(|fact| fact.envelope.correlation == first), "{recorded:?}");
    assert_eq!(recorded.iter().map(|fact| fact.envelope.id).collect::<BTreeSet<_>>().len(), 4);
    assert_eq!(history(&world.log("projector").await).await, recorded);
}

#[tokio::test]
async fn what_is_so_already_is_left_out_and_nothing_is_appended_for_nothing() {
    let world = World::start().await;
    let (log, other) = (world.log("web").await, world.log("web").await);
    log.execute::<Organization>(&organization().to_string(), &found(), &cause()).await.unwrap();
    let recorded = owner(&other).commit().await.unwrap();
    assert_eq!(recorded.iter().map(|fact| fact.event.name()).collect::<Vec<_>>(), ["handle.claimed.v1"]);
    for log in [log, other] {
        assert_eq!(owner(&log).commit().await.unwrap(), []);
        assert_eq!(log.last_sequence().await.unwrap(), 2);
    }
}

#[tokio::test]
async fn a_refusal_of_one_command_leaves_nothing_of_the_others() {
    let world = World::start().await;
    let (first, second) = (world.log("web").await, world.log("web").await);
    claim(&first, site("one"), "docs").commit().await.unwrap();
    for log in [&first, &second] {
        let refused = claim(log, site("two"), "docs").commit().await.unwrap_err();
        assert!(matches!(refused, ExecuteError::Refused(Refusal::SiteExists)), "{refused:?}");
        assert_eq!(log.load::<Site>(&site("two").to_string()).await.unwrap().state, Site::Unknown);
    }
    assert_eq!(first.last_sequence().await.unwrap(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_racing_claims_of_one_host_exactly_one_makes_a_site() {
    let world = World::start().await;
    let logs = join_all((0..8).map(|_| world.log("web"))).await;
    for round in 0..30 {
        let name = format!("docs-{round}");
        let sites: Vec<SiteId> = (0..8).map(|index| site(&format!("{round}/{index}"))).collect();
        let tries = logs.iter().zip(&sites).map(async |(log, site)| claim(log, *site, &name).commit().await);
        let ended = within(join_all(tries)).await;
        let (won, lost): (Vec<_>, Vec<_>) = ended.into_iter().partition(Result::is_ok);
        assert_eq!(won.len(), 1, "round {round}");
        assert!(lost.iter().all(|ended| matches!(ended, Err(ExecuteError::Refused(Refusal::SiteExists)))), "{lost:?}");
    }
    let facts = history(&logs[0]).await;
    assert_eq!(facts.len(), 60);
    for pair in facts.chunks(2) {
        let Event::Host(HostEvent::Claimed { site, .. }) = &pair[1].event else { panic!("{pair:?}") };
        assert_eq!(pair[0].envelope.subject, site.to_string(), "the site that was created has the host");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn racing_transactions_are_decided_anew_and_none_is_torn() {
    let world = World::start().await;
    let logs = join_all((0..8).map(|_| world.log("web"))).await;
    for round in 0..20 {
        let tries = logs.iter().enumerate().map(async |(index, log)| {
            let delivery = format!("{round}/{index}");
            let both = log.transaction(cause()).with::<Repository>("one", push(&delivery));
            both.with::<Repository>("two", push(&delivery)).commit().await.unwrap()
        });
        for recorded in within(join_all(tries)).await {
            assert_eq!((recorded.len(), recorded[1].sequence), (2, recorded[0].sequence + 1));
        }
    }
    let facts = history(&logs[0]).await;
    assert_eq!(facts.len(), 320);
    for pair in facts.chunks(2) {
        assert_eq!((pair[0].envelope.subject.as_str(), pair[1].envelope.subject.as_str()), ("one", "two"));
        assert_eq!(pair[0].event, pair[1].event, "of one delivery");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_whose_answer_is_lost_is_in_the_log_once() {
    let world = World::start().await;
    let proxy = Proxy::before(world.port()).await;
    let log = Log::new(Connection::open(&world.config("web", proxy.port)).await.unwrap());
    let mut said = Vec::new();
    for round in 1..=3 {
        proxy.cut(1);
        let name = format!("docs-{round}");
        let recorded = within(claim(&log, site(&name), &name).commit()).await.unwrap();
        assert_eq!((proxy.left(), recorded.len()), (0, 2));
        said.extend(recorded);
    }
    assert_eq!(history(&world.log("projector").await).await, said);
}

/// Deletes a site with every host it has, as web does: whoever met another site than they saw looks again.
async fn delete(log: &Log, id: SiteId) {
    loop {
        let Site::Active(active) = log.load::<Site>(&id.to_string()).await.unwrap().state else { return };
        let owner = Owner { site: id, organization: active.organization };
        let delete = sites::Command::Delete { seen: active.version };
        let mut all = log.transaction(cause()).with::<Site>(id, delete);
        for name in active.hosts() {
            all = all.with::<Host>(name, host::Command::Release(owner));
        }
        match all.commit().await {
            Ok(_) => return,
            Err(ExecuteError::Refused(Refusal::SiteChanged { .. })) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
}

/// Renames a site unless it is deleted first.
async fn rename(log: &Log, id: SiteId, name: &str) {
    let (owner, name) = (Owner { site: id, organization: organization() }, name.parse::<SiteName>().unwrap());
    let change = Change { name: name.clone(), settings: settings(), passwords: Default::default(), seen: 1 };
    let both = log.transaction(cause()).with::<Site>(id, sites::Command::Change(change));
    match both.with::<Host>(name, host::Command::Claim(owner)).commit().await {
        Ok(_) | Err(ExecuteError::Refused(Refusal::SiteNotFound)) => {}
        Err(error) => panic!("{error:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_that_is_renamed_while_it_is_deleted_keeps_no_host() {
    let world = World::start().await;
    let (one, other) = (world.log("web").await, world.log("web").await);
    let mut renamed = 0;
    for round in 0..60 {
        let (id, new) = (site(&round.to_string()), format!("new-{round}"));
        claim(&one, id, "docs").commit().await.unwrap();
        within(Box::pin(async { tokio::join!(rename(&other, id, &new), delete(&one, id)) })).await;
        assert!(matches!(one.load::<Site>(&id.to_string()).await.unwrap().state, Site::Deleted(_)));
        for name in ["docs", &new] {
            let host = one.load::<Host>(name).await.unwrap().state;
            assert!(!matches!(host, Host::Claimed(_)), "round {round}: {host:?}");
            renamed += usize::from(name == new && host != Host::Free);
        }
    }
    assert!(renamed > 0, "the rename was first at times");
}
