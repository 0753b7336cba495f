//! A closed preview: nobody knows of it but whoever was given a link, until that is revoked.

use journeys::{Platform, eventually};
use reqwest::header::{COOKIE, HOST, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use serde_json::{Value, json};

struct Reader<'p> {
    client: Client,
    platform: &'p Platform,
}

impl Reader<'_> {
    async fn get(&self, label: &str, path: &str, cookie: &str) -> Response {
        let ready = self.platform.ready();
        let request = self.client.get(format!("{}{path}", ready.edge)).header(COOKIE, cookie);
        request.header(HOST, format!("{label}.{}", ready.sites_domain)).send().await.unwrap()
    }

    async fn until(&self, label: &str, cookie: &str, status: u16) {
        let answers = || async { (self.get(label, "/plan", cookie).await.status() == status).then_some(()) };
        eventually(&format!("{label} answers {status}"), answers).await;
    }
}

/// What an answer is, but for the moment.
async fn all(answer: Response) -> (u16, String, String) {
    let (status, mut headers) = (answer.status().as_u16(), answer.headers().clone());
    headers.remove("date");
    (status, format!("{headers:?}"), answer.text().await.unwrap())
}

#[tokio::test]
async fn a_closed_preview_is_not_there_but_for_whoever_has_a_link_that_is_good() {
    let platform = &Platform::shared().await;
    let site = platform.site("closed", json!({})).await;
    site.publish(1, [("index.html", "home")]).await;
    site.push("plan", [("plan.html", "secret")]).await;
    let api = platform.api();
    let reader = Reader { client: Client::builder().redirect(Policy::none()).build().unwrap(), platform };
    reader.until("plan--closed", "", 200).await;
    // The edge may know of it before the read model does.
    let listed = || async {
        let deploys: Value = api.get("/sites/closed/deploys").await;
        deploys["items"].as_array().unwrap().iter().find(|deploy| deploy["branch"] == "plan").cloned()
    };
    let deploy = eventually("the preview's deploy is listed", listed).await;
    let own = format!("{}--closed", deploy["id"].as_str().unwrap());

    let told = platform.operator(&["access", "closed", "--preview", "link"]);
    assert_eq!(told, "live: public, preview: link\n");
    reader.until("plan--closed", "", 404).await;
    let nobody = all(reader.get("nobody", "/plan", "").await).await;
    for label in ["plan--closed", &own] {
        assert_eq!(all(reader.get(label, "/plan", "").await).await, nobody, "{label}");
    }
    site.serves("/", "home").await;

    let made = platform.operator(&["share", "create", "closed", "--branch", "plan", "--expires-in", "1h"]);
    let end = made.trim().split_once('?').unwrap().1.to_owned();
    let opened = || async {
        let answer = reader.get("plan--closed", &format!("/plan?{end}"), "").await;
        answer.headers().contains_key(SET_COOKIE).then_some(answer)
    };
    let opened = eventually("the link opens", opened).await;
    assert_eq!((opened.status().as_u16(), &opened.headers()[LOCATION]), (303, &"/plan".parse().unwrap()));
    let cookie = opened.headers()[SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    assert_eq!(reader.get("plan--closed", "/plan", &cookie).await.text().await.unwrap(), "secret");
    assert_eq!(reader.get(&own, "/plan", &cookie).await.status(), 404, "a cookie is for one host");

    let listed: Value = api.get("/sites/closed/share-links").await;
    let id = listed["items"][0]["id"].as_str().unwrap();
    let told = platform.operator(&["share", "revoke", "closed", id]);
    assert!(told.contains("lets nobody in"), "{told}");
    reader.until("plan--closed", &cookie, 404).await;
    assert!(!reader.get("plan--closed", &format!("/plan?{end}"), "").await.headers().contains_key(SET_COOKIE));
    let words = site.until("site.share_link_revoked", |fact| fact.data["link"] == id).await;
    assert_eq!(words.data["link"], id);
}
