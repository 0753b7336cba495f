//! Every question the read model answers.

use crate::apply::whole_story;
use crate::database::{Database, facts};
use crate::fixture::{Story, commit, site_id};
use events::{AliasName, DeployId, OrganizationId, RepositoryEvent, SiteEvent};
use projections::Sight;
use projections::builds::{State, TriggerKind};
use projections::timeline::{Query, Whose};
use projections::{PAGE_MAX, builds};

async fn told(history: &[events::Recorded]) -> Database {
    let database = Database::new().await;
    database.live().apply(&facts(history)).await.unwrap();
    database
}

#[tokio::test]
async fn a_whole_story_gives_the_rows_of_every_table() {
    let history = whole_story();
    let database = told(&history).await;
    let (model, docs) = (database.live(), site_id("docs"));

    let site = model.site(docs).await.unwrap().unwrap();
    assert_eq!((site.name.as_str(), site.created_by.0.as_str()), ("docs", "token:alice"));
    assert_eq!(model.sites(&Sight::All, "", 10, None).await.unwrap(), std::slice::from_ref(&site));
    assert_eq!(model.sites(&Sight::All, "", 10, Some("docs")).await.unwrap(), []);
    for (search, found) in [("oc", 1), (&*site.settings.repository.as_str().to_lowercase(), 1), ("blog", 0), ("%", 0)] {
        assert_eq!(model.sites(&Sight::All, search, 10, None).await.unwrap().len(), found, "{search}");
    }
    assert_eq!(model.sites_of(site.organization, 10, None).await.unwrap(), std::slice::from_ref(&site));
    assert_eq!(model.sites_of(site.organization, 10, Some("docs")).await.unwrap(), []);
    assert_eq!(model.sites_of(OrganizationId(site_id("other").0), 10, None).await.unwrap(), []);
    assert_eq!(model.site(site_id("other")).await.unwrap(), None);

    let builds = model.builds(docs, 10, None).await.unwrap();
    let [canceled, live] = builds.as_slice() else { panic!("{builds:?}") };
    let latest = model.latest_builds(&[docs, site_id("other")]).await.unwrap();
    assert_eq!(latest, std::slice::from_ref(canceled), "of each site that has one, the newest");
    assert_eq!((canceled.number, canceled.state), (Some(2), State::Canceled));
    assert_eq!((canceled.reason.as_str(), canceled.superseded_by.is_some()), ("A newer push.", true));
    assert_eq!((live.state, live.commit.as_ref(), live.attempt), (State::Success, Some(&commit()), 1));
    assert_eq!((live.worker.as_deref(), live.log_bytes), (Some("worker-1"), Some(4096)));
    assert_eq!(live.deploy, Some(DeployId::of(live.id)));
    assert_eq!(live.summary, "Build 1 — “ünïcödé” 📄");
    assert_eq!(model.build(live.id).await.unwrap().as_ref(), Some(live));
    assert_eq!(model.builds(docs, 10, Some(2)).await.unwrap(), std::slice::from_ref(live));

    let deploys = model.deploys(docs, 10, None).await.unwrap();
    assert_eq!((deploys.len(), deploys[0].build), (1, live.id));
    assert_eq!(model.deploys(docs, 10, Some(1)).await.unwrap(), []);
    assert_eq!(model.deploy(&deploys[0].id).await.unwrap().as_ref(), deploys.first());
    assert_eq!(model.deploy(&DeployId::of(canceled.id)).await.unwrap(), None);
    assert_eq!(model.deploy_before(&deploys[0]).await.unwrap(), None);

    let aliases = model.aliases(docs, 10, None).await.unwrap();
    assert_eq!((aliases.len(), &aliases[0].alias, &aliases[0].deploy), (1, &AliasName::Live, &deploys[0].id));
    assert_eq!(aliases[0].mirrored_deploy, None, "the alias was removed in between");
}

