use super::{Error, OutputLimits, Packed, pack};
use crate::brought::Brought;
use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use storage::keys::PATH_MAX_BYTES;
use storage::path::Unfit;
use tempfile::TempDir;

/// A checkout with these files, and its folder of output.
fn checkout(files: &[(&str, &str)]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("_site")).unwrap();
    for (path, content) in files {
        write(root.path(), path, content);
    }
    root
}

fn write(root: &Path, path: &str, content: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn packed(root: &Path, limits: &OutputLimits) -> Result<(Packed, Vec<u8>), Error> {
    let mut bytes = Vec::new();
    pack(root, &mut bytes, limits, &Brought::default()).map(|packed| (packed, bytes))
}

fn contents(tar: &[u8]) -> BTreeMap<String, String> {
    let mut archive = tar::Archive::new(tar);
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let mut content = String::new();
        entry.read_to_string(&mut content).unwrap();
        (entry.path().unwrap().to_string_lossy().into_owned(), content)
    });
    entries.collect()
}

fn published(root: &Path) -> BTreeMap<String, String> {
    contents(&packed(root, &OutputLimits::default()).unwrap().1)
}

fn refusal(root: &Path) -> Error {
    packed(root, &OutputLimits::default()).unwrap_err()
}

#[test]
fn the_same_files_give_the_same_bytes_whatever_their_order_and_age() {
    let one = checkout(&[("_site/b.html", "b"), ("_site/a/x.css", "x"), ("_site/a.html", "a")]);
    let other = checkout(&[("_site/a.html", "a"), ("_site/a/x.css", "x"), ("_site/b.html", "b")]);
    let old = fs::File::options().write(true).open(other.path().join("_site/a.html")).unwrap();
    old.set_modified(std::time::UNIX_EPOCH).unwrap();
    let limits = OutputLimits::default();
    let (packed_one, bytes) = packed(one.path(), &limits).unwrap();
    assert_eq!((packed_one, bytes), packed(other.path(), &limits).unwrap());
    assert_eq!(packed_one, Packed { files: 3, bytes: 3 });
    let names: Vec<_> = published(one.path()).into_keys().collect();
    assert_eq!(names, ["a.html", "a/x.css", "b.html"]);
}

#[test]
fn hidden_and_build_files_are_left_out() {
    let root = checkout(&[
        ("_site/index.html", "i"),
        ("_site/.env", "secret"),
        ("_site/.git/config", "c"),
        ("_site/.well-known/security.txt", "s"),
        ("_site/Dockerfile", "d"),
        ("_site/pages.json", "p"),
        ("outside.html", "o"),
    ]);
    assert_eq!(published(root.path()).into_keys().collect::<Vec<_>>(), [".well-known/security.txt", "index.html"]);
}

#[test]
fn links_inside_the_checkout_are_followed() {
    let root = checkout(&[("_site/index.html", "i"), ("shared/logo.svg", "logo")]);
    symlink("../shared", root.path().join("_site/assets")).unwrap();
    symlink("/site/shared/logo.svg", root.path().join("_site/logo.svg")).unwrap();
    let found = published(root.path());
    assert_eq!(found.get("assets/logo.svg").map(String::as_str), Some("logo"));
    assert_eq!(found.get("logo.svg").map(String::as_str), Some("logo"));
}

#[test]
fn the_output_itself_may_be_a_link() {
    for target in ["packages/docs/dist", "/site/packages/docs/dist"] {
        let root = checkout(&[("packages/docs/dist/index.html", "i")]);
        fs::remove_dir(root.path().join("_site")).unwrap();
        symlink(target, root.path().join("_site")).unwrap();
        assert_eq!(published(root.path()).into_keys().collect::<Vec<_>>(), ["index.html"]);
    }
}

#[test]
fn a_link_out_of_the_checkout_is_refused_by_name() {
    for target in ["/etc/passwd", "../../../../../../etc/passwd", "/site/../etc/passwd", "nowhere", "self"] {
        let root = checkout(&[("_site/index.html", "i")]);
        symlink(target, root.path().join("_site/self")).unwrap();
        assert!(matches!(refusal(root.path()), Error::Escapes { path } if path == "self"), "{target}");
    }
    let root = checkout(&[]);
    fs::remove_dir(root.path().join("_site")).unwrap();
    symlink("/etc", root.path().join("_site")).unwrap();
    assert!(matches!(refusal(root.path()), Error::Escapes { .. }));
}

#[test]
fn a_link_through_a_linked_folder_cannot_climb_out() {
    let root = checkout(&[("_site/index.html", "i"), ("deep/er/x", "x")]);
    symlink("../deep/er", root.path().join("_site/er")).unwrap();
    symlink("er/../../../etc/passwd", root.path().join("_site/passwd")).unwrap();
    assert!(matches!(refusal(root.path()), Error::Escapes { path } if path == "passwd"));
}

#[test]
fn a_folder_that_contains_itself_is_refused() {
    let root = checkout(&[("_site/index.html", "i")]);
    symlink("..", root.path().join("_site/up")).unwrap();
    assert!(matches!(refusal(root.path()), Error::Endless { .. }));
}

