//! The sync of deploys, against a real S3 server.
#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use events::event::RulesDialect;
use events::{BuildId, DeployId, SiteId};
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::task::Poll;
use storage::{Config, Manifest, SiteBucket, Storage};
use syncer::perform::{Error, Sent, Wanted, sync};
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

const MIB: usize = 1024 * 1024;

type Files = BTreeMap<String, Vec<u8>>;

struct Stage {
    storage: Storage,
    site: SiteBucket,
    folder: tempfile::TempDir,
    _stop: DropGuard,
}

impl Stage {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let secret = SecretString::from("a secret of the tests");
        let grant = depot::Grant { buckets: "pagefold-*".to_owned(), access: depot::Access::Write };
        let key = depot::Key { id: "tests".to_owned(), secret: secret.clone(), grants: vec![grant] };
        let (root, region) = (folder.path().join("depot"), "us-east-1".to_owned());
        let server = depot::Config { root, listen: "127.0.0.1:0".parse().unwrap(), region, keys: vec![key] };
        let server = depot::Depot::bind(server).await.unwrap();
        let endpoint = format!("http://{}", server.local_addr());
        let storage = Storage::connect(&Config::new(endpoint, "us-east-1".to_owned(), "tests".to_owned(), secret));
        let stop = CancellationToken::new();
        tokio::spawn(server.run(stop.clone()));
        let site = storage.site(SiteId(Uuid::nil()));
        Self { storage, site, folder, _stop: stop.drop_guard() }
    }

    fn tar(&self, files: &Files) -> PathBuf {
        let path = self.folder.path().join(format!("{}.tar", Uuid::now_v7()));
        let mut tar = tar::Builder::new(std::fs::File::create(&path).unwrap());
        for (path, content) in files {
            append(&mut tar, path, content);
        }
        tar.finish().unwrap();
        path
    }

    async fn sync(&self, number: u128, artifact: &Path, known: &[u128]) -> Result<Sent, Error> {
        let known: Vec<_> = known.iter().map(|number| deploy(*number).id).collect();
        sync(&self.storage, deploy(number), artifact, &known).await
    }

    /// Keys and sizes below a prefix.
    async fn objects(&self, prefix: &str) -> Vec<(String, u64)> {
        let objects = self.site.objects(prefix).await.unwrap();
        objects.into_iter().map(|object| (object.key, object.size)).collect()
    }

    async fn manifest(&self, number: u128) -> Manifest {
        self.site.manifest(&deploy(number).id).await.unwrap().unwrap()
    }

    async fn shows(&self, number: u128, files: &Files) {
        let manifest = self.manifest(number).await;
        let paths: Vec<&str> = manifest.iter().map(|entry| entry.path.as_str()).collect();
        assert_eq!(paths, files.keys().collect::<Vec<_>>());
        for entry in manifest.iter() {
            assert!(self.site.blob(entry).await.unwrap() == files[&entry.path], "{}", entry.path);
        }
    }
}

fn append(tar: &mut tar::Builder<std::fs::File>, path: &str, content: &[u8]) {
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    tar.append_data(&mut header, path, content).unwrap();
}

/// An entry that no honest writer makes: the path goes into the header as it is.
fn hostile(tar: &mut tar::Builder<std::fs::File>, path: &[u8], kind: tar::EntryType) {
    let mut header = tar::Header::new_gnu();
    header.as_mut_bytes()[..path.len()].copy_from_slice(path);
    header.set_entry_type(kind);
    header.set_size(0);
    if kind.is_symlink() || kind.is_hard_link() {
        header.set_link_name("/etc/passwd").unwrap();
    }
    header.set_cksum();
    tar.append(&header, std::io::empty()).unwrap();
}

fn deploy(number: u128) -> Wanted {
    let build = BuildId(Uuid::from_u128(number));
    Wanted { id: DeployId::of(build), site: SiteId(Uuid::nil()), build, dialect: RulesDialect::Netlify }
}

