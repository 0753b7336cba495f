//! A folder becomes a deploy without git.

use journeys::{Platform, Site};
use serde_json::{Value, json};
use std::path::Path;

fn deploy(platform: &Platform, folder: &Path, arguments: &[&str]) -> Value {
    let folder = folder.to_str().unwrap();
    let told = platform.operator(&[&["deploy", folder, "--site", "uploaded", "--json"], arguments].concat());
    serde_json::from_str(&told).unwrap()
}

#[tokio::test]
async fn a_folder_is_shown_as_it_is_and_only_what_is_missing_is_sent() {
    let platform = Platform::shared().await;
    let site: Site<'_> = platform.site("uploaded", json!({})).await;
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("index.html", "a folder");
    write("deep/er/style.css", "p { margin: 0 }");
    write("deep/same.css", "p { margin: 0 }");
    write(".env", "KEY=secret");
    let first = deploy(&platform, folder.path(), &[]);
    assert_eq!((&first["files"], &first["uploaded"]), (&json!(3), &json!(2)), "{first}");
    site.serves("/", "a folder").await;
    site.serves("/deep/er/style.css", "margin").await;
    assert!(!platform.facts().iter().any(|fact| fact.data.to_string().contains("secret")));

    write("index.html", "a folder that changed");
    let second = deploy(&platform, folder.path(), &["--branch", "draft"]);
    assert_eq!(second["uploaded"], 1, "{second}");
    site.host("draft").serves("/", "a folder that changed").await;
    let live = site.live().serves("/", "a folder").await.text().to_owned();
    assert!(!live.contains("changed"), "the preview is no part of what is live");
    let again = deploy(&platform, folder.path(), &[]);
    assert_eq!(again["uploaded"], 0, "{again}");
    site.serves("/", "that changed").await;

    // The next push is newer source.
    site.push("main", [("index.html", "from git")]).await;
    site.serves("/", "from git").await;
    let told = platform.operator(&["events", "list", "--site", "uploaded", "--type", "build.requested"]);
    assert!(told.contains("folder uploaded for `main`: 3 files"), "{told}");
    std::os::unix::fs::symlink("/etc/hostname", folder.path().join("link")).unwrap();
    let leading = platform.try_operator(&["deploy", folder.path().to_str().unwrap(), "--site", "uploaded"]);
    let said = String::from_utf8_lossy(&leading.stderr).into_owned();
    assert!(said.contains("cannot show `link`") && said.contains("outside of the folder"), "{said}");
    let empty = tempfile::tempdir().unwrap();
    let refused = platform.try_operator(&["deploy", empty.path().to_str().unwrap(), "--site", "uploaded"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("no files"), "{refused:?}");
}
