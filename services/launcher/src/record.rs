//! Takes the lines of a build and sends them to its log, a few times a second, so that a watcher sees them grow.

use runtime::build_log::Writer;
use std::time::Duration;
use tokio::sync::mpsc;

/// How long a line waits for others to travel with.
const FLUSH_EVERY: Duration = Duration::from_millis(250);
/// Lines on their way at most; a build that prints faster waits.
const LINES_MAX: usize = 256;
/// How often the last lines are tried to be sent before they are given up.
const FLUSH_TRIES: usize = 5;

/// The way lines go in. The record ends with its last clone.
#[derive(Clone)]
pub(crate) struct Record(mpsc::Sender<String>);

impl Record {
    /// Starts to write; the future ends when every line has been sent.
    pub(crate) fn start(writer: Writer) -> (Self, impl Future<Output = ()>) {
        let (sender, receiver) = mpsc::channel(LINES_MAX);
        let task = tokio::spawn(write(writer, receiver));
        (Self(sender), async {
            if task.await.is_err() {
                tracing::error!("the log of a build was cut off");
            }
        })
    }

    /// Adds a line of the launcher's own.
    pub(crate) async fn say(&self, line: impl Into<String>) {
        // Without a reader there is nobody to tell.
        let _ = self.0.send(format!("[pagefold] {}", line.into())).await;
    }

    /// Where a container's lines go.
    pub(crate) fn lines(&self) -> mpsc::Sender<String> {
        self.0.clone()
    }
}

async fn write(mut writer: Writer, mut lines: mpsc::Receiver<String>) {
    let mut ticks = tokio::time::interval(FLUSH_EVERY);
    loop {
        let sent = tokio::select! {
            line = lines.recv() => match line {
                Some(line) => writer.line(&line).await,
                None => break,
            },
            _ = ticks.tick() => writer.flush().await,
        };
        if let Err(error) = sent {
            tracing::warn!(%error, "lines of a build wait for the log");
        }
    }
    for _ in 0..FLUSH_TRIES {
        match writer.flush().await {
            Ok(()) => return,
            Err(error) => tracing::warn!(%error, "the last lines of a build wait for the log"),
        }
    }
}
