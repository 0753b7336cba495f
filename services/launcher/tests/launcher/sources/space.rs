//! What a repository may take of the disk and of memory, with repositories that try to take more.

use super::git_host::GitHost;
use super::world::{World, git, read};
use launcher::source::{Error, Origin, Space};
use launcher::spec::Limits;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const MIB: u64 = 1 << 20;
const DEADLINE: Duration = Duration::from_secs(60);

/// A world in which a mirror may have 4 MiB, and whatever `limits` says of a checkout.
fn narrow(limits: Limits) -> World {
    World::configured(|config| {
        config.space = Space { mirror_bytes: 4 * MIB, ..Space::default() };
        config.limits = Limits { disk_reserve_bytes: 0, ..limits };
        // A server packs a large file before it sends the first of it.
        config.stall = DEADLINE;
    })
}

/// Bytes that no compression makes fewer.
fn noise(bytes: u64) -> String {
    let read = Command::new("head").args(["-c", &(bytes / 2).to_string(), "/dev/urandom"]).output().unwrap();
    hex::encode(read.stdout)
}

/// Commits so much that a pack of it has about `bytes`.
fn commit_noise(world: &World, path: &str, bytes: u64) -> String {
    fs::write(world.remote().join(path), noise(2 * bytes)).unwrap();
    world.commit("index.html", "page")
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().next().is_none()
}

/// A commit in a bare repository that has whole trees from one file, without writing them: `levels` of folders with `width`
/// entries each.
fn commit_of_trees(folder: &Path, levels: u32, width: u32) -> String {
    git(folder, &["init", "-q", "--bare", "-b", "main", "."]);
    let mut entry = format!("100644 blob {}", pipe(folder, &["hash-object", "-w", "--stdin"], ""));
    for _ in 0..levels {
        let tree: String = (0..width).map(|index| format!("{entry}\t{index}\n")).collect();
        entry = format!("040000 tree {}", pipe(folder, &["mktree"], &tree));
    }
    let tree = entry.rsplit(' ').next().unwrap();
    let commit = git(folder, &["commit-tree", "-m", "many", tree]);
    git(folder, &["update-ref", "refs/heads/main", &commit]);
    commit
}

fn pipe(folder: &Path, arguments: &[&str], input: &str) -> String {
    let mut program = Command::new("git");
    program.args(arguments).current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut running = program.spawn().unwrap();
    std::io::Write::write_all(&mut running.stdin.take().unwrap(), input.as_bytes()).unwrap();
    String::from_utf8(running.wait_with_output().unwrap().stdout).unwrap().trim().to_owned()
}

