//! How a process ends: the first signal asks everything to finish, a deadline ends it.

use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// How long work in hand may take after a signal before it is left to another process.
pub const DRAIN_DEADLINE: Duration = Duration::from_secs(20);

/// Fires when the process is asked to end (SIGTERM or SIGINT).
///
/// # Errors
/// If the signals cannot be listened to.
pub fn on_signal() -> std::io::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let fired = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => tracing::info!("asked to end (SIGTERM), finishing work in hand"),
            _ = interrupt.recv() => tracing::info!("asked to end (SIGINT), finishing work in hand"),
        }
        fired.cancel();
    });
    Ok(stop)
}
