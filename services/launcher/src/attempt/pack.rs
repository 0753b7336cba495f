//! Packs what a build left into a file, and lets go of it at once when that is asked for.

use crate::brought::Brought;
use crate::output::{self, OutputLimits, Packed};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use tokio_util::sync::CancellationToken;

/// What is packed.
pub(super) struct Output {
    /// The checkout that the build has left its pages in.
    pub(super) site: PathBuf,
    pub(super) brought: Brought,
}

/// The work of a thread that may block.
pub(super) fn packing(
    from: Output,
    tar: PathBuf,
    limits: OutputLimits,
    halt: CancellationToken,
) -> impl FnOnce() -> Result<Packed, output::Error> + Send {
    move || {
        let failed = |source| output::Error::Io { path: "artifact.tar".to_owned(), source };
        if halt.is_cancelled() {
            return Err(failed(given_up()));
        }
        let mut file = BufWriter::new(Halting { file: File::create(tar).map_err(failed)?, halt });
        let packed = output::pack(&from.site, &mut file, &limits, &from.brought)?;
        file.flush().map_err(failed)?;
        Ok(packed)
    }
}

/// A file that takes nothing more once its work has been given up.
struct Halting {
    file: File,
    halt: CancellationToken,
}

impl Write for Halting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.halt.is_cancelled() { Err(given_up()) } else { self.file.write(bytes) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Not `Interrupted`, after which writers try again.
fn given_up() -> io::Error {
    io::ErrorKind::ConnectionAborted.into()
}