/// The refusal of a source whose `commit` is checked out or whose branch is looked up: it is final, its owner's, and leaves
/// nothing behind.
async fn refused(world: &World, address: &str, commit: &str) -> Error {
    let into = tempfile::tempdir().unwrap();
    let error = world.mirror.checkout(&Origin::public(address, "main"), commit, into.path()).await.unwrap_err();
    assert!(!error.is_ours() && !error.is_retryable(), "{error:?}");
    assert!(is_empty(into.path()), "nothing is left of the checkout");
    error
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_that_sends_a_lot_is_stopped_and_nothing_of_it_stays() {
    let world = narrow(Limits::default());
    let commit = commit_noise(&world, "large", 6 * MIB);
    let host = GitHost::start(world.folder.path());
    for address in [host.url("git/remote/.git"), world.address()] {
        let error = refused(&world, &address, &commit).await;
        assert!(matches!(error, Error::RepositoryTooLarge { limit, .. } if limit == 4 * MIB), "{error:?}");
        assert!(
            error.to_string().contains("4194304 bytes") && error.to_string().contains("`--mirror-bytes`"),
            "{error}"
        );
        let error = world.mirror.tip(&Origin::public(&address, "main")).await.unwrap_err();
        assert!(matches!(error, Error::RepositoryTooLarge { .. }), "{error:?}");
        assert!(world.mirrors().is_empty(), "{:?}", world.mirrors());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_pack_that_unpacks_to_a_large_file_is_stopped() {
    let world = narrow(Limits { disk_bytes: 16 * MIB, ..Limits::default() });
    let large = fs::File::create(world.remote().join("large")).unwrap();
    large.set_len(64 * MIB).unwrap();
    let commit = world.commit("index.html", "page");
    let error = refused(&world, &world.address(), &commit).await;
    assert!(matches!(error, Error::CommitTooLarge { limit } if limit == 16 * MIB), "{error:?}");
    assert!(error.to_string().contains("`--build-disk-bytes`"), "{error}");
    assert_eq!(world.mirrors().len(), 1, "the mirror is small and stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_pack_that_unpacks_to_many_files_is_stopped_while_git_runs() {
    let world = narrow(Limits { disk_files: 1000, ..Limits::default() });
    let folder = world.folder.path().join("many.git");
    fs::create_dir(&folder).unwrap();
    let commit = commit_of_trees(&folder, 6, 10);
    let error = refused(&world, &folder.display().to_string(), &commit).await;
    assert!(matches!(error, Error::CommitTooManyFiles { limit: 1000 }), "{error:?}");
    assert!(error.to_string().contains("`--build-disk-files`"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_pack_that_needs_all_memory_is_stopped() {
    let world = narrow(Limits { memory_bytes: 128 * MIB, ..Limits::default() });
    let folder = world.folder.path().join("bomb.git");
    fs::create_dir(&folder).unwrap();
    let commit = commit_of_trees(&folder, 10, 10);
    let error = refused(&world, &folder.display().to_string(), &commit).await;
    assert!(matches!(error, Error::TooMuchMemory { limit } if limit == 128 * MIB), "{error:?}");
    assert!(error.to_string().contains("`--build-memory-bytes`"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_that_has_outgrown_its_room_in_time_is_made_anew() {
    let world = narrow(Limits::default());
    for _ in 0..3 {
        let commit = commit_noise(&world, "large", 2 * MIB);
        let (tree, _) = world.checkout(&commit).await.unwrap();
        assert_eq!(read(&tree, "large"), fs::read_to_string(world.remote().join("large")).unwrap());
    }
    assert!(taken(&world.mirrors()[0]) <= 4 * MIB);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_short_is_the_platforms_matter() {
    let world = World::configured(|config| config.limits.disk_reserve_bytes = u64::MAX);
    let commit = world.commit("index.html", "page");
    let error = world.checkout(&commit).await.unwrap_err();
    assert!(matches!(error, Error::DiskShort { .. }) && error.is_ours() && error.is_retryable(), "{error:?}");
    assert!(error.to_string().contains("`--build-disk-reserve-bytes`"), "{error}");
    assert!(world.mirrors().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn mirrors_together_have_a_bound_and_the_one_unused_for_longest_goes() {
    let world = World::configured(|config| config.space.mirrors_bytes = 5 * MIB);
    let repositories = ["a", "b", "c"].map(|name| world.folder.path().join(name));
    let mut commits = Vec::new();
    for repository in &repositories {
        fs::create_dir(repository).unwrap();
        git(repository, &["init", "-q", "-b", "main"]);
        fs::write(repository.join("large"), noise(4 * MIB)).unwrap();
        git(repository, &["add", "-A"]);
        git(repository, &["commit", "-q", "-m", "large"]);
        commits.push(git(repository, &["rev-parse", "HEAD"]));
    }
    let from_mirror = async |index: usize| {
        let address = repositories[index].display().to_string();
        world.checkout_of(&address, &commits[index]).await.unwrap().1
    };
    assert!(!from_mirror(0).await && !from_mirror(1).await);
    assert!(from_mirror(0).await, "both are there");
    assert!(!from_mirror(2).await);
    let started = Instant::now();
    while world.mirrors().len() > 2 {
        assert!(started.elapsed() < DEADLINE, "one of three must go");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(from_mirror(0).await && from_mirror(2).await, "the two used last are kept");
    assert!(!from_mirror(1).await, "the third is fetched again");
}

fn taken(folder: &Path) -> u64 {
    let told = Command::new("du").args(["--summarize", "--block-size=1", "--"]).arg(folder).output().unwrap();
    String::from_utf8(told.stdout).unwrap().split('\t').next().unwrap().parse().unwrap()
}
