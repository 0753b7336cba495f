//! Where the longer bodies lie while they arrive: in files without a name, which are gone with whoever holds them.

use bytes::BytesMut;
use std::io::{self, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _};

/// What of a body lies in memory at most while it arrives, in bytes.
const MEMORY_MAX: usize = 64 << 10;

/// A body that is kept.
pub(crate) struct Spool {
    folder: Arc<Path>,
    /// What is not in the file.
    memory: BytesMut,
    file: Option<File>,
}

impl Spool {
    /// One that has nothing yet. It makes a file in `folder` once it needs to.
    pub(crate) fn new(folder: &Arc<Path>) -> Self {
        Self { folder: Arc::clone(folder), memory: BytesMut::new(), file: None }
    }

    pub(crate) async fn push(&mut self, chunk: &[u8]) -> io::Result<()> {
        if self.memory.len() + chunk.len() > MEMORY_MAX {
            self.put_down().await?;
        }
        self.memory.extend_from_slice(chunk);
        Ok(())
    }

    async fn put_down(&mut self) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(unnamed(Arc::clone(&self.folder)).await?),
        };
        file.write_all(&self.memory).await?;
        self.memory.clear();
        Ok(())
    }

    /// All of it. Only for a body that is worth to be read.
    pub(crate) async fn whole(mut self) -> io::Result<Vec<u8>> {
        let mut whole = Vec::new();
        if let Some(mut file) = self.file.take() {
            file.flush().await?;
            file.seek(SeekFrom::Start(0)).await?;
            file.read_to_end(&mut whole).await?;
        }
        whole.extend_from_slice(&self.memory);
        Ok(whole)
    }
}

async fn unnamed(folder: Arc<Path>) -> io::Result<File> {
    let made = tokio::task::spawn_blocking(move || tempfile::tempfile_in(folder)).await.map_err(io::Error::other)?;
    let mut file = File::from_std(made?);
    file.set_max_buf_size(MEMORY_MAX);
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_pushed_comes_back_and_a_long_one_lies_in_a_file_without_a_name() {
        let folder = tempfile::tempdir().unwrap();
        let path: Arc<Path> = folder.path().into();
        for pushes in [0, 1, 9, 300] {
            let (mut spool, mut expected) = (Spool::new(&path), Vec::new());
            for number in 0..pushes {
                let chunk = vec![number as u8; 7_001];
                spool.push(&chunk).await.unwrap();
                expected.extend_from_slice(&chunk);
                assert!(spool.memory.len() <= MEMORY_MAX, "{pushes}");
            }
            assert_eq!(spool.file.is_some(), pushes > 9);
            assert_eq!(std::fs::read_dir(&path).unwrap().count(), 0, "no name is left behind");
            assert!(spool.whole().await.unwrap() == expected, "{pushes}");
        }
    }

    #[tokio::test]
    async fn without_its_folder_only_short_ones_are_kept() {
        let gone: Arc<Path> = Path::new("/nowhere/at/all").into();
        let mut spool = Spool::new(&gone);
        spool.push(&[0; MEMORY_MAX]).await.unwrap();
        assert_eq!(spool.push(&[0]).await.unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
