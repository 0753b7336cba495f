//! GitHub: a stand-in that speaks the needed part of its API, and what it has in the end.

mod hub;

use crate::world::{COMMIT, World, within};
use ::github::{Account, App};
use events::OrganizationId;
use events::receiver::{Command, Kind, Occasion};
use hub::{Hub, KEY, TOKEN};
use serde_json::{Value, json};
use uuid::Uuid;

const WANTS: [Occasion; 3] = [Occasion::BuildQueued, Occasion::BuildFailed, Occasion::Promoted];

/// Two builds of a commit that a pull request has at its head, of which the second is shown; what GitHub has of it then.
async fn told_of_two_builds(world: &World, hub: &Hub, token: Option<&str>, app: Option<App>) {
    let id = world.receiver_with(Kind::Github, &hub.page("acme/docs.git"), token, &WANTS).await;
    let _running = world.notify_as(app).await;
    let first = world.queued(1).await;
    world.failed(first).await;
    let second = world.queued(2).await;
    world.published(second, 2).await;
    let settled = world.settled(id, 4).await;
    assert!(settled.iter().all(|(arrived, _)| *arrived), "{settled:?}");

    let kept = hub.kept();
    let states: Vec<&str> = kept.statuses.iter().map(|status| status["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["pending", "failure", "pending", "success"]);
    assert!(kept.statuses.iter().all(|status| status["context"] == "pagefold/docs"));
    assert_eq!(kept.statuses[1]["target_url"], format!("https://pagefold.test/builds/{first}"));
    assert_eq!(kept.statuses[1]["description"], "build 1 failed: the script `pages` exited with 1");
    let preview = kept.statuses[3]["target_url"].as_str().unwrap();
    assert!(preview.ends_with("--docs.pages.test/"), "{preview}");
    let bodies: Vec<&str> = kept.comments.iter().map(|comment| comment["body"].as_str().unwrap()).collect();
    let [stranger, impostor, ours] = bodies[..] else { panic!("{bodies:?}") };
    assert_eq!(stranger, "Looks good to me");
    assert!(impostor.ends_with("go to evil.test"), "what others wrote is theirs: {impostor}");
    assert!(ours.contains(preview) && !ours.contains("failed"), "{ours}");
    assert!(ours.contains(&format!("[How it was built](https://pagefold.test/builds/{second})")), "{ours}");
}

fn app(hub: &Hub, accounts: &[(&str, Option<OrganizationId>)]) -> Option<App> {
    let account = |(name, organization): &(&str, _)| Account { name: (*name).to_owned(), organization: *organization };
    Some(App::new(&hub.url(), 42, &KEY.into(), accounts.iter().map(account).collect()).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_has_its_state_and_its_pull_request_one_comment_that_is_kept_up_to_date() {
    let world = World::start().await;
    let hub = Hub::start(world.site).await;
    told_of_two_builds(&world, &hub, Some(TOKEN), None).await;
    assert!(hub.kept().checks.is_empty(), "checks are an app's");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_proves_itself_and_gets_one_token_for_one_repository() {
    let world = World::start().await;
    let hub = Hub::start(world.site).await;
    let app = app(&hub, &[("Acme", Some(OrganizationId(Uuid::nil())))]);
    told_of_two_builds(&world, &hub, None, app).await;
    assert_eq!(hub.kept().tokens_for, [json!(["docs"])]);
    let kept = hub.kept();
    let [failed, shown] = &kept.checks[..] else { panic!("each build has one check: {:?}", kept.checks) };
    let summary = |run: &Value| run["output"]["summary"].as_str().unwrap().to_owned();
    assert_eq!((&failed["status"], &failed["conclusion"]), (&json!("completed"), &json!("failure")));
    assert_eq!(failed["output"]["title"], "build 1 failed: the script `pages` exited with 1");
    for part in ["the script 'pages' exited with 1", "`mend the script`", "It took 1.2 seconds."] {
        assert!(summary(failed).contains(part), "{part}: {}", summary(failed));
    }
    assert_eq!((&shown["status"], &shown["conclusion"]), (&json!("completed"), &json!("success")));
    assert_eq!((&shown["name"], &shown["head_sha"]), (&json!("pagefold/docs"), &json!(COMMIT)));
    assert!(summary(shown).contains("--docs.pages.test/"), "{}", summary(shown));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_may_not_write_checks_tells_what_it_may() {
    let world = World::start().await;
    let hub = Hub::start(world.site).await;
    hub.kept().forbids_checks = true;
    let app = app(&hub, &[("acme", None)]);
    told_of_two_builds(&world, &hub, None, app).await;
    assert!(hub.kept().checks.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_is_used_for_no_account_that_is_another_organizations_and_at_no_other_server() {
    let world = World::start().await;
    let (hub, other) = (Hub::start(world.site).await, Hub::start(world.site).await);
    let accounts = [("acme", Some(OrganizationId(Uuid::from_u128(1)))), ("elsewhere", None)];
    let _running = world.notify_as(app(&hub, &accounts)).await;
    for page in [hub.page("acme/docs"), hub.page("nobody/docs"), other.page("elsewhere/docs")] {
        let id = world.receiver_of(Kind::Github, &page, &[Occasion::Locked]).await;
        world.ask(Command::Test(id)).await;
        let (arrived, noticed) = world.settled(id, 1).await.remove(0);
        assert!(!arrived && noticed.reason.contains("no app of GitHub may be used"), "{page}: {noticed:?}");
    }
    assert_eq!((hub.kept().asked, other.kept().asked), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_not_known_there_is_told_of_by_a_test() {
    let world = World::start().await;
    let hub = Hub::start(world.site).await;
    let page = hub.page("acme/docs");
    let good = world.receiver_with(Kind::Github, &page, Some(TOKEN), &[Occasion::Locked]).await;
    let wrong = world.receiver_with(Kind::Github, &page, Some("ghp_wrong"), &[Occasion::Locked]).await;
    let _running = world.notify().await;
    for receiver in [good, wrong] {
        world.ask(Command::Test(receiver)).await;
    }
    assert!(within(world.settled(good, 1)).await[0].0);
    let (arrived, noticed) = world.settled(wrong, 1).await.remove(0);
    assert_eq!((arrived, noticed.status), (false, Some(401)));
    assert!(!noticed.reason.contains("ghp_"), "{noticed:?}");
    assert!(hub.kept().statuses.is_empty());
}
