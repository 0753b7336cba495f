//! Where the program is.

use super::Error;
use std::path::PathBuf;
use tokio::process::Command;

/// Oldest server that has what we need (atomic batches that deduplicate, expectations inside batches).
const VERSION_MIN: (u32, u32, u32) = (2, 12, 8);

/// Finds a nats-server new enough on PATH, or among the project's private tools.
pub(super) async fn find() -> Result<PathBuf, Error> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut seen = None;
    for folder in std::env::split_paths(&path).chain([PathBuf::from(".tools/venv/bin")]) {
        let candidate = folder.join("nats-server");
        let Ok(output) = Command::new(&candidate).arg("--version").output().await else { continue };
        let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if parse_version(&version).is_some_and(|version| version >= VERSION_MIN) {
            return Ok(candidate);
        }
        seen = Some(format!("`{}` is {version}", candidate.display()));
    }
    let found = seen.unwrap_or_else(|| "there is none on PATH".to_owned());
    let (major, minor, patch) = VERSION_MIN;
    Err(Error::because(format!(
        "it must be {major}.{minor}.{patch} or newer, and {found}; `sh deploy/bootstrap.sh tools` installs one"
    )))
}

fn parse_version(text: &str) -> Option<(u32, u32, u32)> {
    let version = text.rsplit('v').next()?;
    let mut parts = version.split(['.', '-']).map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??, parts.next()??))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        assert_eq!(parse_version("nats-server: v2.15.1"), Some((2, 15, 1)));
        assert!(parse_version("nats-server: v2.9.10").unwrap() < VERSION_MIN);
        assert_eq!(parse_version("what"), None);
    }
}