#[tokio::test]
async fn a_removed_alias_and_a_deleted_site_are_not_listed() {
    let mut history = whole_story();
    history.truncate(12);
    let database = told(&history).await;
    let model = database.live();
    assert_eq!(model.aliases(site_id("docs"), 10, None).await.unwrap(), []);

    let mut story = Story::default();
    let deleted = told(&[story.site_created("docs"), story.site("docs", SiteEvent::Deleted {})]).await.live();
    assert_eq!(deleted.sites(&Sight::All, "", 10, None).await.unwrap(), []);
    assert!(deleted.site(site_id("docs")).await.unwrap().unwrap().deleted_at.is_some());
}

#[tokio::test]
async fn the_timeline_is_read_by_story_by_aggregate_and_by_site() {
    let mut story = Story::default();
    let push = RepositoryEvent::PushReceived {
        repository: "https://github.com/acme/docs".parse().unwrap(),
        branch: "main".parse().unwrap(),
        before: None,
        commit: commit(),
        summary: "Fix a typo".to_owned(),
        delivery: "d-1".to_owned(),
        skip: false,
        paths: None,
        site: None,
        pull_request: None,
    };
    let build = story.next_build();
    let created = story.site_created("docs");
    let pushed = story.tell("github.com/acme/docs", "webhook:github", push);
    story.correlation = Some(pushed.envelope.id);
    let history = [created, pushed.clone(), story.queued("docs", build, 2), story.dispatched("docs", build)];
    let database = told(&history).await;
    let model = database.live();
    let sequences = async |query: Query| {
        let entries = model.events(&Query { limit: 10, ..query }, &Sight::All).await.unwrap();
        entries.into_iter().map(|entry| entry.sequence).collect::<Vec<_>>()
    };
    assert_eq!(sequences(Query::default()).await, [1, 2, 3, 4]);
    assert_eq!(sequences(Query { after: 2, ..Query::default() }).await, [3, 4]);
    let of_docs = Query { site: Some(Whose::Id(site_id("docs"))), ..Query::default() };
    assert_eq!(sequences(of_docs.clone()).await, [1, 2, 3, 4], "with the push that began the story");
    assert_eq!(sequences(Query { after: 1, ..of_docs }).await, [2, 3, 4]);
    assert_eq!(sequences(Query { correlation: Some(pushed.envelope.id), ..Query::default() }).await, [2, 3, 4]);
    let subject = Some(("build".to_owned(), build.to_string()));
    assert_eq!(sequences(Query { subject: subject.clone(), after: 3, ..Query::default() }).await, [4]);

    let latest = model.latest_events(&Query { limit: 2, ..Query::default() }, &Sight::All).await.unwrap();
    assert_eq!(latest.iter().map(|entry| entry.sequence).collect::<Vec<_>>(), [4, 3]);
    assert_eq!(latest[0].type_name, "dev.pagefold.build.dispatched.v1");
    assert_eq!((&latest[0].data, latest[0].causation), (&history[3].event.data(), Some(pushed.envelope.id)));
    let shown = model.build(build).await.unwrap().unwrap();
    assert_eq!((shown.requested_by.as_deref(), shown.trigger), (Some("webhook:github"), Some(TriggerKind::Push)));
}

#[tokio::test]
async fn an_answer_is_json_with_times_of_rfc_3339() {
    let database = told(&whole_story()).await;
    let build = database.live().builds(site_id("docs"), 1, None).await.unwrap().remove(0);
    let json = serde_json::to_value(&build).unwrap();
    assert_eq!(
        (json["created_at"].as_str(), json["state"].as_str()),
        (Some("2025-06-01T00:00:04.123457Z"), Some("canceled"))
    );
    assert_eq!(json["started_at"], serde_json::Value::Null);
    assert_eq!(serde_json::from_value::<builds::BuildRow>(json).unwrap(), build);
}

#[tokio::test]
async fn no_page_is_longer_than_the_longest() {
    let mut story = Story::default();
    let dispatched = story.next_build();
    let history: Vec<_> = (0..PAGE_MAX + 5).map(|_| story.dispatched("docs", dispatched)).collect();
    let database = told(&history).await;
    let entries = database.live().events(&Query { limit: u32::MAX, ..Query::default() }, &Sight::All).await.unwrap();
    assert_eq!(u32::try_from(entries.len()).unwrap(), PAGE_MAX);
}
