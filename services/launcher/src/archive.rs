//! The archive of logs in the object store, which is filled beside the builds: a store that does not answer keeps no slot.

use crate::launch::Launcher;
use crate::words::CANCELED;
use bytes::Bytes;
use events::build::Command;
use events::{Build, BuildId, Cause};
use runtime::build_log::{self, Chunk, OWN_MARK};
use runtime::{ExecuteError, Failure};
use std::time::Duration;

/// How long a log may wait for its turn and be archived before it comes again later.
const ARCHIVING_MAX: Duration = Duration::from_secs(30);
/// How long the store has to take a log, besides the time its bytes take on the slowest line that is to do. What it does not
/// take by then comes again later.
const ANSWER_MAX: Duration = Duration::from_secs(1);
const SLOWEST_BYTES_PER_SECOND: u64 = 256 * 1024;

impl Launcher {
    /// Moves the log of an ended build to the object store, if that has not been done, or fails soon.
    pub(crate) async fn archive_in_turn(&self, build: BuildId, cause: &Cause) -> Result<(), Failure> {
        let archiving = async {
            // A semaphore that nobody closes always has a turn in the end.
            let _turn = self.archiving.acquire().await;
            self.archive(build, cause).await
        };
        let archived = tokio::time::timeout(ARCHIVING_MAX, archiving).await;
        archived.unwrap_or_else(|_| Err(Failure::Retry("the log of the build waits for the store".into())))
    }

    async fn archive(&self, build: BuildId, cause: &Cause) -> Result<(), Failure> {
        let state = self.log.load::<Build>(&build.to_string()).await?.state;
        let Build::Ended { archived: false, outcome, .. } = state else { return Ok(()) };
        let mut chunks = build_log::read(self.log.connection(), build).await?;
        if outcome.is_none() && lacks_its_end(&chunks) {
            let mut writer = build_log::Writer::open(self.log.connection(), build).await?;
            writer.own_line(&format!("{OWN_MARK}{CANCELED}"));
            writer.flush().await?;
            chunks = build_log::read(self.log.connection(), build).await?;
        }
        let text: Vec<u8> = chunks.into_iter().flat_map(|chunk| chunk.text.to_vec()).collect();
        let (key, bytes) = (storage::keys::log(build), text.len() as u64);
        self.store_log(&key, text.into()).await?;
        let archived = Command::ArchiveLog { key, bytes };
        match self.log.execute::<Build>(&build.to_string(), &archived, cause).await {
            Ok(_) | Err(ExecuteError::Refused(_)) => Ok(()),
            Err(ExecuteError::Failed(error)) => Err(error.into()),
        }
    }

    /// Stores the log of a build that ended, or fails soon.
    async fn store_log(&self, key: &str, log: Bytes) -> Result<(), Failure> {
        let limit = ANSWER_MAX + Duration::from_secs(log.len() as u64 / SLOWEST_BYTES_PER_SECOND);
        match tokio::time::timeout(limit, self.platform.put_log(key, log)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) if !error.is_transient() => Err(Failure::Park(error.into())),
            Ok(Err(error)) => Err(Failure::Retry(error.into())),
            Err(_) => Err(Failure::Retry("the object store did not take the log of a build in time".into())),
        }
    }
}

/// Whether the log of a canceled build does not say so, because its launcher had died before. One that nobody has begun needs
/// no end.
fn lacks_its_end(chunks: &[Chunk]) -> bool {
    chunks.last().is_some_and(|last| !last.text.ends_with(format!("{OWN_MARK}{CANCELED}\n").as_bytes()))
}
