//! A decision: state, command, facts, once.

use crate::world::{World, cause, create, history, settings, site};
use events::{Cause, Event, Refusal, Site, SiteEvent, ids, site as sites};
use runtime::ExecuteError;

#[tokio::test]
async fn what_was_decided_is_the_state_everywhere() {
    let world = World::start().await;
    let (here, elsewhere) = (world.log("web").await, world.log("syncer").await);
    let recorded = site(&here, "docs").await;
    assert_eq!((recorded.sequence, recorded.envelope.source.as_str()), (1, "/pagefold/web"));
    assert_eq!(recorded.envelope.correlation, recorded.envelope.id);
    for log in [&here, &elsewhere] {
        let loaded = log.load::<Site>("docs").await.unwrap();
        assert_eq!((loaded.state, loaded.sequence), (Site::Active(settings("acme")), 1));
        assert_eq!(log.fact(1).await.unwrap().as_ref(), Some(&recorded));
        assert_eq!(log.fact(2).await.unwrap(), None);
        assert_eq!(log.load::<Site>("blog").await.unwrap().state, Site::Unknown);
    }
}

#[tokio::test]
async fn a_command_carried_out_again_appends_nothing() {
    let world = World::start().await;
    let (first, second) = (world.log("web").await, world.log("web").await);
    site(&first, "docs").await;
    for log in [&first, &second] {
        assert_eq!(log.execute::<Site>("docs", &create("acme"), &cause()).await.unwrap(), []);
    }
    assert_eq!(first.last_sequence().await.unwrap(), 1);
}

#[tokio::test]
async fn one_cause_leads_to_one_fact_even_when_the_domain_would_say_it_again() {
    let world = World::start().await;
    let log = world.log("web").await;
    let created = site(&log, "docs").await;
    let cause = Cause::from_fact(&created, "web");
    let request = sites::Command::RequestBuild { branch: None, commit: None };
    let said = log.execute::<Site>("docs", &request, &cause).await.unwrap();
    let id = ids::derived(created.envelope.id, "docs", "site.build_requested.v1", 0);
    assert_eq!((said[0].envelope.id, said[0].envelope.causation), (id, Some(created.envelope.id)));
    // Another fact comes between, so that the repetition does not even conflict.
    log.execute::<Site>("docs", &request, &crate::world::cause()).await.unwrap();
    for log in [log.clone(), world.log("web").await] {
        assert_eq!(log.execute::<Site>("docs", &request, &cause).await.unwrap(), []);
        // Whoever was told so stands where the log stands, not where the fact was.
        assert_eq!(log.load::<Site>("docs").await.unwrap().sequence, 3);
    }
    assert_eq!(history(&log).await.iter().filter(|fact| fact.envelope.id == id).count(), 1);
}

#[tokio::test]
async fn a_refusal_takes_what_other_processes_said_into_account() {
    let world = World::start().await;
    let (first, second) = (world.log("web").await, world.log("web").await);
    site(&first, "docs").await;
    let refused = second.execute::<Site>("docs", &create("other"), &cause()).await.unwrap_err();
    assert!(matches!(refused, ExecuteError::Refused(Refusal::SiteExists)), "{refused:?}");
    first.execute::<Site>("docs", &sites::Command::Delete, &cause()).await.unwrap();
    // What the second process remembers would find this done already, and refuse the next for another reason.
    let refused = second.execute::<Site>("docs", &create("acme"), &cause()).await.unwrap_err();
    assert!(matches!(refused, ExecuteError::Refused(Refusal::SiteNameRetired)), "{refused:?}");
    let refused = second.execute::<Site>("docs", &create("other"), &cause()).await.unwrap_err();
    assert!(matches!(refused, ExecuteError::Refused(Refusal::SiteNameRetired)), "{refused:?}");
    let request = sites::Command::RequestBuild { branch: None, commit: None };
    let refused = second.execute::<Site>("docs", &request, &cause()).await.unwrap_err();
    assert!(matches!(refused, ExecuteError::Refused(Refusal::SiteNotFound)), "{refused:?}");
    assert_eq!(second.last_sequence().await.unwrap(), 2);
}

#[tokio::test]
async fn a_refusal_is_not_taken_from_memory() {
    let world = World::start().await;
    let (first, second) = (world.log("web").await, world.log("web").await);
    let request = sites::Command::RequestBuild { branch: None, commit: None };
    let refused = second.load::<Site>("docs").await.unwrap();
    assert_eq!((refused.state, refused.sequence), (Site::Unknown, 0));
    site(&first, "docs").await;
    let recorded = second.execute::<Site>("docs", &request, &cause()).await.unwrap();
    assert!(matches!(recorded[0].event, Event::Site(SiteEvent::BuildRequested { .. })), "{recorded:?}");
}
