//! The executable that is tested: `pagefold`, as cargo built it beside the tests.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

const REMEDY: &str = "build it with `cargo build -p pagefold`, which `just test` does";
const REMEDY_OLDER: &str = "build it with `just older`, which `just test` does";

/// Where it is: what `PAGEFOLD` names, else the one in the folder that holds the tests' own executables.
///
/// # Panics
/// If it is missing or older than its source: a story about old code tells nothing.
#[must_use]
pub fn executable() -> PathBuf {
    if let Some(named) = named() {
        return named;
    }
    let executable = folder().join("pagefold");
    is_of_now(&executable, REMEDY);
    executable
}

/// An older version, which is this one without some types of facts: beside [`executable`].
///
/// # Panics
/// If it is missing or was made of other source than there is now.
#[must_use]
pub(crate) fn older() -> PathBuf {
    let executable = named().unwrap_or_else(|| folder().join("pagefold")).with_file_name("pagefold-older");
    is_of_now(&executable, REMEDY_OLDER);
    executable
}

fn named() -> Option<PathBuf> {
    std::env::var_os("PAGEFOLD").map(|named| std::path::absolute(named).unwrap())
}

fn folder() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let beside = tests.parent().unwrap();
    if beside.ends_with("deps") { beside.parent().unwrap() } else { beside }.to_owned()
}

fn is_of_now(executable: &Path, remedy: &str) {
    let Some(built) = changed(executable) else { panic!("`{}` is missing: {remedy}", executable.display()) };
    let sources = sources(&executable.with_file_name("pagefold.d"));
    if let Some(newer) = sources.into_iter().find(|source| changed(source) > Some(built)) {
        panic!("`{}` is older than `{}`: {remedy}", executable.display(), newer.display());
    }
}

/// The files it was made of, as cargo wrote them down: `<executable>: <source> <source> …`.
fn sources(record: &Path) -> Vec<PathBuf> {
    let text = std::fs::read_to_string(record).unwrap_or_default();
    let (_, sources) = text.split_once(": ").unwrap_or_default();
    sources.split_whitespace().map(PathBuf::from).collect()
}

fn changed(file: &Path) -> Option<SystemTime> {
    file.metadata().and_then(|metadata| metadata.modified()).ok()
}
