//! The store's promises, against a real S3 server.
#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

#[path = "storage/collecting.rs"]
mod collecting;
#[path = "storage/line.rs"]
mod line;
#[path = "storage/outages.rs"]
mod outages;
#[path = "storage/writers.rs"]
mod writers;

use bytes::Bytes;
use events::{BuildId, DeployId, Digest, SiteId};
use futures::TryStreamExt as _;
use secrecy::SecretString;
use std::net::SocketAddr;
use std::time::Duration;
use storage::{
    Body, Config, Error, Head, Manifest, Mirrored, Rhythm, SiteBucket, SiteFile, Storage, Uploaded, content_type, keys,
};
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

const SECRET: &str = "a secret of the tests";
/// A writer that failed is soon counted as dead.
const QUICK: Rhythm = Rhythm {
    renew_every: Duration::from_millis(100),
    trust: Duration::from_millis(500),
    takeover: Duration::from_millis(800),
};

/// A server of its own for one test.
struct Server {
    config: Config,
    storage: Storage,
    address: SocketAddr,
    _stop: DropGuard,
    _root: tempfile::TempDir,
}

impl Server {
    async fn start() -> Self {
        let root = tempfile::tempdir().unwrap();
        let grant = depot::Grant { buckets: "*".to_owned(), access: depot::Access::Write };
        let secret = SecretString::from(SECRET);
        let key = depot::Key { id: "tests".to_owned(), secret: secret.clone(), grants: vec![grant] };
        let (listen, region) = ("127.0.0.1:0".parse().unwrap(), "eu-central-1".to_owned());
        let root_path = root.path().join("depot");
        let server = depot::Config { root: root_path, listen, region: region.clone(), keys: vec![key] };
        let server = depot::Depot::bind(server).await.unwrap();
        let address = server.local_addr();
        let config = Config::new(format!("http://{address}"), region, "tests".to_owned(), secret);
        let stop = CancellationToken::new();
        tokio::spawn(server.run(stop.clone()));
        let storage = Storage::connect(&config).with_rhythm(QUICK);
        Self { storage, config, address, _stop: stop.drop_guard(), _root: root }
    }

    async fn site(&self) -> SiteBucket {
        let site = self.storage.site(SiteId(Uuid::nil()));
        site.ensure().await.unwrap();
        site
    }
}

fn head(number: u128) -> Head {
    let build = BuildId(Uuid::from_u128(number));
    Head { deploy: DeployId::of(build), site: SiteId(Uuid::nil()), build, uploaded: Uploaded::default() }
}

/// Puts all files into one pack; the manifest is not written.
async fn manifest(site: &SiteBucket, number: u128, files: &[(&str, &[u8])]) -> Manifest {
    let pack: Vec<u8> = files.iter().flat_map(|(_, content)| content.iter().copied()).collect();
    let digest = Digest::of(&pack);
    site.put_pack(digest, Body::Bytes(pack.into())).await.unwrap();
    let mut offset = 0;
    let entry = |(path, content): &(&str, &[u8])| {
        offset += content.len() as u64;
        SiteFile {
            path: (*path).to_owned(),
            digest: Digest::of(content),
            size: content.len() as u64,
            content_type: content_type::of(path).into(),
            pack: digest,
            offset: offset - content.len() as u64,
        }
    };
    Manifest::new(head(number), files.iter().map(entry).collect::<Vec<_>>())
}

async fn tree(site: &SiteBucket, prefix: &str) -> Vec<String> {
    site.objects(prefix).await.unwrap().into_iter().map(|object| object.key).collect()
}

/// A client that is not ours.
fn plain(server: &Server) -> aws_sdk_s3::Client {
    let credentials = aws_sdk_s3::config::Credentials::new("tests", SECRET, None, None, "tests");
    let plain = aws_sdk_s3::Config::builder()
        .behavior_version_latest()
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .credentials_provider(credentials)
        .region(aws_sdk_s3::config::Region::new(server.config.region.clone()))
        .endpoint_url(&server.config.endpoint)
        .force_path_style(true)
        .build();
    aws_sdk_s3::Client::from_conf(plain)
}

