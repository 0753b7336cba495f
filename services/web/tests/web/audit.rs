//! The history as those ask for it who have to account for it: who did what, to what, and when.

use crate::dashboard::Browser;
use crate::people::{invited, me, organization, site};
use crate::platform::{Platform, code};
use reqwest::Method;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_is_a_list_and_a_table_for_spreadsheets() {
    let platform = Platform::start().await;
    organization(&platform, "north").await;
    platform.send(Method::POST, "/sites", site("docs", "north")).await;
    platform.patch("/sites/docs", None, json!({ "branch": "trunk" })).await;
    let created = platform.get("/audit?type=site.created").await.1;
    let entry = &created["items"][0];
    assert_eq!((&entry["type"], &entry["actor"]), (&json!("site.created.v1"), &json!("token:tester")));
    assert!(entry["sentence"].as_str().unwrap().starts_with("site `docs` created"), "{entry}");
    assert_eq!((&entry["site"], &entry["organization"]), (&json!("docs"), &json!("north")), "{entry}");
    let first = platform.get("/audit?limit=1").await.1;
    let rest = platform.get(&format!("/audit?limit=1000&after={}", first["next"].as_str().unwrap())).await.1;
    let all = platform.log.last_sequence().await.unwrap();
    assert_eq!(rest["items"].as_array().unwrap().len() as u64, all - 1);
    let csv = platform.api(Method::GET, "/audit.csv?actor=token:tester").send().await.unwrap();
    assert!(csv.headers()["content-type"].to_str().unwrap().starts_with("text/csv"));
    let lines: Vec<String> = csv.text().await.unwrap().lines().map(str::to_owned).collect();
    assert_eq!(lines[0], "sequence,time,actor,type,subject,site_id,sentence,correlation,site,organization");
    assert_eq!(lines.len() as u64, all + 1);
    assert!(lines.iter().any(|line| line.contains("site.created.v1") && line.ends_with(",docs,north")), "{lines:?}");
    assert_eq!(code(&platform.get("/audit?since=yesterday").await), (422, "invalid_input"));

    let browser = Browser::sign_in(&platform).await;
    let page = browser.page("/audit?kind=site.&since=2020-01-01").await;
    assert!(page.contains("audit.csv?type=") && page.contains("site.created.v1"), "{page}");
    let timeline = browser.page("/timeline?kind=site.settings&actor=token%3Atester").await;
    assert!(timeline.contains("Settings changed") && !timeline.contains("created from"), "{timeline}");
    assert!(browser.page("/timeline?until=2020-01-01").await.contains("No event fits"));
    let sequence = entry["sequence"].as_u64().unwrap();
    assert_eq!(platform.get(&format!("/sites/docs?at={sequence}")).await.1["branch"], "main");
    assert_eq!(platform.get(&format!("/sites/docs?at={all}")).await.1["branch"], "trunk");
    assert_eq!(code(&platform.get("/sites/docs?at=1").await), (404, "site_not_found"));
    assert_eq!(code(&platform.get("/sites/docs?at=2020-01-01T00:00:00Z").await), (404, "site_not_found"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_of_the_audit_tells_whom_and_what_it_is_about() {
    let platform = Platform::start().await;
    organization(&platform, "north").await;
    let ada = invited(&platform, "north", "Ada", "manager").await;
    platform.send(Method::POST, "/sites", site("docs", "north")).await;
    platform.level().await;
    let browser = Browser::sign_in(&platform).await;
    let page = browser.page("/audit?kind=organization.member_added").await;
    let row = page.split("<tr>").find(|row| row.contains("A manager joined the organization")).unwrap();
    assert!(row.contains("Ada") && row.contains("href=\"/organizations/north\""), "{row}");
    let page = browser.page("/audit?kind=site.created").await;
    let row = page.split("<tr>").find(|row| row.contains("created from")).unwrap();
    assert!(row.contains("href=\"/sites/docs\"") && row.contains("href=\"/organizations/north\""), "{row}");
    let invited = browser.page("/audit?kind=invitation.created").await;
    platform
        .send(Method::POST, "/organizations/north/invitations", json!({ "email": "b@example.org", "role": "user" }))
        .await;
    platform.level().await;
    let again = browser.page("/audit?kind=invitation.created").await;
    assert!(
        invited.contains("Ada") && !again.contains("<td>erased"),
        "who was invited and has not come was not forgotten: {again}"
    );
    let timeline = ada.page("/timeline?kind=organization.member_added").await;
    assert!(timeline.contains("Ada · north · "), "{timeline}");
    let id = me(&ada).await.1["id"].as_str().unwrap().to_owned();
    let entry = platform.get("/audit?type=organization.member_added").await.1["items"][0].clone();
    let event = ada.page(&format!("/events/{}", entry["sequence"])).await;
    assert!(event.contains(&id), "the whole event has ids: {event}");
}