/// What came of a sync, however many requests it took.
fn result(synced: Result<Sent, Error>) -> Sent {
    Sent { requests: 0, ..synced.unwrap() }
}

fn pages(count: usize) -> Files {
    (0..count).map(|n| (format!("chapter-{:02}/page-{n:04}.html", n % 37), format!("<h1>{n}</h1>").into())).collect()
}

#[tokio::test]
async fn a_first_deploy_is_stored_whole_in_few_objects() {
    let stage = Stage::start().await;
    let mut files = pages(2_000);
    files.insert("copy.html".to_owned(), files["chapter-00/page-0000.html"].clone());
    files.insert("empty.txt".to_owned(), Vec::new());
    files.insert("x".repeat(300), b"a path that needs a header of its own".to_vec());
    let synced = stage.sync(1, &stage.tar(&files), &[]).await.unwrap();
    let bytes: usize = files.values().map(Vec::len).sum();
    assert_eq!((synced.files, synced.bytes), (2_003, bytes as u64));
    assert_eq!(synced.uploaded_files, 2_002);
    assert_eq!(stage.objects("").await.len(), 3);
    stage.shows(1, &files).await;
}

#[tokio::test]
async fn files_of_rules_travel_in_the_manifest_and_are_not_published() {
    let stage = Stage::start().await;
    let mut files = pages(3);
    let plain = stage.sync(1, &stage.tar(&files), &[]).await.unwrap();
    files.insert("_redirects".to_owned(), b"/old /new\n/bad\n".to_vec());
    files.insert("_headers".to_owned(), b"/*\n  X-Site: yes\n".to_vec());
    let said = br#"{"headers": [{"/*": {"cache-control": "max-age=60"}}], "cache": 1}"#;
    files.insert("pages.json".to_owned(), said.to_vec());
    files.insert("deep/_redirects".to_owned(), b"only at the root".to_vec());
    let ruled = stage.sync(2, &stage.tar(&files), &[1]).await.unwrap();
    assert_eq!((ruled.files, ruled.uploaded_files), (4, 1));
    files.insert("_redirects".to_owned(), b"/old /newer\n/bad\n".to_vec());
    let other = stage.sync(3, &stage.tar(&files), &[2]).await.unwrap();
    assert!(other.content != ruled.content && ruled.content != plain.content, "rules are content");
    assert_eq!(other.uploaded_files, 0);
    let (first, last) = (stage.manifest(1).await, stage.manifest(3).await);
    assert_eq!(first.rules(), None);
    assert!(
        last.get("_redirects").is_none() && last.get("_headers").is_none() && last.get("deep/_redirects").is_some()
    );
    let rules = last.rules().unwrap();
    assert_eq!((rules.redirects[0].to.as_str(), rules.headers[0].from.as_str()), ("/newer", "/*"));
    let told = rules.diagnostics.iter().map(|told| (told.file.as_str(), told.line, told.text.as_str()));
    assert_eq!(told.collect::<Vec<_>>(), [("pages.json", 1, "cache"), ("_redirects", 2, "/bad")]);
    assert!(last.get("pages.json").is_none() && rules.pages[0].from == "/*");
}

#[tokio::test]
async fn an_unchanged_redeploy_uploads_nothing() {
    let stage = Stage::start().await;
    let files = pages(100);
    let first = stage.sync(1, &stage.tar(&files), &[]).await.unwrap();
    let before = stage.objects("").await;
    let second = stage.sync(2, &stage.tar(&files), &[1]).await.unwrap();
    assert_eq!(second, Sent { uploaded_files: 0, uploaded_bytes: 0, requests: second.requests, ..first });
    assert!(second.requests < first.requests, "{second:?}");
    let mut after = stage.objects("").await;
    after.retain(|(key, _)| *key != storage::keys::deploy(&deploy(2).id));
    assert_eq!(after, before);
    stage.shows(2, &files).await;
}

