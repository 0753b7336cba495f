//! Sites that begin from a template, in a repository that the platform keeps itself.

use journeys::{Browser, Platform, Visit, temporary_folder};
use reqwest::Method;
use serde_json::{Value, json};

async fn begin(platform: &Visit, name: &str, template: &str) {
    let wanted = json!({ "name": name, "organization": name, "template": template });
    let _ = platform.api().send(Method::POST, "/sites", &wanted).await.expect(201);
}

#[tokio::test]
async fn each_template_is_built_and_accessible_to_everybody() {
    let platform = Platform::shared().await;
    for template in ["plain", "11ty", "hugo"] {
        begin(&platform, &format!("from-{template}"), template).await;
    }
    let browser = Browser::start().await;
    for (template, second) in [("plain", "about.html"), ("11ty", "about/"), ("hugo", "about/")] {
        let site = platform.host(&format!("from-{template}"));
        site.serves("/", "It works").await;
        site.serves("/style.css", "body").await;
        for path in ["", second] {
            let address = format!("{}{path}", site.address());
            for dark in [false, true] {
                browser.dark(dark).await;
                browser.open(&address).await;
                let found = browser.axe().await;
                assert!(found.is_empty(), "{address}, dark: {dark}: {found:?}");
            }
        }
        let missing = site.get("/nowhere").await;
        assert_eq!(missing.status, 404, "{template}");
    }
}

#[tokio::test]
async fn an_edit_is_a_preview_until_it_is_published_by_the_command_line_as_well() {
    let platform = Platform::shared().await;
    begin(&platform, "edited", "plain").await;
    platform.host("edited").serves("/", "It works").await;
    let before: Value = platform.api().get("/sites/edited/source/index.html").await;
    let text = before["text"].as_str().unwrap().replace("It works", "It works better");
    let save = ["source", "save", "edited", "index.html", "--branch", "better", "--message", "Say more"];
    let data = platform.data();
    let home = temporary_folder();
    let saved = platform.as_user(home.path(), &[&save[..], &["--data", data.to_str().unwrap()]].concat(), &text);
    assert!(saved.status.success(), "{saved:?}");
    platform.host("better--edited").serves("/", "It works better").await;
    assert!(platform.host("edited").get("/").await.text().contains("It works<"));
    assert!(platform.operator(&["source", "list", "edited", "--branch", "better"]).contains("index.html"));
    assert!(platform.operator(&["source", "publish", "edited", "better"]).starts_with("main is at "));
    platform.host("edited").serves("/", "It works better").await;
    platform.host("better--edited").is_gone().await;
    assert_eq!(platform.operator(&["source", "show", "edited", "index.html"]), text);
}