/// The bucket of the site that the tests write.
const BUCKET: &str = "pagefold-site-00000000-0000-0000-0000-000000000000";

/// An object as a CDN sees it: content, content type, cache control.
async fn seen(server: &Server, key: &str) -> (Bytes, String, String) {
    let object = plain(server).get_object().bucket(BUCKET).key(key).send().await.unwrap();
    let (content_type, cache_control) = (object.content_type.unwrap(), object.cache_control.unwrap());
    (object.body.collect().await.unwrap().into_bytes(), content_type, cache_control)
}

#[tokio::test]
async fn a_store_that_honours_conditions_passes_the_probe_and_keeps_nothing_of_it() {
    let server = Server::start().await;
    let missing = server.storage.probe().await.unwrap_err();
    assert!(!missing.is_transient() && missing.to_string().contains("pagefold-platform"), "{missing}");
    server.storage.platform().ensure().await.unwrap();
    server.storage.platform().ensure().await.unwrap();
    server.storage.probe().await.unwrap();
}

#[tokio::test]
async fn a_manifest_reads_back_and_its_bytes_are_checked() {
    let server = Server::start().await;
    let site = server.site().await;
    let files: &[(&str, &[u8])] = &[("index.html", b"hello"), ("empty", b""), ("a/ü.css", b"p{}"), ("b", b"hello")];
    let written = site.put_manifest(manifest(&site, 1, files).await, &[]).await.unwrap();
    // Another process has no cache.
    let fresh = Storage::connect(&server.config).site(SiteId(Uuid::nil()));
    let read = fresh.manifest(&head(1).deploy).await.unwrap().unwrap();
    assert_eq!(read, written);
    assert_eq!((read.files(), read.bytes()), (4, 13));
    for (path, content) in files {
        assert_eq!(fresh.blob(read.get(path).unwrap()).await.unwrap(), content, "{path}");
    }
    let part = |range| async {
        let stream = fresh.blob_stream(read.get("index.html").unwrap(), range).await.unwrap();
        stream.try_collect::<Vec<Bytes>>().await.unwrap().concat()
    };
    assert_eq!((part(1..3).await, part(3..99).await, part(7..9).await), (b"el".into(), b"lo".into(), b"".into()));
    assert_eq!(fresh.manifest(&head(2).deploy).await.unwrap(), None);

    let entry = read.get("index.html").unwrap().clone();
    let shifted = fresh.blob(&SiteFile { offset: entry.offset + 1, ..entry.clone() }).await.unwrap_err();
    assert!(matches!(&shifted, Error::Corrupt { .. }) && !shifted.is_transient(), "{shifted}");
    let beyond = fresh.blob(&SiteFile { size: 99, ..entry.clone() }).await.unwrap_err();
    assert!(matches!(&beyond, Error::Corrupt { .. }), "{beyond}");
    let absent = fresh.blob(&SiteFile { pack: Digest::of(b"no such pack"), ..entry }).await.unwrap_err();
    assert!(matches!(&absent, Error::Missing { .. }) && !absent.is_transient(), "{absent}");
}

#[tokio::test]
async fn a_deploy_never_changes() {
    let server = Server::start().await;
    let site = server.site().await;
    let first = manifest(&site, 1, &[("a", b"1")]).await;
    let stored = site.put_manifest(first.clone(), &[]).await.unwrap();
    assert_eq!(site.put_manifest(first, &[]).await.unwrap(), stored);
    let other = manifest(&site, 1, &[("a", b"2")]).await;
    let refused = site.put_manifest(other, &[]).await.unwrap_err();
    assert!(matches!(refused, Error::Conflict { .. }), "{refused}");
    assert_eq!(site.manifest(&head(1).deploy).await.unwrap().unwrap(), stored);
}

