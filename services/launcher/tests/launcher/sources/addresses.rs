//! Where sources are fetched from and where not, with real git servers on loopback.

use super::git_host::GitHost;
use super::world::{World, git, is_root, read};
use dialer::{Own, Unreached};
use launcher::source::{Error, Origin};
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::sync::atomic::Ordering;

fn nowhere() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// What became of it: who is at fault, whether it is worth another try, and the sentence.
fn told(error: &Error) -> (bool, bool, String) {
    (error.is_ours(), error.is_retryable(), runtime::error::chain(error))
}

#[tokio::test]
async fn a_source_that_cannot_be_fetched_is_its_owners_and_says_why() {
    let world = World::new();
    let commit = world.commit("index.html", "page");
    let host = GitHost::start(world.folder.path());
    let url = |path: &str| host.url(path);
    assert_eq!(read(&world.checkout_of(&url("git/remote/.git"), &commit).await.unwrap().0, "index.html"), "page");
    for (address, retry, expected) in [
        (url("git/none"), false, "there is no repository at"),
        (url("missing/docs"), false, "there is no repository at"),
        (url("private/docs"), false, "refuses us"),
        (url("forbidden/docs"), false, "refuses us"),
        (url("broken/docs"), true, "The requested URL returned error: 503"),
        (url("stalled/docs"), true, "Operation too slow"),
        (format!("http://{}/docs", nowhere()), true, "refused the connection"),
        (format!("git://{}/docs", nowhere()), true, "refused the connection"),
        (format!("ssh://git@{}/docs", nowhere()), true, "refused the connection"),
        ("http://nowhere.invalid/docs".to_owned(), true, "the name `nowhere.invalid` is not known"),
        ("git@nowhere.invalid:docs".to_owned(), true, "the name `nowhere.invalid` is not known"),
    ] {
        let error = world.checkout_of(&address, &commit).await.unwrap_err();
        let (ours, retryable, said) = told(&error);
        assert!(!ours && retryable == retry && said.contains(expected) && !said.contains('\n'), "{address}: {error:?}");
        let error = world.mirror.tip(&Origin::public(&address, "main")).await.unwrap_err();
        assert_eq!((ours, retryable), (error.is_ours(), error.is_retryable()), "{address}: {error:?}");
    }
    let served = url("git/remote/.git");
    let error = world.checkout_of(&served, &"0123456789".repeat(4)).await.unwrap_err();
    assert!(matches!(error, Error::CommitNotFound { .. }), "{error:?}");
    let error = world.mirror.tip(&Origin::public(&served, "gone")).await.unwrap_err();
    assert!(matches!(error, Error::BranchNotFound { .. }), "{error:?}");
}

#[tokio::test]
async fn a_redirect_is_followed_and_checked_like_any_other_address() {
    let world = World::with(|rules| rules.dialer.own = vec![Own::At("127.0.0.1:1".to_owned())]);
    let commit = world.commit("index.html", "page");
    let (host, other) = (GitHost::start(world.folder.path()), GitHost::start(world.folder.path()));
    let to = |target: &str| host.url(&format!("to/{target}"));
    let followed = world.checkout_of(&to(&format!("http/{}/git/remote/.git", other.address)), &commit).await.unwrap();
    assert_eq!(read(&followed.0, "index.html"), "page");
    for target in ["http/169.254.169.254/docs", "http/[::ffff:169.254.169.254]/docs", "http/127.0.0.1:1/docs"] {
        let error = world.checkout_of(&to(target), &commit).await.unwrap_err();
        assert!(matches!(error, Error::Forbidden { .. }), "{target}: {error:?}");
        assert!(!error.is_retryable() && !error.is_ours());
    }
    for target in ["https/127.0.0.1:1/docs", "file//etc", "git/127.0.0.1:1/docs", "ftp/127.0.0.1:1/docs"] {
        let error = world.checkout_of(&to(target), &commit).await.unwrap_err();
        assert!(matches!(error, Error::AddressRefused { .. }), "{target}: {error:?}");
    }
}

#[tokio::test]
async fn the_platforms_own_ports_and_reserved_addresses_are_never_connected_to() {
    let probe = tempfile::tempdir().unwrap();
    let own = GitHost::start(probe.path());
    let port = own.address.port();
    let world = World::with(|rules| rules.dialer.own = vec![Own::At(own.address.to_string())]);
    let commit = "ab".repeat(20);
    for address in [
        format!("http://127.0.0.1:{port}/git/x"),
        format!("http://localhost:{port}/git/x"),
        format!("http://[::ffff:127.0.0.1]:{port}/git/x"),
        format!("http://2130706433:{port}/git/x"),
        format!("http://127.1.2.3:{port}/git/x"),
        format!("git://127.0.0.1:{port}/x"),
        format!("ssh://git@127.0.0.1:{port}/x"),
        "http://169.254.169.254/latest".to_owned(),
        "http://[::ffff:169.254.169.254]/latest".to_owned(),
        "http://[64:ff9b::a9fe:a9fe]/latest".to_owned(),
        "http://[2002:a9fe:a9fe::1]/latest".to_owned(),
        "http://0xa9fea9fe/latest".to_owned(),
        "git@169.254.169.254:latest".to_owned(),
        "git://169.254.169.254/latest".to_owned(),
        "http://0.0.0.0:80/x".to_owned(),
    ] {
        let error = world.checkout_of(&address, &commit).await.unwrap_err();
        assert!(matches!(error, Error::Forbidden { .. }), "{address}: {error:?}");
    }
    assert_eq!(own.asked.load(Ordering::SeqCst), 0, "nobody was connected to");
}

