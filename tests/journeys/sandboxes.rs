//! The same promises by every sandbox that runs builds.

use journeys::Platform;
use serde_json::json;

/// Leaves out what needs Docker if it is `0`.
const TEST_DOCKER: &str = "PAGEFOLD_TEST_DOCKER";

#[tokio::test]
async fn docker_and_bubblewrap_make_the_same_deploy_of_the_same_source() {
    if std::env::var(TEST_DOCKER).is_ok_and(|value| value == "0") {
        return;
    }
    assert!(docker_is_ready(), "start a Docker engine and run `just build-image`, or set {TEST_DOCKER}=0");
    let bubblewrap = Platform::shared().await;
    let docker = Platform::start_with(&["--sandbox", "docker"]).await;
    let mut contents = Vec::new();
    for (platform, sandbox) in [(&*bubblewrap, "bubblewrap"), (&docker, "docker")] {
        let site = platform.site("contained", json!({})).await;
        site.publish(1, [("index.html", "contained"), ("a/b.css", "p { margin: 0 }"), (".well-known/x", "x")]).await;
        site.serves("/", "contained").await;
        let log = platform.api().log(&site.queued(1).await).await;
        assert!(log.contains(&format!("with {sandbox}\n")), "{log}");
        contents.push(site.deploy(1).await.content);
    }
    assert_eq!(contents[0], contents[1]);
}

fn docker_is_ready() -> bool {
    let inspected = std::process::Command::new("docker").args(["image", "inspect", "pagefold-build:bookworm"]).output();
    inspected.is_ok_and(|output| output.status.success())
}
