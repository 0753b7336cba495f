//! Holds a writer exactly before or after a fact, so that a test can kill something at that point.
//!
//! The folder named by [`FOLDER`] holds what is armed: a file such as `before-build.finished`. The first writer that comes
//! there renames it to `before-build.finished.reached`, so that it is taken once, and waits until that file is gone.
//! `before` is when the fact is decided and nothing of it is sent; `after` is when the log has acknowledged it and nobody
//! has been told. Only builds with debug assertions have this: a released platform must not stop because of a variable.

use events::{Event, Recorded};
use std::path::Path;
use std::time::Duration;

/// Names the folder.
const FOLDER: &str = "PAGEFOLD_HOLD";
/// How often the file is looked at while a writer waits.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// What is about to be appended.
pub(crate) async fn before(facts: &[Recorded]) {
    at("before", facts).await;
}

/// What was appended, before the caller knows.
pub(crate) async fn after(facts: &[Recorded]) {
    at("after", facts).await;
}

async fn at(moment: &str, facts: &[Recorded]) {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    for fact in facts {
        hold(folder.as_ref(), &point(moment, &fact.event)).await;
    }
}

fn point(moment: &str, event: &Event) -> String {
    let name = event.name();
    let name = name.rsplit_once('.').map_or(&*name, |(name, _version)| name);
    format!("{moment}-{name}")
}

async fn hold(folder: &Path, point: &str) {
    let reached = folder.join(format!("{point}.reached"));
    if std::fs::rename(folder.join(point), &reached).is_err() {
        return;
    }
    tracing::warn!(point, "held");
    while reached.exists() {
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;

    #[tokio::test]
    async fn a_point_holds_the_first_who_comes_until_it_is_released() {
        let folder = tempfile::tempdir().unwrap();
        let reached = folder.path().join("before-build.finished.reached");
        std::fs::write(folder.path().join("before-build.finished"), "").unwrap();

        assert!(hold(folder.path(), "after-build.finished").now_or_never().is_some(), "nothing is armed there");
        let mut held = Box::pin(hold(folder.path(), "before-build.finished"));
        assert!((&mut held).now_or_never().is_none() && reached.exists());
        assert!(hold(folder.path(), "before-build.finished").now_or_never().is_some(), "it is taken once");
        std::fs::remove_file(reached).unwrap();
        held.await;
    }
}
