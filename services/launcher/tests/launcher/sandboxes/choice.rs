//! Which sandbox is taken, and why one is not.

use super::place::docker;
use launcher::sandbox::{Config, Error, Kind, Sandbox};

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_image_is_named_with_its_remedy() {
    if docker().await.is_none() {
        return;
    }
    let config = Config { kind: Kind::Docker, image: "pagefold-none:never".to_owned(), ..Config::default() };
    let refused = Sandbox::detect(&config).await.err().unwrap();
    assert!(matches!(refused, Error::ImageMissing { .. }));
    assert!(refused.to_string().contains("just build-image"));
    let auto = Sandbox::detect(&Config { kind: Kind::Auto, ..config }).await.unwrap();
    assert_eq!(auto.name(), "bubblewrap");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_that_does_not_answer_is_an_error() {
    let config = Config {
        kind: Kind::Docker,
        docker_host: Some("unix:///nonexistent/docker.sock".to_owned()),
        ..Config::default()
    };
    assert!(matches!(Sandbox::detect(&config).await.err(), Some(Error::Docker { .. })));
}