#[tokio::test]
async fn one_changed_page_uploads_only_itself_and_a_small_manifest() {
    let stage = Stage::start().await;
    let mut files = pages(2_000);
    let first = stage.sync(1, &stage.tar(&files), &[]).await.unwrap();
    files.insert("chapter-00/page-0000.html".to_owned(), b"new".to_vec());
    files.remove("chapter-01/page-0001.html");
    let second = stage.sync(2, &stage.tar(&files), &[1]).await.unwrap();
    assert_eq!((second.uploaded_files, second.uploaded_bytes, second.files), (1, 3, 1_999));
    assert_ne!(second.content, first.content);
    assert_eq!(stage.objects("manifests/").await.len(), 1);
    assert_eq!(stage.objects("packs/").await.len(), 2);
    let manifest = stage.objects(&storage::keys::deploy(&deploy(2).id)).await;
    assert!(manifest[0].1 < 1_000, "{manifest:?}");
    stage.shows(2, &files).await;
}

#[tokio::test]
async fn large_files_and_many_packs_are_stored() {
    let stage = Stage::start().await;
    let filled = |byte: u8, size: usize| vec![byte; size];
    let files: Files = [("a", filled(1, 20 * MIB)), ("b", filled(2, 20 * MIB)), ("video", filled(3, 40 * MIB))]
        .map(|(path, content)| (path.to_owned(), content))
        .into();
    stage.sync(1, &stage.tar(&files), &[]).await.unwrap();
    let mut sizes: Vec<u64> = stage.objects("packs/").await.into_iter().map(|(_, size)| size / MIB as u64).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [20, 20, 40]);
    stage.shows(1, &files).await;
}