#[tokio::test]
async fn deploys_share_a_base_until_too_much_changes() {
    let server = Server::start().await;
    let site = server.site().await;
    let names: Vec<String> = (0..40).map(|n| format!("page/{n:02}.html")).collect();
    let files = |changed: usize| -> Vec<(&str, &[u8])> {
        let content = |n| if n < changed { b"new".as_slice() } else { b"old" };
        names.iter().enumerate().map(|(n, name)| (name.as_str(), content(n))).collect()
    };
    // One pack has both contents, so that unchanged files stay where they are.
    let all = manifest(&site, 0, &[("o", b"old"), ("n", b"new")]).await;
    let of = |number, changed| {
        let place = |(path, content): (&str, &[u8])| {
            let entry = all.get(if content == b"old" { "o" } else { "n" }).unwrap().clone();
            SiteFile { path: path.to_owned(), ..entry }
        };
        Manifest::new(head(number), files(changed).into_iter().map(place).collect::<Vec<_>>())
    };
    let first = site.put_manifest(of(1, 0), &[]).await.unwrap();
    let second = site.put_manifest(of(2, 10), &[first.base().unwrap()]).await.unwrap();
    assert_eq!(second.base(), first.base());
    let third = site.put_manifest(of(3, 11), &[first.base().unwrap()]).await.unwrap();
    assert_ne!(third.base(), first.base());
    assert_eq!(tree(&site, "manifests/").await.len(), 2);
    for manifest in [first, second, third] {
        assert_eq!(site.manifest(&manifest.head().deploy).await.unwrap(), Some(manifest));
    }
}

#[tokio::test]
async fn a_pack_that_is_not_what_its_name_says_is_refused() {
    let server = Server::start().await;
    let site = server.site().await;
    let refused = site.put_pack(Digest::of(b"this"), Body::Bytes(Bytes::from_static(b"that"))).await.unwrap_err();
    assert!(!refused.is_transient(), "{refused:?}");
    assert_eq!(tree(&site, "packs/").await.len(), 0);
}

#[tokio::test]
async fn a_mirror_writes_and_removes_only_the_difference() {
    let server = Server::start().await;
    let site = server.site().await;
    let first = manifest(&site, 1, &[("index.html", b"1"), ("a b+c/ü.css", b"p{}"), ("gone.txt", b"x")]).await;
    let second = manifest(&site, 2, &[("index.html", b"2"), ("a b+c/ü.css", b"p{}"), ("new.txt", b"x")]).await;
    let first = site.put_manifest(first, &[]).await.unwrap();
    let second = site.put_manifest(second, &[]).await.unwrap();
    let run = |tree: &'static str, to: Manifest| {
        let site = site.clone();
        async move { site.mirror(tree, &to).await.unwrap() }
    };
    assert_eq!(run("demo", first.clone()).await, Mirrored { written: 3, removed: 0 });
    assert_eq!(run("site", first.clone()).await, Mirrored { written: 3, removed: 0 });
    assert_eq!(run("site", second.clone()).await, Mirrored { written: 2, removed: 1 });
    let expected = ["site/a b+c/ü.css", "site/index.html", "site/new.txt"];
    assert_eq!(tree(&site, "site/").await, expected);
    let page = seen(&server, "site/index.html").await;
    assert_eq!(page, (Bytes::from_static(b"2"), "text/html; charset=utf-8".to_owned(), "max-age=60".to_owned()));
    assert_eq!(run("site", second.clone()).await, Mirrored::default());
    // A run that died half way: nobody knows what the tree shows, so everything is written and what is foreign goes.
    let torn =
        first.iter().map(|entry| SiteFile { pack: Digest::of(b"missing"), digest: entry.digest, ..entry.clone() });
    let torn = Manifest::new(head(3), torn.collect::<Vec<_>>());
    assert!(site.mirror("site", &torn).await.is_err());
    assert!(matches!(site.mirror("site", &first).await, Err(Error::Busy { .. })), "it may still be writing");
    tokio::time::sleep(QUICK.takeover).await;
    assert_eq!(run("site", first).await, Mirrored { written: 3, removed: 1 });
    assert_eq!(run("site", second.clone()).await, Mirrored { written: 2, removed: 1 });
    assert_eq!(tree(&site, "site/").await, expected);
    assert_eq!(site.remove_tree("site").await.unwrap(), 3);
    assert_eq!((tree(&site, "site/").await.len(), tree(&site, "demo/").await.len()), (0, 3));
}

