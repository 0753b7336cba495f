use super::{Caches, Kept, Name, Refused, Space, print_of};
use crate::spec::Inputs;
use crate::variables::Variables;
use crate::workspace::Workspace;
use events::{AliasName, Recipe, SiteEngine, SiteId};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

struct Place {
    folder: TempDir,
    site: SiteId,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), site: SiteId(runtime::clock::new_id()) }
    }

    fn caches(&self, space: Space) -> Caches {
        Caches::open(self.folder.path().join("caches"), space, 0).unwrap()
    }

    fn name(&self, alias: &str) -> Name {
        let inputs = Inputs {
            build: "b".to_owned(),
            site: "docs".to_owned(),
            branch: "main".to_owned(),
            commit: "a".repeat(40),
            repository_url: String::new(),
            engine: SiteEngine::Static,
            recipe: Recipe::default(),
            alias: alias.parse::<AliasName>().unwrap(),
            workspace: Workspace::create(self.folder.path().join("build")).unwrap(),
            variables: Variables::default(),
        };
        Name::of_build(self.site, &inputs, "docker").unwrap()
    }

    /// A folder with this text in it.
    fn left(&self, text: &str) -> PathBuf {
        let folder = tempfile::tempdir_in(self.folder.path()).unwrap().keep();
        fs::create_dir(folder.join("npm")).unwrap();
        fs::write(folder.join("npm/packages"), text).unwrap();
        folder
    }

    fn empty(&self) -> PathBuf {
        tempfile::tempdir_in(self.folder.path()).unwrap().keep()
    }
}

fn read(folder: &Path) -> Option<String> {
    fs::read_to_string(folder.join("npm/packages")).ok()
}

#[tokio::test]
async fn what_a_build_leaves_is_there_for_those_of_its_name_and_nobody_else() {
    let place = Place::new();
    let caches = place.caches(Space::default());
    let bytes = caches.keep(&place.name("live"), 7, &place.left("one")).await.unwrap();
    let (own, other) = (place.empty(), place.empty());
    let kept = caches.restore(&place.name("live"), None, &own).await.unwrap();
    assert_eq!((kept, read(&own)), (Some(Kept { number: 7, bytes }), Some("one".to_owned())));
    assert_eq!(caches.restore(&place.name("preview/fix"), None, &other).await.unwrap(), None);
    assert_eq!(read(&other), None);
}

#[tokio::test]
async fn the_newest_build_s_is_taken_whichever_ends_last_and_the_others_are_gone() {
    let place = Place::new();
    let (caches, name) = (place.caches(Space::default()), place.name("live"));
    for (number, text) in [(2, "second"), (3, "third"), (1, "first")] {
        caches.keep(&name, number, &place.left(text)).await.unwrap();
    }
    let into = place.empty();
    caches.restore(&name, None, &into).await.unwrap();
    assert_eq!(read(&into).as_deref(), Some("third"));
    let site = place.folder.path().join("caches").join(place.site.to_string());
    assert_eq!(fs::read_dir(site).unwrap().count(), 1);
}

#[tokio::test]
async fn what_was_cleared_is_not_restored() {
    let place = Place::new();
    let (caches, name) = (place.caches(Space::default()), place.name("live"));
    caches.keep(&name, 4, &place.left("four")).await.unwrap();
    assert_eq!(caches.restore(&name, Some(5), &place.empty()).await.unwrap(), None);
    assert!(caches.restore(&name, Some(4), &place.empty()).await.unwrap().is_some());
}

#[tokio::test]
async fn what_is_larger_than_a_site_may_keep_is_not_kept_and_the_former_stays() {
    let place = Place::new();
    let (caches, name) = (place.caches(Space { site_bytes: 64 << 10, ..Space::default() }), place.name("live"));
    caches.keep(&name, 1, &place.left("small")).await.unwrap();
    let refused = caches.keep(&name, 2, &place.left(&"x".repeat(100 << 10))).await.unwrap_err();
    assert!(matches!(refused, Refused::TooLarge(limit) if limit == 64 << 10), "{refused}");
    let into = place.empty();
    assert_eq!(caches.restore(&name, None, &into).await.unwrap().map(|kept| kept.number), Some(1));
    let site = place.folder.path().join("caches").join(place.site.to_string());
    assert_eq!(fs::read_dir(site).unwrap().count(), 1, "nothing half-written is left");
}

#[tokio::test]
async fn an_archive_that_cannot_be_read_is_removed_and_leaves_nothing_behind() {
    let place = Place::new();
    let (caches, name) = (place.caches(Space::default()), place.name("live"));
    caches.keep(&name, 1, &place.left(&"x".repeat(100 << 10))).await.unwrap();
    let archive = place.folder.path().join("caches").join(place.site.to_string()).join(name.of(1));
    let whole = fs::read(&archive).unwrap();
    fs::write(&archive, &whole[..whole.len() / 2]).unwrap();
    let into = place.empty();
    caches.restore(&name, None, &into).await.unwrap_err();
    assert_eq!(fs::read_dir(&into).unwrap().count(), 0);
    assert_eq!(caches.restore(&name, None, &into).await.unwrap(), None);
}

#[tokio::test]
async fn a_link_in_a_cache_leads_nothing_out_of_it() {
    let place = Place::new();
    let (caches, name) = (place.caches(Space::default()), place.name("live"));
    let (outside, left) = (place.empty(), place.empty());
    std::os::unix::fs::symlink(&outside, left.join("npm")).unwrap();
    caches.keep(&name, 1, &left).await.unwrap();
    let into = place.empty();
    caches.restore(&name, None, &into).await.unwrap();
    assert_eq!(fs::read_link(into.join("npm")).unwrap(), outside, "it is kept as a link");
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
}

#[tokio::test]
async fn a_print_tells_whether_anything_was_changed() {
    let place = Place::new();
    assert_eq!(print_of(&place.empty()).await, None);
    let (caches, name) = (place.caches(Space::default()), place.name("live"));
    caches.keep(&name, 1, &place.left("one")).await.unwrap();
    let into = place.empty();
    caches.restore(&name, None, &into).await.unwrap();
    let before = print_of(&into).await;
    assert!(before.is_some());
    assert_eq!(print_of(&into).await, before);
    fs::write(into.join("npm/more"), "").unwrap();
    assert_ne!(print_of(&into).await, before);
}
