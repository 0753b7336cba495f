//! What a build says of its source.

use super::world::{Silent, World};
use events::event::{Author, Source};
use events::{BuildEvent, Outcome};
use launcher::Config;
use launcher::source::Space;

/// What a fact says that a build builds.
fn source(fact: BuildEvent) -> Option<Source> {
    if let BuildEvent::CheckedOut { source, .. } = fact { Some(source) } else { None }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_says_whether_its_source_was_fetched_for_it() {
    let (world, s3) = (World::new().await, Silent::listen().await);
    let _launched = world.launch(world.config(), s3.address).await;
    let repository = world.repository("failing", "exit 3");
    for whence in ["(fetched)", "(already here)"] {
        let build = world.dispatch(&repository).await;
        world.finished(build).await;
        let said = world.said(build).await;
        let line = said.lines().find(|line| line.contains("checked out")).unwrap();
        assert!(line.ends_with(&format!(" of main {whence}")), "{line}");
        let told: Vec<Source> = world.facts(build).await.into_iter().filter_map(source).collect();
        let [Source { title, author, .. }] = &told[..] else { panic!("{told:?}") };
        assert_eq!((title.as_str(), author), ("x", &Some(Author::Name("n".to_owned()))));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_too_large_fails_its_build_and_the_option_is_named() {
    let (world, s3) = (World::new().await, Silent::listen().await);
    let mirrors = Space { mirror_bytes: 16 << 10, ..Space::default() };
    let _launched = world.launch(Config { mirrors, ..world.config() }, s3.address).await;
    let repository = world.repository("large", "exit 3");
    let build = world.dispatch(&repository).await;
    let BuildEvent::Finished { outcome, reason, .. } = world.finished(build).await else { panic!() };
    let expected = format!(
        "The source could not be fetched: `{repository}` takes more than the 16384 bytes of disk that the mirror of a \
         repository may take (`--mirror-bytes`)."
    );
    assert_eq!((outcome, reason), (Outcome::Failure, expected));
}
