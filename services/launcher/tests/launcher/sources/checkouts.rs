//! Checkouts from real repositories in local folders.

use super::world::{World, git, read};
use events::event::Author;
use launcher::source::{Error, Origin};
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

#[tokio::test]
async fn the_exact_commit_is_checked_out_though_the_branch_moved_on() {
    let world = World::new();
    let first = world.commit("index.html", "first");
    world.commit("index.html", "second");
    let (tree, from_mirror) = world.checkout(&first).await.unwrap();
    assert_eq!(read(&tree, "index.html"), "first");
    assert!(!from_mirror);
}

#[tokio::test]
async fn a_second_checkout_needs_no_remote() {
    let world = World::new();
    let commit = world.commit("index.html", "page");
    let later = world.commit("index.html", "later");
    for commit in [&commit, &later] {
        world.checkout(commit).await.unwrap();
    }
    fs::remove_dir_all(world.remote()).unwrap();
    let (tree, from_mirror) = world.checkout(&commit).await.unwrap();
    assert_eq!(read(&tree, "index.html"), "page");
    assert!(from_mirror);
}

#[tokio::test]
async fn a_commit_that_was_pushed_away_is_still_found() {
    let world = World::new();
    world.commit("index.html", "base");
    let lost = world.commit("index.html", "lost");
    world.git(&["reset", "-q", "--hard", "HEAD~1"]);
    world.commit("index.html", "instead");
    let (tree, _) = world.checkout(&lost).await.unwrap();
    assert_eq!(read(&tree, "index.html"), "lost");
}

#[tokio::test]
async fn a_commit_of_a_deleted_branch_is_still_found() {
    let world = World::new();
    let commit = world.commit("index.html", "page");
    world.git(&["branch", "-q", "-m", "main", "other"]);
    assert_eq!(read(&world.checkout(&commit).await.unwrap().0, "index.html"), "page");
}

#[tokio::test]
async fn a_missing_commit_and_a_missing_repository_are_final_and_not_our_fault() {
    let world = World::new();
    world.commit("index.html", "page");
    let missing = world.checkout(&"0123456789".repeat(4)).await.unwrap_err();
    assert!(matches!(missing, Error::CommitNotFound { .. }), "{missing:?}");
    assert!(!missing.is_retryable() && !missing.is_ours());
    fs::remove_dir_all(world.remote()).unwrap();
    let gone = world.checkout(&"0123456789".repeat(4)).await.unwrap_err();
    assert!(matches!(gone, Error::RepositoryNotFound { .. }), "{gone:?}");
    assert!(!gone.is_retryable() && !gone.is_ours());
}

#[tokio::test]
async fn the_checkout_is_a_repository_of_its_own() {
    let world = World::new();
    world.commit("index.html", "before");
    let commit = world.commit("index.html", "page");
    let (tree, _) = world.checkout(&commit).await.unwrap();
    let git = |arguments: &[&str]| {
        let done = Command::new("git").args(arguments).current_dir(tree.path()).output().unwrap();
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    };
    assert_eq!(git(&["rev-parse", "HEAD"]), commit);
    assert_eq!(git(&["rev-parse", "--abbrev-ref", "HEAD"]), "main");
    assert_eq!(git(&["status", "--porcelain"]), "");
    assert_eq!(git(&["remote"]), "");
    assert!(!tree.path().join(".git/objects/info/alternates").exists());
    let (mine, theirs) = (inodes(&tree.path().join(".git")), inodes(&world.mirrors()[0]));
    assert!(mine.iter().all(|inode| !theirs.contains(inode)), "no file is shared with the mirror");
}

fn inodes(folder: &Path) -> Vec<u64> {
    let listed = Command::new("find").arg(folder).args(["-type", "f", "-printf", "%i\\n"]).output().unwrap();
    String::from_utf8(listed.stdout).unwrap().lines().map(|inode| inode.parse().unwrap()).collect()
}

#[tokio::test]
async fn a_damaged_mirror_is_made_anew_once() {
    for harm in ["objects", "config", "HEAD"] {
        let world = World::new();
        let commit = world.commit("index.html", "page");
        world.checkout(&commit).await.unwrap();
        let mirror = world.mirrors().remove(0);
        if harm == "objects" {
            fs::remove_dir_all(mirror.join("objects")).unwrap();
        } else {
            fs::write(mirror.join(harm), "[nonsense").unwrap();
        }
        let (tree, from_mirror) = world.checkout(&commit).await.unwrap();
        assert_eq!(read(&tree, "index.html"), "page", "{harm}");
        assert!(!from_mirror, "{harm}");
        assert!(world.checkout(&commit).await.unwrap().1, "{harm}");
    }
}

#[tokio::test]
async fn one_missing_object_is_repaired() {
    let world = World::new();
    let commit = world.commit("index.html", "page");
    world.checkout(&commit).await.unwrap();
    let blob = world.git(&["rev-parse", "HEAD:index.html"]);
    let mirror = world.mirrors().remove(0);
    let object = mirror.join("objects").join(&blob[..2]).join(&blob[2..]);
    fs::remove_file(&object).unwrap();
    assert_eq!(read(&world.checkout(&commit).await.unwrap().0, "index.html"), "page");
}

