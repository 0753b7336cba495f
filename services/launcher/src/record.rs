//! Takes the lines of a build and sends them to its log, a few times a second, so that a watcher sees them grow.
//!
//! Every line says whose it is by what it begins with. A build's lines are marked here, after they are complete, so it can
//! write nothing that begins like ours.

use crate::lines::visible;
use futures::FutureExt;
use futures::future::{BoxFuture, OptionFuture};
use runtime::build_log::Writer;
use runtime::clock;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use time::OffsetDateTime;
use tokio::sync::{mpsc, oneshot};
use tokio::time::MissedTickBehavior;

/// What each line of the launcher's own begins with.
const OWN_MARK: &str = runtime::build_log::OWN_MARK;
/// What each line of a build's begins with.
const BUILD_MARK: &str = "| ";
/// How long a line waits for others to travel with.
const FLUSH_EVERY: Duration = Duration::from_millis(250);
/// Lines on their way at most; a build that prints faster waits.
const LINES_MAX: usize = 256;
/// Lines of the build that are kept to tell why it failed, and how much of each, in bytes.
const KEPT: usize = 100;
const KEPT_BYTES: usize = 1024;
/// What our script says when it has installed what the build needs, see `build.sh`. A build that says so itself is wrong about
/// nothing but its own times.
const READY: [&str; 7] = [
    "[build] npm run ",
    "[build] pnpm run ",
    "[build] yarn run ",
    "[build] hugo",
    "[build] jekyll build",
    "[build] static files",
    "[build] the command of the site",
];
/// How often the last lines are tried to be sent before they are given up.
const FLUSH_TRIES: usize = 5;

/// The way lines go in. The record ends with its last clone.
#[derive(Clone)]
pub(crate) struct Record {
    own: mpsc::Sender<Own>,
    build: mpsc::Sender<String>,
    kept: Kept,
}

/// The last lines of the build, and when it said that all it needs is there.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<(VecDeque<String>, Option<OffsetDateTime>)>>);

impl Kept {
    fn ready_at(&self) -> Option<OffsetDateTime> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1.take()
    }

    fn keep(&self, line: &str) {
        let (lines, ready_at) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == KEPT {
            lines.pop_front();
        }
        if ready_at.is_none() && READY.iter().any(|ready| line.starts_with(ready)) {
            *ready_at = Some(clock::now());
        }
        lines.push_back(line[..line.floor_char_boundary(KEPT_BYTES)].to_owned());
    }
}

/// Lines of our own, and who waits until they have their place.
struct Own {
    text: String,
    placed: oneshot::Sender<()>,
}

impl Record {
    /// Starts to write; the future ends when every line has been sent.
    pub(crate) fn start(writer: Writer) -> (Self, impl Future<Output = ()>) {
        let ((own, own_lines), (build, build_lines)) = (mpsc::channel(1), mpsc::channel(LINES_MAX));
        let kept = Kept::default();
        let task = tokio::spawn(write(Lines { writer, kept: kept.clone() }, own_lines, build_lines));
        (Self { own, build, kept }, async {
            if task.await.is_err() {
                tracing::error!("the log of a build was cut off");
            }
        })
    }

    /// Adds a line of the launcher's own, behind every line that the build had sent before.
    pub(crate) async fn say(&self, line: impl Into<String>) {
        let (placed, wait) = oneshot::channel();
        // Without a reader there is nobody to tell.
        if self.own.send(Own { text: line.into(), placed }).await.is_ok() {
            let _ = wait.await;
        }
    }

    /// The last lines that the build has printed, once all that it had sent are in their place.
    pub(crate) async fn last(&self) -> Vec<String> {
        self.say("").await;
        self.kept.0.lock().unwrap_or_else(PoisonError::into_inner).0.iter().cloned().collect()
    }

    /// When the build had all that it needs, once what it had sent is in its place; asked once for each container.
    pub(crate) async fn ready_at(&self) -> Option<OffsetDateTime> {
        if let Some(ready_at) = self.kept.ready_at() {
            return Some(ready_at);
        }
        self.say("").await;
        self.kept.ready_at()
    }

    /// Where a container's lines go.
    pub(crate) fn lines(&self) -> mpsc::Sender<String> {
        self.build.clone()
    }
}

/// Where lines go.
struct Lines {
    writer: Writer,
    kept: Kept,
}

impl Lines {
    fn of_build(&mut self, line: &str) {
        self.kept.keep(line);
        self.writer.line(&of_build(line));
    }
}

/// Takes lines as they come, and sends them meanwhile: however long the log is silent, nobody waits for it but a build whose
/// lines fill a message.
async fn write(mut lines: Lines, mut own: mpsc::Receiver<Own>, mut build: mpsc::Receiver<String>) {
    let mut ticks = tokio::time::interval(FLUSH_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut sending = None;
    loop {
        tokio::select! {
            said = own.recv() => match said {
                Some(own) => say(&mut lines, own, &mut build),
                None => break,
            },
            Some(line) = build.recv(), if !lines.writer.is_behind() => lines.of_build(&line),
            _ = ticks.tick(), if sending.is_none() => sending = next(&mut lines.writer),
            Some(sent) = OptionFuture::from(sending.as_mut()) => sending = go_on(&mut lines.writer, sent),
        }
    }
    // Nobody speaks any more but a build whose last lines are on their way.
    while let Some(line) = build.recv().await {
        lines.of_build(&line);
    }
    for _ in 0..FLUSH_TRIES {
        match lines.writer.flush().await {
            Ok(()) => return,
            Err(error) => tracing::warn!(%error, "the last lines of a build wait for the log"),
        }
    }
}

type Sending = BoxFuture<'static, Result<(), runtime::Error>>;

fn next(writer: &mut Writer) -> Option<Sending> {
    writer.next_piece().map(|piece| piece.send().boxed())
}

/// What follows a piece that was sent: the next at once if a whole one waits. After an error the next tick is soon enough.
fn go_on(writer: &mut Writer, sent: Result<(), runtime::Error>) -> Option<Sending> {
    if let Err(error) = sent {
        tracing::warn!(%error, "lines of a build wait for the log");
        return None;
    }
    writer.sent();
    if writer.is_behind() { next(writer) } else { None }
}

/// Writes lines of our own behind those that have arrived, however fast others follow.
fn say(lines: &mut Lines, own: Own, build: &mut mpsc::Receiver<String>) {
    for _ in 0..build.len() {
        let Ok(line) = build.try_recv() else { break };
        lines.of_build(&line);
    }
    for line in of_launcher(&own.text) {
        lines.writer.own_line(&line);
    }
    let _ = own.placed.send(());
}

fn of_build(line: &str) -> String {
    format!("{BUILD_MARK}{line}")
}

/// What we say may quote others, such as a git server: each line of it is marked.
fn of_launcher(text: &str) -> impl Iterator<Item = String> {
    text.split(['\n', '\r']).filter(|line| !line.is_empty()).map(|line| format!("{OWN_MARK}{}", visible(line)))
}

#[cfg(test)]
mod tests;
