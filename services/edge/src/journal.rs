//! The last good table on disk: what the edge serves until it has heard more.
//!
//! The file is a journal: its first line is a whole table, and each line after it says what has changed, so that to keep a
//! change costs what has changed and not what is there. When the changes have grown beyond the table before them, the next
//! line begins a new file. A line counts when it is whole; one that broke off in the end is as if it had not been begun.

use crate::files;
use crate::routes::{Changes, Routes};
use crate::table::Table;
use events::{Position, Recorded};
use runtime::error::BoxError;
use runtime::fold::{Home, Kept, State};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long a change of the table may go unsaved.
const SAVE_AFTER: Duration = Duration::from_secs(1);
/// The version of the lines' shape and of the table's meaning.
const VERSION: u32 = 5;
/// Changes up to this size are never a reason for a new file, in bytes.
const CHANGES_MIN: u64 = 64 << 10;

/// The file that holds it.
#[derive(Debug, Clone)]
pub(crate) struct Journal {
    path: PathBuf,
    written: Arc<Mutex<Option<Written>>>,
}

/// What this process has written, if the last time it could.
#[derive(Debug)]
struct Written {
    routes: Routes,
    /// Size of the first line, and of those after it, in bytes.
    whole: u64,
    changes: u64,
}

#[derive(Serialize, Deserialize)]
struct Line {
    version: u32,
    position: Position,
    unknown: BTreeMap<String, Position>,
    changes: Changes,
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

impl Journal {
    pub(crate) fn new(data_dir: &Path) -> Self {
        Self { path: data_dir.join("routes.jsonl"), written: Arc::default() }
    }

    /// Blocks.
    fn keep(&self, kept: &Kept<Table>) -> Result<(), BoxError> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let routes = kept.state.routes().clone();
        let appendable = written.take().filter(|written| written.changes <= written.whole.max(CHANGES_MIN));
        let earlier = appendable.as_ref().map(|written| written.routes.clone()).unwrap_or_default();
        let Kept { position, unknown, .. } = kept.clone();
        let line = Line { version: VERSION, position, unknown, changes: routes.changes_since(&earlier) };
        let mut text = serde_json::to_vec(&line)?;
        text.push(b'\n');
        let bytes = text.len() as u64;
        *written = Some(match appendable {
            Some(Written { whole, changes, .. }) => {
                append(&self.path, &text)?;
                Written { routes, whole, changes: changes + bytes }
            }
            None => {
                files::replace(&self.path, &text)?;
                Written { routes, whole: bytes, changes: 0 }
            }
        });
        Ok(())
    }
}

fn append(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).open(path)?;
    file.write_all(text)?;
    file.sync_data()
}

/// The table that the lines make. What comes after a line that is damaged is not there.
fn read(text: &[u8]) -> Option<Kept<Table>> {
    let (mut routes, mut last) = (Routes::default(), None);
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let Some(Line { position, unknown, changes, .. }) = parse(line) else { break };
        routes.change(changes);
        last = Some((position, unknown));
    }
    let (position, unknown) = last?;
    Some(Kept { position, unknown, state: Arc::new(Table::of(routes)) })
}

fn parse(line: &[u8]) -> Option<Line> {
    let whole = line.strip_suffix(b"\n")?;
    let version = serde_json::from_slice::<Version>(whole).map(|found| found.version);
    let parsed = match version {
        Ok(found) if found != VERSION => {
            tracing::info!(found, wanted = VERSION, "a table of another version is not used");
            return None;
        }
        Ok(_) => serde_json::from_slice(whole),
        Err(error) => Err(error),
    };
    parsed.inspect_err(|error| tracing::error!(%error, "a line of the last table cannot be read, it ends there")).ok()
}

impl Home<Table> for Journal {
    async fn read(&self) -> Result<Option<Kept<Table>>, BoxError> {
        let Some(text) = files::read(&self.path).await? else { return Ok(None) };
        Ok(tokio::task::spawn_blocking(move || read(&text)).await?)
    }

    /// What is written depends on what has changed alone.
    async fn write(&self, kept: Kept<Table>) -> Result<u64, BoxError> {
        let journal = self.clone();
        tokio::task::spawn_blocking(move || journal.keep(&kept)).await??;
        Ok(0)
    }
}

impl State for Table {
    const NAME: &'static str = "edge";
    const VERSION: u32 = VERSION;
    const SAVE_AFTER: Duration = SAVE_AFTER;

    fn apply(&mut self, recorded: &Recorded) -> bool {
        Self::apply(self, recorded)
    }
}

#[cfg(test)]
mod tests;
