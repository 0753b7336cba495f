//! How long a story waits, and for what.

use std::time::Duration;

/// Nothing that works takes this long, even where many tests share two cores.
pub const DEADLINE: Duration = Duration::from_secs(120);
/// How often a condition is looked at that no fact announces.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Looks until there is something to see. Only for what no fact announces: that a page is served, that a process is gone.
///
/// # Panics
/// If the deadline passes; `what` says what was waited for.
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    let found = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    let found = tokio::time::timeout(DEADLINE, found).await;
    found.unwrap_or_else(|_| panic!("waited {} seconds for {what}", DEADLINE.as_secs()))
}