#[tokio::test]
async fn the_tree_of_a_nested_branch_survives_the_removal_of_its_parents() {
    let server = Server::start().await;
    let site = server.site().await;
    for (number, tree) in [(1, "preview/fix"), (2, "preview/fix/typo")] {
        let manifest = manifest(&site, number, &[("index.html", b"1")]).await;
        let manifest = site.put_manifest(manifest, &[]).await.unwrap();
        site.mirror(tree, &manifest).await.unwrap();
    }
    assert_eq!(site.remove_tree("preview/fix").await.unwrap(), 1);
    assert_eq!(tree(&site, "preview/").await, ["preview/fix/typo/index.html"]);

    // Nobody knows what the parent's tree shows: everything foreign goes, but not what another mark speaks for.
    let put = |key: &'static str| plain(&server).put_object().bucket(BUCKET).key(key).send();
    for key in ["trees/preview/fix", "preview/fix/old.html", "preview/fix/typos.html"] {
        put(key).await.unwrap();
    }
    assert_eq!(site.remove_tree("preview/fix").await.unwrap(), 2);
    assert_eq!(tree(&site, "preview/").await, ["preview/fix/typo/index.html"]);
}

#[tokio::test]
async fn a_mirror_takes_large_files_and_many_small_ones() {
    let server = Server::start().await;
    let site = server.site().await;
    let large = vec![7; 9 * 1024 * 1024];
    let middle = vec![8; 5 * 1024 * 1024];
    let names: Vec<String> = (0..50).map(|n| format!("{n}.html")).collect();
    let small = names.iter().map(|name| (name.as_str(), name.as_bytes()));
    let mut files: Vec<(&str, &[u8])> = vec![("middle.bin", &middle), ("large.bin", &large), ("last.bin", &middle)];
    files.extend(small);
    let manifest = manifest(&site, 1, &files).await;
    let mirrored = site.mirror("preview/feature/x", &manifest).await.unwrap();
    assert_eq!(mirrored, Mirrored { written: 53, removed: 0 });
    for (path, content) in files {
        let (seen, ..) = seen(&server, &format!("preview/feature/x/{path}")).await;
        assert!(seen == content, "{path}");
    }
}

#[tokio::test]
async fn erasing_a_site_leaves_nothing_and_may_be_repeated() {
    let server = Server::start().await;
    let site = server.site().await;
    let first = manifest(&site, 1, &[("index.html", b"1")]).await;
    let first = site.put_manifest(first, &[]).await.unwrap();
    site.mirror("site", &first).await.unwrap();
    site.erase().await.unwrap();
    assert_eq!(tree(&site, "").await.len(), 0);
    assert_eq!(site.manifest(&first.head().deploy).await.unwrap(), None);
    site.erase().await.unwrap();
    assert_eq!(
        (site.remove_tree("site").await.unwrap(), site.name()),
        (0, "pagefold-site-00000000-0000-0000-0000-000000000000")
    );
}

#[tokio::test]
async fn an_artifact_travels_through_files_in_one_or_many_parts() {
    let server = Server::start().await;
    let platform = server.storage.platform();
    platform.ensure().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (from, into) = (folder.path().join("from"), folder.path().join("into"));
    let key = keys::artifact(head(1).build, 2);
    for size in [0, 10, 70 * 1024 * 1024 + 1] {
        let content: Vec<u8> = (0..size).map(|n: u32| (n / 1000) as u8).collect();
        std::fs::write(&from, &content).unwrap();
        platform.put_artifact(&key, &from).await.unwrap();
        platform.get_artifact(&key, &into).await.unwrap();
        assert!(std::fs::read(&into).unwrap() == content, "{size}");
    }
    platform.delete_artifacts(head(1).build).await.unwrap();
    platform.delete_artifacts(head(1).build).await.unwrap();
    let gone = platform.get_artifact(&key, &into).await.unwrap_err();
    assert!(matches!(&gone, Error::Missing { .. }), "{gone}");
    let gone = platform.put_artifact(&key, &folder.path().join("absent")).await.unwrap_err();
    assert!(matches!(&gone, Error::File { .. }) && !gone.is_transient(), "{gone}");
}

