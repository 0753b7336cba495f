//! What a path has to survive: the packing, the artifact, the manifest and the plain tree, with every part real.

use events::{BuildId, DeployId};
use launcher::brought::Brought;
use launcher::output::{OutputLimits, pack};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use secrecy::SecretString;
use std::collections::BTreeSet;
use std::fs;
use storage::path::Paths;
use storage::{Config, Storage};
use syncer::perform::{Wanted, sync};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Longest name that file systems take.
const NAME_MAX: usize = 255;

/// Stretches of text that some part on the way might read in its own way.
fn path() -> impl Strategy<Value = String> {
    let part =
        "([a-zA-Z0-9]|[ %+&<>\"'?#:;=@~*|,.!$()\\[\\]{}^`-]|é|e\u{301}|\u{202e}|\u{feff}|😀|\u{fffd}|\\PC){1,12}";
    prop_oneof![9 => proptest::collection::vec(part, 1..4).prop_map(|parts| parts.join("/")), 1 => "[a-z ]{0,250}(/[a-z]{250}){1,3}"]
}

/// Those of the paths that one site can have at once, and a file system and the rules of publishing let through.
fn published(paths: Vec<String>) -> BTreeSet<String> {
    let mut taken = Paths::default();
    let mut fits = |path: &String| {
        let mut parts = path.split('/');
        parts.all(|part| part.len() <= NAME_MAX && !part.starts_with('.')) && taken.add(path).is_ok()
    };
    paths.into_iter().filter(|path| fits(path)).collect()
}

async fn store(folder: &std::path::Path, stop: CancellationToken) -> Storage {
    let secret = SecretString::from("a secret of the tests");
    let grant = depot::Grant { buckets: "pagefold-*".to_owned(), access: depot::Access::Write };
    let key = depot::Key { id: "tests".to_owned(), secret: secret.clone(), grants: vec![grant] };
    let (root, region) = (folder.join("depot"), "us-east-1".to_owned());
    let server = depot::Config { root, listen: "127.0.0.1:0".parse().unwrap(), region, keys: vec![key] };
    let server = depot::Depot::bind(server).await.unwrap();
    let endpoint = format!("http://{}", server.local_addr());
    tokio::spawn(server.run(stop));
    Storage::connect(&Config::new(endpoint, "us-east-1".to_owned(), "tests".to_owned(), secret))
}

#[test]
fn every_path_that_may_be_published_is() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (folder, stop) = (tempfile::tempdir().unwrap(), CancellationToken::new());
    let storage = runtime.block_on(store(folder.path(), stop.clone()));
    let config = ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() };
    let sites = proptest::collection::vec(path(), 1..40).prop_map(published);
    TestRunner::new(config)
        .run(&sites, |paths| {
            if !paths.is_empty() {
                runtime.block_on(survives(&storage, &paths));
            }
            Ok(())
        })
        .unwrap();
    stop.cancel();
}

async fn survives(storage: &Storage, paths: &BTreeSet<String>) {
    let checkout = tempfile::tempdir().unwrap();
    for path in paths {
        let file = checkout.path().join("_site").join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, path).unwrap();
    }
    let artifact = checkout.path().join("artifact.tar");
    let packed =
        pack(checkout.path(), fs::File::create(&artifact).unwrap(), &OutputLimits::default(), &Brought::default())
            .unwrap();
    assert_eq!(packed.files, paths.len() as u64);
    let (build, site) = (BuildId(Uuid::new_v4()), events::SiteId(Uuid::nil()));
    let bucket = storage.site(site);
    let id = DeployId::of(build);
    let dialect = events::event::RulesDialect::default();
    sync(storage, Wanted { id: id.clone(), site, build, dialect }, &artifact, &[]).await.unwrap();
    let manifest = bucket.manifest(&id).await.unwrap().unwrap();
    assert_eq!(manifest.iter().map(|entry| entry.path.clone()).collect::<BTreeSet<_>>(), *paths);
    // The longest tree there is.
    let tree = format!("preview/{}", "b".repeat(events::name::BRANCH_MAX));
    bucket.mirror(&tree, &manifest).await.unwrap();
    let listed = bucket.objects(&format!("{tree}/")).await.unwrap();
    let keys = listed.iter().map(|object| object.key[tree.len() + 1..].to_owned());
    assert_eq!(keys.collect::<BTreeSet<_>>(), *paths);
    bucket.remove_tree(&tree).await.unwrap();
    assert!(bucket.objects(&format!("{tree}/")).await.unwrap().is_empty(), "every key can be removed again");
}
