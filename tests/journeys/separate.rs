//! Every service as a process of its own, over three servers of the log: each waits for what it needs, and each may go and
//! come while pushes arrive.

use journeys::{Fact, Fleet, Part, Repository, Service, Signal, eventually};
use reqwest::Method;
use serde_json::json;
use std::collections::BTreeMap;

/// A site of a fleet.
struct Site {
    name: String,
    repository: Repository,
}

impl Site {
    async fn create(fleet: &Fleet, name: &str) -> Self {
        let repository = fleet.repository(name);
        let body = json!({ "name": name, "organization": name, "repository": repository.url() });
        let _ = fleet.api().send(Method::POST, "/sites", &body).await.expect(201);
        Self { name: name.to_owned(), repository }
    }

    /// A page that names its site and the push.
    fn page(&self, push: u32) -> String {
        format!("{} {push}", self.name)
    }

    fn push(&self, push: u32) -> journeys::Delivery {
        self.repository.push("main", [("index.html", &*self.page(push))])
    }

    async fn shows(&self, fleet: &Fleet, push: u32) {
        fleet.host(&self.name).serves("/", &self.page(push)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn services_wait_for_servers_and_go_and_come_while_pushes_arrive() {
    let mut fleet = Fleet::prepare().await;
    for service in Service::ALL {
        fleet.start(Part::Service(service)).await;
    }
    for service in Service::ALL {
        say_that_the_log_is_away(&fleet, service).await;
    }
    for server in Fleet::servers() {
        fleet.start(server).await;
    }
    fleet.provision().await;
    fleet.provision().await;
    fleet.all_fit().await;
    kill_each_while_pushes_arrive(&mut fleet, Service::ALL.map(Part::Service).into()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_go_and_come_while_pushes_arrive() {
    let mut fleet = Fleet::prepare().await;
    fleet.start_all().await;
    kill_each_while_pushes_arrive(&mut fleet, Fleet::servers()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_leads_the_log_dies_in_the_middle_of_a_push() {
    let mut fleet = Fleet::prepare().await;
    fleet.start_all().await;
    let mut sites = Vec::new();
    for round in 0..4 {
        let leader = fleet.leader().await;
        sites.push(push_while_it_is_killed(&mut fleet, &format!("leader-{round}"), leader).await);
    }
    every_push_is_live_once(&fleet, &sites).await;
}

/// Kills part after part in the middle of a push, and starts it again; every push goes live, and nothing happens twice.
async fn kill_each_while_pushes_arrive(fleet: &mut Fleet, parts: Vec<Part>) {
    let mut sites = Vec::new();
    for (index, part) in parts.into_iter().enumerate() {
        sites.push(push_while_it_is_killed(fleet, &format!("part-{index:02}"), part).await);
    }
    every_push_is_live_once(fleet, &sites).await;
}

async fn push_while_it_is_killed(fleet: &mut Fleet, name: &str, part: Part) -> Site {
    let site = Site::create(fleet, name).await;
    let first = site.push(1);
    fleet.deliver(&first).await;
    // Killed in the middle of the one push, away for the beginning of the other.
    fleet.stop(part, Signal::KILL).await;
    let second = site.push(2);
    if part != Part::Service(Service::Web) {
        fleet.deliver(&second).await;
    }
    fleet.start(part).await;
    fleet.deliver(&second).await;
    site
}

async fn every_push_is_live_once(fleet: &Fleet, sites: &[Site]) {
    for site in sites {
        site.shows(fleet, 2).await;
    }
    eventually("every build to have ended", || {
        let all = ends(&fleet.facts()).into_values().all(|ends| ends > 0);
        async move { all.then_some(()) }
    })
    .await;
    nothing_happened_twice(&fleet.facts(), sites);
}

fn nothing_happened_twice(facts: &[Fact], sites: &[Site]) {
    assert!(ends(facts).into_values().all(|ends| ends == 1), "every build ends exactly once");
    let mut promoted: BTreeMap<String, u32> = BTreeMap::new();
    for fact in facts.iter().filter(|fact| fact.name() == "alias.promoted") {
        *promoted.entry(format!("{} {}", fact.subject, fact.data["deploy"])).or_default() += 1;
    }
    assert!(promoted.len() >= sites.len() && promoted.values().all(|times| *times == 1), "{promoted:?}");
    for site in sites {
        let pushes = facts.iter().filter(|fact| fact.name() == "repository.push_received");
        let taken = pushes.filter(|fact| fact.data.to_string().contains(&site.name)).count();
        assert_eq!(taken, 2, "a delivery is on record once, however often it came");
    }
}

async fn say_that_the_log_is_away(fleet: &Fleet, service: Service) {
    let failing = async || {
        let (status, health) = fleet.health(service).await?;
        // The edge is fit without it: it serves what it knew last.
        let expected = if service == Service::Edge { 200 } else { 503 };
        (health["parts"]["log"]["status"] == "failing").then(|| assert_eq!(status, expected, "{health}"))
    };
    eventually(&format!("{} to miss the log", service.name()), failing).await;
    assert!(fleet.runs(service), "{} waits", service.name());
}

/// Every build with how often it has ended.
pub(crate) fn ends(facts: &[Fact]) -> BTreeMap<String, usize> {
    let queued = facts.iter().filter(|fact| fact.name() == "build.queued").map(|fact| fact.subject.clone());
    let ends = |build: &String| facts.iter().filter(|fact| fact.is_end() && fact.subject == *build).count();
    queued.map(|build| (build.clone(), ends(&build))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_is_told_from_a_silent_server() {
    let mut fleet = Fleet::prepare().await;
    assert!(fleet.try_provision(&[]).contains("no server of the log answers at `tls://127.0.0.1:"));
    for server in Fleet::servers() {
        fleet.start(server).await;
    }
    fleet.provision().await;
    let wrong = |name: &str, value: &str| fleet.try_provision(&[(name, value)]);
    let said = wrong("PAGEFOLD_NATS_PASSWORD", "wrong");
    assert!(said.contains("refuses the password of user `ctl`") && said.contains("127.0.0.1"), "{said}");
    let said = wrong("PAGEFOLD_NATS_CERTIFICATE", "/dev/null");
    assert!(!said.contains("password"), "{said}");
    let said = wrong("PAGEFOLD_S3_SECRET_KEY", "wrong-but-long-enough-to-be-one");
    assert!(said.contains("refuses the access key `syncer`"), "{said}");
    let postgres = fleet.ready().postgres.clone();
    let (_, password) = postgres.split_once("://").unwrap().1.split_once('@').unwrap().0.split_once(':').unwrap();
    let said = wrong("PAGEFOLD_POSTGRES_URL", &postgres.replace(password, "wrong"));
    assert!(said.contains("refuses the password of role `pagefold`") && !said.contains(password), "{said}");
    fleet.stop(Part::Store, Signal::TERM).await;
    assert!(fleet.try_provision(&[]).contains("object store at"));
    fleet.start(Part::Store).await;
    fleet.stop(Part::Postgres, Signal::KILL).await;
    assert!(fleet.try_provision(&[]).contains("does not let role `pagefold` in"));
}