#[tokio::test]
async fn uploads_that_a_killed_process_began_are_ended() {
    let server = Server::start().await;
    let (platform, site) = (server.storage.platform(), server.site().await);
    platform.ensure().await.unwrap();
    let (client, build) = (plain(&server), head(1).build);
    let begin = async |bucket: &str, key: &str| {
        let begun = client.create_multipart_upload().bucket(bucket).key(key).send().await.unwrap();
        let part = client.upload_part().bucket(bucket).key(key).upload_id(begun.upload_id().unwrap()).part_number(1);
        part.body(vec![1; 1024].into()).send().await.unwrap();
    };
    let unfinished = async |bucket: &str| {
        let listed = client.list_multipart_uploads().bucket(bucket).send().await.unwrap();
        listed.uploads().iter().map(|upload| upload.key().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (first, second) = (keys::artifact(build, 1), keys::artifact(build, 2));
    let other = keys::artifact(head(2).build, 1);
    for key in [&first, &second, &second, &other] {
        begin("pagefold-platform", key).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let large = folder.path().join("large");
    std::fs::File::create(&large).unwrap().set_len(65 * 1024 * 1024).unwrap();
    platform.put_artifact(&second, &large).await.unwrap();
    assert_eq!(unfinished("pagefold-platform").await, [first, other.clone()], "a key has one writer");
    platform.delete_artifacts(build).await.unwrap();
    assert_eq!(unfinished("pagefold-platform").await, [other]);
    assert!(matches!(platform.get_artifact(&second, &large).await, Err(Error::Missing { .. })));
    begin(BUCKET, "site/video").await;
    site.erase().await.unwrap();
    assert!(client.head_bucket().bucket(BUCKET).send().await.is_err());
}

#[tokio::test]
async fn a_log_is_read_from_any_byte_on() {
    let server = Server::start().await;
    let platform = server.storage.platform();
    platform.ensure().await.unwrap();
    let key = keys::log(head(1).build);
    assert_eq!(platform.get_log(&key, 0).await.unwrap(), None);
    platform.put_log(&key, Bytes::from_static(b"one\ntwo\n")).await.unwrap();
    for (from, expected) in [(0, "one\ntwo\n"), (4, "two\n"), (8, ""), (99, "")] {
        assert_eq!(platform.get_log(&key, from).await.unwrap(), Some(expected.into()), "{from}");
    }
}

#[tokio::test]
async fn refusals_are_final_and_silence_is_transient_and_no_secret_is_shown() {
    let server = Server::start().await;
    let wrong = Config { secret_key: SecretString::from("wrong"), ..server.config.clone() };
    let denied = Storage::connect(&wrong).platform().ensure().await.unwrap_err();
    assert!(!denied.is_transient(), "{denied:?}");
    // Nothing listens on the port of the discard protocol.
    for endpoint in ["http://127.0.0.1:9", "https://127.0.0.1:9"] {
        let config = Config { endpoint: endpoint.to_owned(), ..server.config.clone() };
        let silent = Storage::connect(&config).platform().ensure().await.unwrap_err();
        assert!(silent.is_transient(), "{silent:?}");
        assert_eq!(silent.to_string(), "failed to look for bucket `pagefold-platform`");
    }
    assert!(!format!("{:?} {:?}", server.config, server.storage).contains(SECRET));
}

async fn seen_mark(server: &Server) -> Bytes {
    let object = plain(server).get_object().bucket(BUCKET).key("trees/site").send().await.unwrap();
    object.body.collect().await.unwrap().into_bytes()
}