#[tokio::test]
async fn many_checkouts_of_one_repository_at_once_all_succeed() {
    let world = World::new();
    let commits: Vec<_> = (0..6).map(|number| world.commit("index.html", &format!("page {number}"))).collect();
    let trees = futures::future::join_all(commits.iter().map(|commit| world.checkout(commit))).await;
    for (number, tree) in trees.into_iter().enumerate() {
        assert_eq!(read(&tree.unwrap().0, "index.html"), format!("page {number}"));
    }
    assert_eq!(world.mirrors().len(), 1);
}

#[tokio::test]
async fn options_in_place_of_values_are_refused() {
    let world = World::new();
    let commit = world.commit("index.html", "page");
    let bait = world.folder.path().join("bait");
    let option = format!("--upload-pack=touch${{IFS}}{}", bait.display());
    let into = tempfile::tempdir().unwrap();
    let address = world.address();
    for (repository, commit, branch) in [
        (option.as_str(), commit.as_str(), "main"),
        (&address, &option, "main"),
        (&address, &commit, &option),
        ("ext::sh -c true", &commit, "main"),
    ] {
        let refused =
            world.mirror.checkout(&Origin::public(repository, branch), commit, into.path()).await.unwrap_err();
        assert!(!refused.is_retryable(), "{refused:?}");
    }
    assert!(!bait.exists());
    assert!(world.mirrors().is_empty());
}

#[tokio::test]
async fn hooks_and_filters_of_a_repository_do_not_run() {
    let world = World::new();
    let bait = world.folder.path().join("bait");
    fs::write(world.remote().join(".gitattributes"), "* filter=evil\n").unwrap();
    let commit = world.commit("index.html", "page");
    let hook = world.remote().join(".git/hooks/post-checkout");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, format!("#!/bin/sh\ntouch {}\n", bait.display())).unwrap();
    world.git(&["config", "filter.evil.smudge", &format!("touch {}", bait.display())]);
    assert!(Command::new("chmod").arg("+x").arg(&hook).status().unwrap().success());
    world.checkout(&commit).await.unwrap();
    assert!(!bait.exists());
}

#[tokio::test]
async fn what_is_not_fetched_is_said() {
    let world = World::new();
    fs::write(world.remote().join(".gitattributes"), "*.psd filter=lfs diff=lfs\n").unwrap();
    let commit = world.commit(".gitmodules", "none");
    let into = tempfile::tempdir().unwrap();
    let fetched = world.mirror.checkout(&Origin::public(&world.address(), "main"), &commit, into.path()).await.unwrap();
    assert_eq!(fetched.notices.len(), 2, "{:?}", fetched.notices);
}

#[tokio::test]
async fn a_commit_tells_its_title_and_who_wrote_it() {
    let world = World::new();
    let long = format!("\u{1b}[31mFix\u{1b}[0m {}\n\nThe rest.", "long ".repeat(100));
    for (message, name, title, author) in [
        ("Fix the title\n\nIt was wrong.", "Ärger Coder", "Fix the title".to_owned(), "Ärger Coder"),
        (&long, "x", format!("Fix {}", "long ".repeat(40))[..200].trim().to_owned(), "x"),
    ] {
        let address = format!("{}@users.noreply.pagefold", uuid::Uuid::nil());
        let identity = [format!("user.name={name}"), format!("user.email={address}")];
        let said = ["-c", &identity[0], "-c", &identity[1], "commit", "-q", "--allow-empty", "-m", message];
        world.git(&said);
        let (commit, into) = (world.git(&["rev-parse", "HEAD"]), tempfile::tempdir().unwrap());
        let fetched =
            world.mirror.checkout(&Origin::public(&world.address(), "main"), &commit, into.path()).await.unwrap();
        let source = fetched.source;
        assert_eq!((source.commit.as_str(), source.title), (commit.as_str(), title));
        assert_eq!(source.author, Some(Author::Name(author.to_owned())), "anybody may write any address");
    }
}

#[tokio::test]
async fn credentials_stay_out_of_errors() {
    let world = World::new();
    let address = "http://user:hunter2@127.0.0.1:1/acme/docs.git";
    let refused = world.checkout_of(address, &"ab".repeat(20)).await.unwrap_err();
    assert!(matches!(refused, Error::Unreachable { .. }), "{refused:?}");
    let told = format!("{refused} {refused:?}");
    assert!(told.contains("127.0.0.1:1/acme/docs.git"), "{told}");
    assert!(!told.contains("hunter2"), "{told}");
}

#[tokio::test]
async fn all_of_the_history_is_fetched_if_it_is_wanted() {
    let world = World::new();
    for text in ["one", "two", "three"] {
        world.commit("page", text);
    }
    let newest = world.git(&["rev-parse", "HEAD"]);
    let (folder, _) = world.checkout(&newest).await.unwrap();
    let count = |folder: &TempDir| git(folder.path(), &["rev-list", "--count", "HEAD"]);
    assert_eq!(count(&folder), "1");
    world.mirror.deepen(&Origin::public(&world.address(), "main"), &newest, folder.path()).await.unwrap();
    assert_eq!(count(&folder), "3");
    // A commit that the branch has left has a history too.
    world.git(&["reset", "-q", "--hard", "HEAD~1"]);
    let (folder, _) = world.checkout(&newest).await.unwrap();
    world.mirror.deepen(&Origin::public(&world.address(), "main"), &newest, folder.path()).await.unwrap();
    assert_eq!(count(&folder), "3");
}