#[test]
fn a_special_file_is_refused_without_opening_it() {
    let root = checkout(&[("_site/index.html", "i")]);
    let pipe = root.path().join("_site/pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert!(matches!(refusal(root.path()), Error::Special { path } if path == "pipe"));
}

#[test]
fn no_output_and_empty_output_differ() {
    let root = checkout(&[]);
    assert!(matches!(refusal(root.path()), Error::Empty));
    fs::remove_dir(root.path().join("_site")).unwrap();
    assert!(matches!(refusal(root.path()), Error::Missing));
    fs::write(root.path().join("_site"), "a file").unwrap();
    assert!(matches!(refusal(root.path()), Error::Missing));
}

#[test]
fn each_limit_holds_exactly() {
    let root = checkout(&[("_site/a.html", "aa"), ("_site/b.html", "bb")]);
    let exact = OutputLimits { files: 2, bytes: 4 };
    assert!(packed(root.path(), &exact).is_ok());
    let too_small = |limits: OutputLimits| packed(root.path(), &limits).unwrap_err();
    assert!(matches!(too_small(OutputLimits { files: 1, ..exact.clone() }), Error::ManyFiles { limit: 1 }));
    assert!(matches!(too_small(OutputLimits { bytes: 3, ..exact.clone() }), Error::ManyBytes { limit: 3 }));
}

#[test]
fn folders_are_bounded_too() {
    let root = checkout(&[("_site/index.html", "i")]);
    for name in 0..5 {
        fs::create_dir(root.path().join(format!("_site/{name}"))).unwrap();
    }
    let limits = OutputLimits { files: 3, ..OutputLimits::default() };
    assert!(matches!(packed(root.path(), &limits), Err(Error::ManyFiles { limit: 3 })));
}

#[test]
fn long_paths_survive_the_archive() {
    let long = format!("_site/{}/{}.html", "d".repeat(120), "f".repeat(120));
    let root = checkout(&[(&long, "long")]);
    let found = published(root.path());
    assert_eq!(found.get(long.strip_prefix("_site/").unwrap()).map(String::as_str), Some("long"));
}

#[test]
fn a_path_that_cannot_be_published_fails_the_build_by_name() {
    let long = format!("{}/index.html", ["d"; 40].map(|part| part.repeat(20)).join("/"));
    assert!(long.len() > PATH_MAX_BYTES);
    for (path, why, said) in [
        ("a\nb.html", Unfit::Control, "the path of `a\\nb.html` has a control character, such as a line end"),
        ("a\\b.html", Unfit::Backslash, "has a backslash"),
        ("tab\tbed/index.html", Unfit::Control, "tab\\tbed"),
        (&long, Unfit::Long, "is longer than 765 bytes"),
    ] {
        let root = checkout(&[("_site/index.html", "i"), (&format!("_site/{path}"), "x")]);
        let refused = refusal(root.path());
        assert!(matches!(&refused, Error::Path { why: found, .. } if *found == why), "{refused:?}");
        assert!(refused.to_string().contains(said), "{refused}");
        assert!(!refused.is_retryable());
    }
}

#[test]
fn a_name_that_is_no_text_fails_the_build_unless_it_is_hidden() {
    use std::os::unix::ffi::OsStrExt as _;
    let root = checkout(&[("_site/index.html", "i")]);
    let name = |bytes: &[u8]| root.path().join("_site").join(std::ffi::OsStr::from_bytes(bytes));
    fs::write(name(b".\xff"), "hidden").unwrap();
    assert_eq!(published(root.path()).len(), 1);
    fs::write(name(b"\xff.html"), "x").unwrap();
    assert!(matches!(refusal(root.path()), Error::Path { why: Unfit::Encoding, .. }));
}

#[test]
fn limits_are_told_in_words_that_fit_their_number() {
    assert_eq!(Error::ManyFiles { limit: 1 }.to_string(), "the output has more than 1 file");
    assert_eq!(Error::ManyBytes { limit: 4 }.to_string(), "the output has more than 4 bytes");
}

#[test]
fn what_the_repository_says_of_its_pages_is_heard_and_goes_with_them() {
    let root = checkout(&[
        ("_site/index.html", "i"),
        ("_site/drafts/a.html", "a"),
        ("_site/drafts/open.html", "o"),
        ("_site/.hidden/told.txt", "t"),
        ("_site/.hidden/other.txt", "x"),
        ("_site/.git/told.txt", "g"),
        ("_site/pages.json", "of the pages"),
        (
            "pages.json",
            r#"{"excludePaths": ["/drafts/*"], "includePaths": ["/drafts/open.html", "/.hidden/told.txt", "*/pages.json"]}"#,
        ),
    ]);
    symlink("nowhere", root.path().join("_site/drafts/lost")).unwrap();
    let brought = Brought::from(root.path()).unwrap();
    let mut tar = Vec::new();
    let packed = pack(root.path(), &mut tar, &OutputLimits::default(), &brought).unwrap();
    let found = contents(&tar);
    let paths: Vec<&str> = found.keys().map(String::as_str).collect();
    assert_eq!(paths, [".hidden/told.txt", "drafts/open.html", "index.html", "pages.json"]);
    assert!(found["pages.json"].contains("excludePaths"), "it is the repository's");
    assert_eq!(packed.files, 3, "it is none of the pages");
}
