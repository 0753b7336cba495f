//! The executable that is tested: `pagefold`, as cargo built it beside the tests.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

const REMEDY: &str = "build it with `cargo build -p pagefold`, which `just test` does";

/// Where it is: what `PAGEFOLD` names, else the one in the folder that holds the tests' own executables.
///
/// # Panics
/// If it is missing or older than its source: a story about old code tells nothing.
#[must_use]
pub fn executable() -> PathBuf {
    if let Some(named) = std::env::var_os("PAGEFOLD") {
        return std::path::absolute(named).unwrap();
    }
    let tests = std::env::current_exe().unwrap();
    let beside = tests.parent().unwrap();
    let folder = if beside.ends_with("deps") { beside.parent().unwrap() } else { beside };
    let executable = folder.join("pagefold");
    let Some(built) = changed(&executable) else { panic!("`{}` is missing: {REMEDY}", executable.display()) };
    if let Some(newer) = sources(&folder.join("pagefold.d")).into_iter().find(|source| changed(source) > Some(built)) {
        panic!("`{}` is older than `{}`: {REMEDY}", executable.display(), newer.display());
    }
    executable
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
