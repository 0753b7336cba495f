//! Bytes to be written, from memory or from a part of a file.

use crate::error::Error;
use aws_sdk_s3::primitives::{ByteStream, Length};
use bytes::Bytes;
use std::ops::Range;
use std::path::PathBuf;

/// The bytes of an object to be written.
#[derive(Debug, Clone)]
pub enum Body {
    /// In memory.
    Bytes(Bytes),
    /// A part of a local file, read as it is sent.
    File {
        /// Which file.
        path: PathBuf,
        /// Which of its bytes.
        range: Range<u64>,
    },
}

impl Body {
    /// Its size in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File { range, .. } => range.end.saturating_sub(range.start),
        }
    }

    pub(crate) async fn stream(self) -> Result<ByteStream, Error> {
        let length = Length::Exact(self.size());
        match self {
            Self::Bytes(bytes) => Ok(ByteStream::from(bytes)),
            Self::File { path, range } => {
                let opened = ByteStream::read_from().path(&path).offset(range.start).length(length).build().await;
                opened.map_err(|error| Error::file(&path)(std::io::Error::other(error)))
            }
        }
    }
}
