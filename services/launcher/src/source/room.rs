//! What git may write while it works on one source. It is watched, and what was too much is removed.
//!
//! One long file is stopped by the kernel at its bound; many files are found by looking, once a second and when git has ended.

use super::address::Address;
use super::shelf::Held;
use super::{Config, Error};
use crate::blocking;
use crate::disk::{Bounds, Excess, MEASURE_EVERY};
use crate::workspace::Workspace;
use std::fs;
use std::path::{Path, PathBuf};

/// The room that one source has on the disk.
pub(super) struct Room<'a> {
    address: &'a Address,
    held: &'a Held,
    mirror: Bounds,
    tree: Option<Bounds>,
}

impl<'a> Room<'a> {
    pub(super) fn new(config: &Config, address: &'a Address, held: &'a Held) -> Self {
        let mirror = Bounds {
            folders: vec![held.folder.clone()],
            bytes: config.space.mirror_bytes,
            files: u64::MAX,
            reserve_bytes: config.limits.disk_reserve_bytes,
        };
        Self { address, held, mirror, tree: None }
    }

    /// With a folder for the checkout, which is part of what the build may take.
    pub(super) fn with_tree(self, config: &Config, tree: &Path) -> Self {
        let limits = &config.limits;
        let tree = Bounds {
            folders: vec![tree.to_owned()],
            bytes: limits.disk_bytes,
            files: limits.disk_files,
            reserve_bytes: limits.disk_reserve_bytes,
        };
        Self { tree: Some(tree), ..self }
    }

    /// Does `work`, and stops it as soon as it has taken too much.
    pub(super) async fn keep<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let done = tokio::select! {
            done = work => done,
            error = self.exceeded() => Err(error),
        };
        let error = match done {
            // The checkout is looked at again as soon as its build runs.
            Ok(done) => match self.mirror.look().await {
                None => return Ok(done),
                Some(excess) => self.of_mirror(excess),
            },
            Err(error) if error.is_about_room() => error,
            // What git says of a file that the kernel would not let grow tells nobody why.
            Err(error) => self.look().await.unwrap_or(error),
        };
        self.clear(&error).await;
        Err(error)
    }

    async fn exceeded(&self) -> Error {
        tokio::time::sleep(MEASURE_EVERY).await;
        let tree = async {
            match &self.tree {
                Some(tree) => tree.exceeded().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            excess = self.mirror.exceeded() => self.of_mirror(excess),
            excess = tree => of_tree(excess),
        }
    }

    async fn look(&self) -> Option<Error> {
        if let Some(excess) = self.mirror.look().await {
            return Some(self.of_mirror(excess));
        }
        self.tree.as_ref()?.look().await.map(of_tree)
    }

    fn of_mirror(&self, excess: Excess) -> Error {
        match excess {
            Excess::Bytes(limit) | Excess::Files(limit) => {
                Error::RepositoryTooLarge { address: self.address.to_string(), limit }
            }
            Excess::Disk(reserve) => Error::DiskShort { reserve },
        }
    }

    /// Removes what was written in vain. A mirror that is not too large itself stays, unless the disk needs its room.
    async fn clear(&self, error: &Error) {
        let needed = matches!(error, Error::RepositoryTooLarge { .. }) || error.is_about_disk();
        if needed && let Err(error) = self.held.remove().await {
            tracing::warn!(%error, address = %self.address, "a mirror that is too large could not be removed");
        }
        if error.is_about_room() {
            self.empty_tree().await;
        }
    }

    /// Removes everything from the folder of the checkout.
    pub(super) async fn empty_tree(&self) {
        let folders = self.tree.iter().flat_map(|tree| tree.folders.clone()).collect();
        if let Err(error) = blocking(move || empty(folders)).await {
            tracing::warn!(%error, address = %self.address, "a checkout that was given up could not be removed");
        }
    }
}

fn of_tree(excess: Excess) -> Error {
    match excess {
        Excess::Bytes(limit) => Error::CommitTooLarge { limit },
        Excess::Files(limit) => Error::CommitTooManyFiles { limit },
        Excess::Disk(reserve) => Error::DiskShort { reserve },
    }
}

fn empty(folders: Vec<PathBuf>) -> std::io::Result<()> {
    for folder in folders {
        for entry in fs::read_dir(folder)? {
            Workspace::at(entry?.path()).remove()?;
        }
    }
    Ok(())
}