#[tokio::test]
async fn private_addresses_need_an_option() {
    let world = World::with(|rules| rules.dialer.allowed.private = false);
    let commit = world.commit("index.html", "page");
    let host = GitHost::start(world.folder.path());
    let error = world.checkout_of(&host.url("git/remote/.git"), &commit).await.unwrap_err();
    let private = |error: &Error| {
        matches!(error, Error::Forbidden { why: Unreached::NotAllowed(events::address::NotAllowed::Private), .. })
    };
    assert!(private(&error), "{error:?}");
    assert_eq!(host.asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_path_leads_only_below_the_folders_named_for_repositories() {
    let world = World::with(|rules| {
        rules.dialer.allowed.folders = rules.dialer.allowed.folders.iter().map(|folder| folder.join("srv")).collect()
    });
    let commit = world.commit("index.html", "page");
    let srv = world.folder.path().join("srv");
    fs::create_dir(&srv).unwrap();
    git(&srv, &["clone", "-q", "--bare", "--no-hardlinks", &world.address(), "docs.git"]);
    for spelling in ["docs.git", "docs", "docs.git/"] {
        let plain = srv.join(spelling).display().to_string();
        for address in [format!("file://{plain}"), plain] {
            assert_eq!(read(&world.checkout_of(&address, &commit).await.unwrap().0, "index.html"), "page", "{address}");
        }
    }
    symlink(world.remote(), srv.join("link")).unwrap();
    symlink(world.folder.path(), srv.join("up")).unwrap();
    let mirror = world.mirrors().remove(0);
    for outside in [
        world.address(),
        format!("file://{}", world.address()),
        mirror.display().to_string(),
        srv.join("../remote").display().to_string(),
        format!("file://{}/%2e%2e/remote", srv.display()),
        srv.join("link").display().to_string(),
        srv.join("up/remote").display().to_string(),
        "/etc".to_owned(),
    ] {
        let error = world.checkout_of(&outside, &commit).await.unwrap_err();
        assert!(matches!(error, Error::AddressRefused { .. }), "{outside}: {error:?}");
        assert!(!error.is_ours() && !error.is_retryable());
    }
}

#[tokio::test]
async fn the_platforms_own_folder_is_closed_wherever_repositories_may_be() {
    let world = World::new();
    let commit = world.commit("index.html", "page");
    world.checkout(&commit).await.unwrap();
    let mirror = world.mirrors().remove(0);
    symlink(&mirror, world.folder.path().join("link.git")).unwrap();
    for address in [mirror, world.folder.path().join("link.git")] {
        let error = world.checkout_of(&address.display().to_string(), &commit).await.unwrap_err();
        assert!(error.to_string().contains("in the platform's own folder"), "{error:?}");
    }
}

#[tokio::test]
async fn a_repository_that_leads_elsewhere_from_within_is_refused() {
    let world = World::new();
    let commit = world.commit("index.html", "page");
    world.checkout(&commit).await.unwrap();
    let mirror = world.mirrors().remove(0);
    let make = |name: &str| {
        let path = world.folder.path().join(name);
        git(world.folder.path(), &["init", "-q", "--bare", name]);
        path
    };
    let borrowing = make("borrowing.git");
    fs::write(borrowing.join("objects/info/alternates"), mirror.join("objects").display().to_string()).unwrap();
    let linked = make("linked.git");
    fs::remove_dir_all(linked.join("objects")).unwrap();
    symlink(mirror.join("objects"), linked.join("objects")).unwrap();
    let deep = make("deep.git");
    symlink(mirror.join("objects/pack"), deep.join("objects/pack/more")).unwrap();
    let common = make("common.git");
    fs::write(common.join("commondir"), mirror.display().to_string()).unwrap();
    for repository in [&borrowing, &linked, &deep, &common] {
        let error = world.checkout_of(&repository.display().to_string(), &commit).await.unwrap_err();
        assert!(error.to_string().contains("could lead elsewhere"), "{}: {error:?}", repository.display());
    }
    let pointing = world.folder.path().join("pointing");
    fs::create_dir(&pointing).unwrap();
    fs::write(pointing.join(".git"), format!("gitdir: {}\n", mirror.display())).unwrap();
    let error = world.checkout_of(&pointing.display().to_string(), &commit).await.unwrap_err();
    assert!(matches!(error, Error::RepositoryNotFound { .. }), "{error:?}");
}

#[tokio::test]
async fn root_lends_its_eyes_to_nobody() {
    if !is_root() {
        return;
    }
    let world = World::new();
    let commit = world.commit("index.html", "page");
    let closed = |mode| fs::set_permissions(world.remote(), fs::Permissions::from_mode(mode)).unwrap();
    closed(0o700);
    let error = world.checkout(&commit).await.unwrap_err();
    assert!(matches!(error, Error::RepositoryNotFound { .. }), "{error:?}");
    closed(0o755);
    assert_eq!(read(&world.checkout(&commit).await.unwrap().0, "index.html"), "page");
}
