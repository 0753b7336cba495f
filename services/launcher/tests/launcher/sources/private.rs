//! Private repositories over HTTP: read by the token of their site, which nobody else is told.

use super::git_host::{GitHost, TOKEN};
use super::world::{World, git, read};
use launcher::source::{Credentials, Error, Login, Origin};
use std::fs;

fn with(repository: &str, token: &str) -> Origin<'static> {
    let login = Login { username: None, token: token.to_owned().into() };
    let credentials = Credentials { key: None, login: Some(login) };
    Origin { credentials, ..Origin::public(repository.to_owned().leak(), "main") }
}

/// A repository behind a lock, and its only commit.
fn locked(world: &World) -> (GitHost, String) {
    let commit = world.commit("index.html", "private");
    git(world.folder.path(), &["clone", "-q", "--bare", "remote", "served"]);
    (GitHost::start(world.folder.path()), commit)
}

#[tokio::test]
async fn a_private_repository_is_read_by_its_token_and_by_nothing_less() {
    let world = World::new();
    let (host, commit) = locked(&world);
    let (address, into) = (host.url("locked/served"), tempfile::tempdir().unwrap());
    let refused = world.mirror.tip(&Origin::public(&address, "main")).await.unwrap_err();
    assert!(matches!(refused, Error::AccessRefused { .. }) && !refused.is_retryable(), "{refused:?}");
    assert!(refused.hint().unwrap().contains("access token"));

    let wrong = world.mirror.tip(&with(&address, "wr0ng-token")).await.unwrap_err();
    assert!(matches!(wrong, Error::TokenRefused { .. }) && wrong.hint().is_some(), "{wrong:?}");
    assert!(!format!("{wrong} {wrong:?}").contains("wr0ng-token"));

    let origin = with(&address, TOKEN);
    assert_eq!(world.mirror.tip(&origin).await.unwrap().commit.as_str(), commit);
    assert!(world.mirror.checkout(&origin, &commit, into.path()).await.unwrap().from_mirror);
    assert_eq!(read(&into, "index.html"), "private");

    // What was fetched with the token is not for those who have it not, though they know the commit.
    let into = tempfile::tempdir().unwrap();
    let stolen = world.mirror.checkout(&Origin::public(&address, "main"), &commit, into.path()).await.unwrap_err();
    assert!(matches!(stolen, Error::AccessRefused { .. }), "{stolen:?}");
    let mirrors = world.mirrors().iter().map(|mirror| format!("{mirror:?}")).collect::<String>();
    let settings = fs::read_to_string(world.mirrors()[0].join("config")).unwrap();
    assert!(!mirrors.contains(TOKEN) && !settings.contains(TOKEN));
}

#[tokio::test]
async fn a_token_is_for_its_own_host_wherever_that_leads() {
    let (world, elsewhere) = (World::new(), World::new());
    let ((host, _), (other, _)) = (locked(&world), locked(&elsewhere));
    // It leads on before it asks who comes, or after that.
    for way in ["to", "locked-to"] {
        let away = host.url(&format!("{way}/http/{}/locked/served", other.address));
        let refused = world.mirror.tip(&with(&away, TOKEN)).await.unwrap_err();
        assert!(matches!(refused, Error::TokenRefused { .. }), "{refused:?}");
    }
    assert!(!host.told.lock().unwrap().is_empty(), "its own host was told");
    assert_eq!(*other.told.lock().unwrap(), Vec::<String>::new(), "and no other");
}
