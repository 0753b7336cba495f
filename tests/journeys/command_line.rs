//! What people do with their sites from a command line.

use journeys::Platform;
use serde_json::{Value, json};

#[tokio::test]
async fn a_site_is_built_followed_and_rolled_back_from_a_command_line() {
    let platform = Platform::shared().await;
    let site = platform.site("terminal", json!({})).await;
    site.publish(1, [("index.html", "first")]).await;
    site.publish(2, [("index.html", "second")]).await;

    let listed: Value = serde_json::from_str(&platform.operator(&["sites", "--json"])).unwrap();
    assert!(listed.as_array().unwrap().iter().any(|listed| listed["name"] == "terminal"), "{listed}");
    let found = |search: &str| platform.operator(&["sites", "--search", search]);
    assert!(found("Termina").starts_with("terminal  ") && found("no & such").is_empty());
    // The first build, of a repository that was empty, has failed.
    let builds = platform.operator(&["builds", "terminal"]);
    let first = builds.lines().next().unwrap();
    assert!(first.starts_with("3  success  main  "), "{builds}");
    let log = platform.operator(&["logs", "terminal", "--follow"]);
    assert!(log.contains("[pagefold] done: 1 file"), "{log}");
    let address = platform.operator(&["open", "terminal"]);
    assert!(address.starts_with("http://terminal."), "{address}");

    let told = platform.operator(&["rollback", "terminal"]);
    assert!(told.starts_with("live shows deploy ") && told.contains(" of build 2: "), "{told}");
    site.serves("/", "first").await;
    let newest = site.deploy(2).await;
    let told = platform.operator(&["promote", "terminal", &newest.id]);
    assert!(told.contains(" of build 3: "), "{told}");
    site.serves("/", "second").await;

    let refused = platform.try_operator(&["builds", "nowhere"]);
    assert_eq!(refused.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&refused.stderr), "pagefold: there is no such site (site_not_found)\n");
}

#[tokio::test]
async fn a_login_is_kept_for_its_owner_and_forgotten() {
    let platform = Platform::shared().await;
    let home = tempfile::tempdir().unwrap();
    let user = |arguments: &[&str], input: &str| platform.as_user(home.path(), arguments, input);
    let (web, token) = (platform.web(), platform.token());
    let denied = user(&["login", web], "guessed\n");
    assert!(String::from_utf8_lossy(&denied.stderr).contains("(unauthorized)"), "{denied:?}");
    let entered = user(&["login", web], &format!("{token}\n"));
    let told = String::from_utf8_lossy(&entered.stdout).into_owned();
    assert_eq!(told, format!("signed in to {web} as operator\n"), "{entered:?}");
    assert!(user(&["sites"], "").status.success());
    let kept = home.path().join("pagefold/login.json");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&kept).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    assert!(user(&["logout"], "").status.success() && !kept.exists());
    assert!(!user(&["sites"], "").status.success());
}

#[tokio::test]
async fn who_signed_in_reads_the_history_without_the_operators_access_to_the_log() {
    let platform = Platform::shared().await;
    let (home, site) = (tempfile::tempdir().unwrap(), platform.site("journal", json!({})).await);
    site.publish(1, [("index.html", "first")]).await;
    let user = |arguments: &[&str], input: &str| platform.as_user(home.path(), arguments, input);
    assert!(user(&["login", platform.web()], &format!("{}\n", platform.token())).status.success());
    let told = |arguments: &[&str]| {
        let output = user(arguments, "");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let events = told(&["events", "list", "--site", "journal"]);
    let (newest, oldest) = (events.lines().next().unwrap(), events.lines().last().unwrap());
    assert!(newest.contains("journal") && oldest.contains("site `journal` created"), "{events}");
    let sequence = oldest.split_whitespace().next().unwrap();
    let shown: Value = serde_json::from_str(&told(&["events", "show", sequence])).unwrap();
    assert_eq!(shown["type"], "dev.pagefold.site.created.v1", "{shown}");
    assert!(told(&["site", "show", "journal"]).contains("main"));
    assert!(told(&["organization", "show", "journal"]).contains("journal"));
    let tail = user(&["events", "tail"], "");
    assert!(
        !tail.status.success() && String::from_utf8_lossy(&tail.stderr).contains("the operator's access"),
        "{tail:?}"
    );
}

#[tokio::test]
async fn a_link_for_its_owner_and_the_people_who_are_known_are_printed() {
    let platform = Platform::shared().await;
    let link = platform.operator(&["sign-in-link"]);
    assert!(link.starts_with(&format!("{}/sign-in/", platform.web())), "{link}");
    assert_eq!(platform.operator(&["people", "list", "--json"]).trim(), "[]");
    let nobody = platform.try_operator(&["people", "erase", "00000000-0000-4000-8000-000000000000"]);
    assert!(String::from_utf8_lossy(&nobody.stderr).contains("(user_not_found)"), "{nobody:?}");
}
