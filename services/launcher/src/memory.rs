//! What this launcher remembers of its attempts, on disk: whether the work of one has begun, and how it ended.
//!
//! An attempt whose work has not begun is gone on with, not counted again; and an end that could not be appended is
//! appended later, not built again.

use crate::blocking;
use events::BuildId;
use events::build::Report;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::PathBuf;

/// How far an attempt has come, as far as this machine knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Known {
    /// No work was done.
    Nothing,
    /// Its work has begun, and nobody knows how far it came.
    Begun,
    /// It ended so.
    Ended(Box<Report>),
}

/// The notes, a file for each.
#[derive(Debug, Clone)]
pub(crate) struct Memory {
    folder: PathBuf,
}

impl Memory {
    pub(crate) fn open(folder: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        Ok(Self { folder })
    }

    /// What is known of an attempt. What cannot be read counts as work that has begun.
    pub(crate) async fn recall(&self, build: BuildId, number: u32) -> Known {
        let note = self.note(build, number);
        let read = blocking(move || fs::read(note)).await;
        match read {
            Ok(text) => serde_json::from_slice(&text).map_or(Known::Begun, Known::Ended),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Known::Nothing,
            Err(_) => Known::Begun,
        }
    }

    /// Notes that the work of an attempt begins.
    pub(crate) async fn begin(&self, build: BuildId, number: u32) -> io::Result<()> {
        let note = self.note(build, number);
        blocking(move || File::create(note)?.sync_all()).await
    }

    /// Notes how an attempt ended, whole or not at all.
    pub(crate) async fn end(&self, build: BuildId, report: &Report) -> io::Result<()> {
        let (note, text) = (self.note(build, report.attempt), serde_json::to_vec(report)?);
        let partial = note.with_extension("part");
        let write = move || {
            let mut file = File::create(&partial)?;
            file.write_all(&text)?;
            file.sync_all()?;
            fs::rename(partial, note)
        };
        blocking(write).await
    }

    /// Forgets every attempt at a build.
    pub(crate) async fn forget(&self, build: BuildId) -> io::Result<()> {
        let (memory, prefix) = (self.clone(), format!("{build}-"));
        let forget = move || {
            let notes = fs::read_dir(&memory.folder)?.filter_map(Result::ok);
            for note in notes.filter(|note| note.file_name().to_string_lossy().starts_with(&prefix)) {
                fs::remove_file(note.path())?;
            }
            Ok(())
        };
        blocking(forget).await
    }

    /// The builds of which something is remembered.
    pub(crate) async fn builds(&self) -> io::Result<Vec<BuildId>> {
        let folder = self.folder.clone();
        let list = move || {
            let names = fs::read_dir(folder)?.filter_map(|note| note.ok()?.file_name().into_string().ok());
            let mut builds: Vec<BuildId> = names.filter_map(|name| name.rsplit_once('-')?.0.parse().ok()).collect();
            builds.sort_unstable();
            builds.dedup();
            Ok(builds)
        };
        blocking(list).await
    }

    fn note(&self, build: BuildId, number: u32) -> PathBuf {
        self.folder.join(format!("{build}-{number}.json"))
    }
}

#[cfg(test)]
mod tests {
    use super::{Known, Memory};
    use events::Outcome;
    use events::build::Report;

    #[tokio::test]
    async fn what_is_noted_is_known_in_the_next_life_until_it_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let memory = || Memory::open(folder.path().join("attempts")).unwrap();
        let build = "0192f0c8-5d5b-7cc1-8000-000000000001".parse().unwrap();
        assert_eq!(memory().recall(build, 1).await, Known::Nothing);
        memory().begin(build, 1).await.unwrap();
        assert_eq!(memory().recall(build, 1).await, Known::Begun);
        assert_eq!(memory().recall(build, 2).await, Known::Nothing);
        let report = Report {
            attempt: 1,
            commit: Some("a".repeat(40).parse().unwrap()),
            outcome: Outcome::Failure,
            reason: "The build failed with exit code 3.".to_owned(),
            hint: None,
            artifact: None,
            duration_ms: 7,
            steps: Vec::new(),
            resources: None,
        };
        memory().end(build, &report).await.unwrap();
        assert_eq!(memory().recall(build, 1).await, Known::Ended(report.into()));
        assert_eq!(memory().builds().await.unwrap(), [build]);
        memory().forget(build).await.unwrap();
        assert_eq!(memory().recall(build, 1).await, Known::Nothing);
        assert!(memory().builds().await.unwrap().is_empty());
    }
}
