//! Certificates: a domain that is proven has one issued, by which every edge proves itself.

use super::World;
use super::authority::Authority;
use reqwest::Url;
use reqwest::header::LOCATION;
use serde_json::json;
use std::net::SocketAddr;

const NAME: &str = "www.example.test";

struct Issuing {
    authority: Authority,
    world: World,
}

impl Issuing {
    async fn start() -> Self {
        let authority = Authority::closed();
        let (directory, ca) = (authority.directory(), authority.certificate());
        let tls = ["--edge-tls", "127.0.0.1:0", "--acme-directory", &directory, "--acme-ca", ca.to_str().unwrap()];
        let world = World::start_with(&tls).await;
        Self { authority, world }
    }

    /// Has the authority find the hosts of sites, and answer.
    fn open(&mut self, site: &str) {
        self.world.names.set("A", &format!("{site}.sites.localhost"), "127.0.0.1");
        let edge: Url = self.world.platform.ready().edge.parse().unwrap();
        self.authority.open(self.world.names.address, edge.port().unwrap());
    }

    fn address(&self) -> SocketAddr {
        let url = self.world.platform.ready().edge_tls.as_deref().unwrap();
        url.trim_start_matches("https://").parse().unwrap()
    }

    /// What somebody who trusts the authority reads of a name; none if it is not proven.
    async fn page(&self, name: &str) -> Option<String> {
        let url = format!("https://{name}:{}/page", self.address().port()).parse().unwrap();
        self.authority.read(&url, self.address()).await
    }
}

#[tokio::test]
async fn a_proven_domain_is_served_over_tls_with_a_certificate_of_the_authority() {
    let mut issuing = Issuing::start().await;
    issuing.open("secure");
    let world = &issuing.world;
    let site = world.platform.site("secure", json!({})).await;
    site.publish(1, [("page.html", "page")]).await;
    let domain = world.add("secure", json!({ "name": NAME })).await;
    world.obey(&domain);
    let issued = site.until("domain.certificate_issued", |_| true).await;
    assert!(!issued.data.to_string().contains("PRIVATE"), "the key is sealed");
    let shown = world.until_state("secure", NAME, "active").await;
    assert!(shown["expires_at"].as_str().is_some_and(|at| at.ends_with('Z')), "{shown}");
    let told = world.platform.operator(&["domains", "show", "secure", NAME]);
    assert!(told.contains("active"), "{told}");

    let led = world.until_answers(NAME, 308).await;
    assert_eq!(led.headers()[LOCATION], format!("https://{NAME}/page?x=1"));
    assert_eq!(issuing.page(NAME).await.as_deref(), Some("page"));
    assert_eq!(issuing.page("other.example.test").await, None, "it has no certificate");

    drop(site);
    issuing.world.platform.crash();
    issuing.world.platform.start_again().await;
    assert_eq!(issuing.page(NAME).await.as_deref(), Some("page"));
}

#[tokio::test]
async fn an_authority_that_is_away_is_asked_again_and_what_it_said_is_told() {
    let mut issuing = Issuing::start().await;
    let world = &issuing.world;
    let site = world.platform.site("patient", json!({})).await;
    site.publish(1, [("page.html", "page")]).await;
    let domain = world.add("patient", json!({ "name": NAME })).await;
    world.obey(&domain);
    let failed = site.until("domain.certificate_failed", |fact| fact.data["attempt"] == 1).await;
    assert!(failed.data["error"].as_str().unwrap().starts_with("the authority"), "{:?}", failed.data);
    let shown = world.until_state("patient", NAME, "issuing").await;
    assert_eq!(shown["expires_at"], json!(null));
    assert_eq!(world.until_answers(NAME, 200).await.text().await.unwrap(), "page", "it is served without");
    drop(site);
    issuing.open("patient");
    issuing.world.until_state("patient", NAME, "active").await;
    assert_eq!(issuing.page(NAME).await.as_deref(), Some("page"));
}
