//! How a command ends, for scripts: what each code means is in `docs/using.md`.

use std::fmt;
use std::process::ExitCode;

/// Why a command did not do what it was asked for, where that is worth a code of its own.
#[derive(Debug)]
pub(crate) enum Why {
    /// The build that was waited for did not succeed.
    Unsuccessful(String),
    /// The platform does not answer, or asks to be asked again.
    Unavailable(String),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Unsuccessful(text) | Self::Unavailable(text)) = self;
        f.write_str(text)
    }
}

impl std::error::Error for Why {}

/// The code of what went wrong. Wrong usage is 2, which the parser of arguments says.
pub(crate) fn code(error: &anyhow::Error) -> ExitCode {
    ExitCode::from(match error.downcast_ref::<Why>() {
        None => 1,
        Some(Why::Unsuccessful(_)) => 3,
        Some(Why::Unavailable(_)) => 4,
    })
}