/// Polls `work` at most `polls` times and then drops it, as a crash would.
async fn interrupted<T>(work: impl Future<Output = T>, polls: usize) -> Option<T> {
    let (mut work, mut left) = (pin!(work), polls);
    poll_fn(|context| match (left, work.as_mut().poll(context)) {
        (_, Poll::Ready(done)) => Poll::Ready(Some(done)),
        (0, Poll::Pending) => Poll::Ready(None),
        (_, Poll::Pending) => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

#[tokio::test]
async fn a_sync_that_dies_anywhere_is_finished_by_a_repetition() {
    let stage = Stage::start().await;
    let files = pages(20);
    let artifact = stage.tar(&files);
    let mut polls = 0;
    let synced = loop {
        if let Some(synced) = interrupted(stage.sync(1, &artifact, &[]), polls).await {
            break synced.unwrap();
        }
        // A deploy is there whole or not at all.
        if stage.site.manifest(&deploy(1).id).await.unwrap().is_some() {
            stage.shows(1, &files).await;
        }
        polls += 1;
    };
    assert!(polls > 2, "nothing was interrupted");
    assert_eq!((synced.uploaded_files, synced.files), (20, 20));
    assert_eq!(stage.objects("").await.len(), 3);
    stage.shows(1, &files).await;
}

#[tokio::test]
async fn packs_of_a_sync_that_died_are_used_by_its_repetition() {
    let stage = Stage::start().await;
    // The fifth pack begins when one of the first four is there.
    let files: Files = (0..5).map(|n| (format!("{n}"), vec![n; 17 * MIB])).collect();
    let artifact = stage.tar(&files);
    let first_pack = async {
        while stage.objects("packs/").await.is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        synced = stage.sync(1, &artifact, &[]) => panic!("it was to be interrupted: {synced:?}"),
        () = first_pack => {}
    }
    assert_eq!(stage.objects("deploys/").await, []);
    assert_eq!(stage.sync(1, &artifact, &[]).await.unwrap().uploaded_files, 5);
    assert_eq!(stage.objects("packs/").await.len(), 5);
    stage.shows(1, &files).await;
}

#[tokio::test]
async fn repeating_a_sync_gives_the_same_result_whatever_is_known_by_then() {
    let stage = Stage::start().await;
    let artifact = stage.tar(&pages(20));
    let first = stage.sync(1, &artifact, &[]).await.unwrap();
    stage.sync(2, &artifact, &[1]).await.unwrap();
    let before = stage.objects("").await;
    assert_eq!(result(stage.sync(1, &artifact, &[2]).await), result(Ok(first)));
    assert_eq!(stage.objects("").await, before);
}

#[tokio::test]
async fn two_syncs_of_one_deploy_at_once_agree() {
    let stage = Stage::start().await;
    let artifact = stage.tar(&pages(200));
    stage.sync(1, &artifact, &[]).await.unwrap();
    let (knowing, ignorant) = tokio::join!(stage.sync(2, &artifact, &[1]), stage.sync(2, &artifact, &[]));
    assert_eq!(result(knowing), result(ignorant));
}

#[tokio::test]
async fn earlier_deploys_that_are_gone_only_cost_uploads() {
    let stage = Stage::start().await;
    let files = pages(20);
    let artifact = stage.tar(&files);
    stage.sync(1, &artifact, &[]).await.unwrap();
    stage.site.erase().await.unwrap();
    assert_eq!(stage.sync(2, &artifact, &[1, 9]).await.unwrap().uploaded_files, 20);
    stage.shows(2, &files).await;
}

#[tokio::test]
async fn a_torn_artifact_is_refused_wherever_it_is_torn() {
    let stage = Stage::start().await;
    let artifact = stage.tar(&pages(3));
    let whole = std::fs::read(&artifact).unwrap();
    // Each file takes a block for its header and one for its content.
    for length in [0, 100, 512, 520, 1024, 2048, whole.len() - 1024, whole.len() - 1] {
        std::fs::write(&artifact, &whole[..length]).unwrap();
        let refused = stage.sync(1, &artifact, &[]).await.unwrap_err();
        assert!(matches!(&refused, Error::Artifact { .. }) && !refused.is_transient(), "{length}: {refused:?}");
    }
    assert_eq!(stage.objects("").await, []);
}

#[tokio::test]
async fn an_artifact_has_only_regular_files_under_plain_paths() {
    let stage = Stage::start().await;
    let path = stage.folder.path().join("hostile.tar");
    let refusal = async |entry: &[u8], kind: tar::EntryType| {
        let mut tar = tar::Builder::new(std::fs::File::create(&path).unwrap());
        append(&mut tar, "index.html", b"hello");
        hostile(&mut tar, entry, kind);
        tar.finish().unwrap();
        let refused = stage.sync(1, &path, &[]).await.unwrap_err();
        std::error::Error::source(&refused).unwrap().to_string()
    };
    for (path, kind, expected) in [
        (b"../up".as_slice(), tar::EntryType::Regular, "the path of its entry `../up` has a part that is `.` or `..`"),
        (b"/etc/x", tar::EntryType::Regular, "the path of its entry `/etc/x` is absolute"),
        (b"link", tar::EntryType::Symlink, "its entry `link` is neither a regular file nor a directory"),
        (b"hard", tar::EntryType::Link, "its entry `hard` is neither a regular file nor a directory"),
        (b"fifo", tar::EntryType::Fifo, "its entry `fifo` is neither a regular file nor a directory"),
        (b"\xff", tar::EntryType::Regular, "the path of its entry `\\xff` is not valid UTF-8"),
        (b"./index.html", tar::EntryType::Regular, "the path of its entry `./index.html` is there twice"),
        (b"index.html/x", tar::EntryType::Regular, "the path of its entry `index.html/x` is both a file and a folder"),
    ] {
        assert_eq!(refusal(path, kind).await, expected);
    }
    assert_eq!(stage.objects("").await, []);

    let empty = stage.tar(&Files::new());
    let refused = stage.sync(1, &empty, &[]).await.unwrap_err();
    assert_eq!(std::error::Error::source(&refused).unwrap().to_string(), "it has no files");
}

/// What a site shows again after two others: its pack is nobody's meanwhile, and wanted again.
fn edition(number: u128) -> Files {
    let page = |page: u128| (format!("page-{page}.html"), format!("<h1>{page} of {}</h1>", number % 3).into());
    (0..20).map(page).collect()
}

#[tokio::test]
async fn what_others_have_stays_and_the_rest_goes_with_its_deploys() {
    let stage = Stage::start().await;
    let (first, mut second) = (pages(100), pages(100));
    second.insert("news.html".to_owned(), b"news".to_vec());
    stage.sync(1, &stage.tar(&first), &[]).await.unwrap();
    stage.sync(2, &stage.tar(&second), &[1]).await.unwrap();
    stage.sync(3, &stage.tar(&edition(3)), &[2]).await.unwrap();
    let gone = [deploy(1).id, deploy(3).id];
    let before = stage.objects("").await;
    let told = stage.site.unneeded(&gone).await.unwrap();
    assert_eq!(stage.objects("").await, before, "telling removes nothing");
    assert_eq!((told.deploys, told.packs), (2, 1));
    assert_eq!(stage.site.collect(&gone).await.unwrap(), told);
    let left: u64 = stage.objects("").await.iter().filter(|(key, _)| key != "collecting").map(|(_, size)| size).sum();
    assert_eq!(before.iter().map(|(_, size)| size).sum::<u64>(), told.bytes + left);
    stage.shows(2, &second).await;
    assert_eq!(stage.site.manifest(&gone[0]).await.unwrap(), None);
    assert_eq!(stage.site.collect(&gone).await.unwrap().deploys, 0, "once is enough");
}

#[tokio::test]
async fn nothing_is_collected_while_a_deploy_is_stored_and_nothing_is_stored_meanwhile() {
    let stage = Stage::start().await;
    stage.sync(1, &stage.tar(&edition(1)), &[]).await.unwrap();
    stage.site.enter(&deploy(2).id).await.unwrap();
    let refused = stage.site.collect(&[deploy(1).id]).await.unwrap_err();
    assert!(matches!(refused, storage::Error::Busy { .. }), "{refused}");
    stage.site.leave(&deploy(2).id).await.unwrap();
    stage.site.collect(&[deploy(1).id]).await.unwrap();
    assert_eq!(stage.site.deploys().await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn deploys_that_are_stored_beside_collections_have_all_their_bytes() {
    const ROUNDS: u128 = 40;
    let stage = Stage::start().await;
    stage.sync(0, &stage.tar(&edition(0)), &[]).await.unwrap();
    let storing = async {
        for number in 1..=ROUNDS {
            let artifact = stage.tar(&edition(number));
            // The deploys before it may be gone by now, or going.
            let known: Vec<u128> = (number.saturating_sub(3)..number).rev().collect();
            while let Err(error) = stage.sync(number, &artifact, &known).await {
                assert!(error.is_transient(), "{error:?}");
                tokio::task::yield_now().await;
            }
        }
    };
    let collecting = async {
        let mut collected = 0;
        loop {
            let number = |id: &DeployId| (0..=ROUNDS).find(|number| deploy(*number).id == *id).unwrap();
            let there = stage.site.deploys().await.unwrap();
            let last = there.iter().map(number).max().unwrap();
            // The one before the last two has what is stored next.
            let gone: Vec<DeployId> = there.into_iter().filter(|id| number(id) + 1 < last).collect();
            match stage.site.collect(&gone).await {
                Ok(unneeded) => collected += unneeded.deploys,
                Err(storage::Error::Busy { .. }) => {}
                Err(error) => panic!("{error:?}"),
            }
            if last == ROUNDS {
                break collected;
            }
            tokio::task::yield_now().await;
        }
    };
    let ((), collected) = tokio::join!(storing, collecting);
    assert!(collected > 3, "they met: {collected}");
    for id in stage.site.deploys().await.unwrap() {
        let number = (0..=ROUNDS).find(|number| deploy(*number).id == id).unwrap();
        stage.shows(number, &edition(number)).await;
    }
    stage.shows(ROUNDS, &edition(ROUNDS)).await;
}
