//! A site of a story: its repository, its builds, its hosts.

use crate::{Alias, Answer, Build, Deploy, Fact, Host, Platform, Repository};
use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// A site.
#[derive(Debug, Clone)]
pub struct Site<'p> {
    platform: &'p Platform,
    name: String,
    /// Its identity.
    pub id: String,
    /// Where its source is.
    pub repository: Repository,
}

/// A push that the platform has taken in.
#[derive(Debug, Clone)]
pub struct Pushed {
    /// The tip.
    pub commit: String,
    /// The fact it is on record as.
    pub event: String,
}

impl<'p> Site<'p> {
    /// Creates it, with a repository and an organization of its own, so that no other story takes its slots.
    pub(crate) async fn create(platform: &'p Platform, name: &str, settings: Value) -> Self {
        let repository = platform.repository(name);
        let mut body = json!({ "name": name, "organization": name, "repository": repository.url() });
        body.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        let created: Value = platform.api().send(Method::POST, "/sites", &body).await.expect(201).json();
        let id = created["id"].as_str().unwrap().to_owned();
        let site = Self { platform, name: name.to_owned(), id, repository };
        site.finished(0).await;
        site
    }

    /// The same site on the same platform that has been started again.
    pub async fn again(name: &str, repository: Repository, platform: &'p Platform) -> Self {
        let site: Value = platform.api().get(&format!("/sites/{name}")).await;
        Self { platform, name: name.to_owned(), id: site["id"].as_str().unwrap().to_owned(), repository }
    }

    /// Commits files to a branch, pushes it, and tells the platform.
    pub async fn push<'f>(&self, branch: &str, files: impl IntoIterator<Item = (&'f str, &'f str)>) -> Pushed {
        let delivery = self.repository.push(branch, files);
        let answer = self.platform.deliver(&delivery).await.expect(202).json::<Value>();
        Pushed { commit: delivery.commit, event: answer["event"].as_str().unwrap().to_owned() }
    }

    /// Pushes to `main` and waits until the site shows it.
    pub async fn publish<'f>(&self, number: u64, files: impl IntoIterator<Item = (&'f str, &'f str)>) -> Fact {
        self.push("main", files).await;
        self.promoted(number).await
    }

    /// Waits for a fact about this site.
    pub async fn until(&self, name: &str, wanted: impl Fn(&Fact) -> bool) -> Fact {
        self.platform.until_of(Some(&self.id), name, wanted).await
    }

    /// Waits until an alias shows the build with this number.
    pub async fn promoted(&self, number: u64) -> Fact {
        self.until("alias.promoted", |fact| fact.is("alias.promoted", number)).await
    }

    /// Waits until the build with this number has ended by itself.
    pub async fn finished(&self, number: u64) -> Fact {
        self.until("build.finished", |fact| fact.is("build.finished", number)).await
    }

    /// Waits until there is a build with this number; answers its identity.
    pub async fn queued(&self, number: u64) -> String {
        self.until("build.queued", |fact| fact.is("build.queued", number)).await.subject
    }

    /// Every fact about this site in the log, but for its first build.
    #[must_use]
    pub fn facts(&self) -> Vec<Fact> {
        let about = |fact: &Fact| fact.data["site"] == self.id.as_str() || fact.subject == self.id;
        let facts: Vec<Fact> = self.platform.facts().into_iter().filter(about).collect();
        let first = facts.iter().find(|fact| fact.is("build.queued", 0)).map(|fact| fact.subject.clone());
        facts.into_iter().filter(|fact| Some(&fact.subject) != first.as_ref()).collect()
    }

    /// Its builds, newest first, with all that the log has of them, but for its first one.
    pub async fn builds(&self) -> Vec<Build> {
        let builds: Vec<Build> = self.rows("builds").await;
        builds.into_iter().filter(|build| build.number > 0).collect()
    }

    /// Its deploys, newest first.
    pub async fn deploys(&self) -> Vec<Deploy> {
        self.rows("deploys").await
    }

    /// The deploy of a build that has been synced.
    ///
    /// # Panics
    /// If there is none.
    pub async fn deploy(&self, number: u64) -> Deploy {
        self.until("deploy.synced", |fact| fact.is("deploy.synced", number)).await;
        self.deploys().await.into_iter().find(|deploy| deploy.number == number).unwrap()
    }

    /// Its aliases.
    pub async fn aliases(&self) -> Vec<Alias> {
        self.rows("aliases").await
    }

    /// The read model follows the log; whoever compares the two has to wait for it.
    async fn rows<T: DeserializeOwned>(&self, what: &str) -> Vec<T> {
        self.platform.read_model_has_caught_up().await;
        let mut page: Value = self.platform.api().get(&format!("/sites/{}/{what}", self.name)).await;
        serde_json::from_value(page["items"].take()).unwrap()
    }

    /// Asks that an alias show a deploy, if it shows `expected` now.
    pub async fn point(&self, alias: &str, deploy: &str, expected: Option<&str>) -> Answer {
        let path = format!("/sites/{}/aliases/{alias}", self.name);
        self.platform.api().send(Method::PUT, &path, &json!({ "deploy": deploy, "expected": expected })).await
    }

    /// Its public host.
    #[must_use]
    pub fn live(&self) -> Host {
        self.platform.host(&self.name)
    }

    /// The host of its demo, of a deploy, or of a branch's preview.
    #[must_use]
    pub fn host(&self, prefix: &str) -> Host {
        self.platform.host(&format!("{prefix}--{}", self.name))
    }

    /// Waits until the public page at `path` has `text` in it.
    pub async fn serves(&self, path: &str, text: &str) -> Answer {
        self.live().serves(path, text).await
    }
}
