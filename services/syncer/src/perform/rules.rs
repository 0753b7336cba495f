//! The rules that an artifact brings along. Their files are read here once, and are no files of the site.

use super::artifact::{Artifact, Refused};
use events::event::RulesDialect;
use rules::{FILE_MAX, HEADERS, REDIRECTS, Rules};

/// Takes the files of rules out of the artifact.
pub(super) fn take(artifact: &mut Artifact, dialect: RulesDialect) -> Result<Option<Rules>, Refused> {
    let redirects = file(artifact, REDIRECTS)?;
    let headers = file(artifact, HEADERS)?;
    artifact.files.retain(|file| file.path != REDIRECTS && file.path != HEADERS);
    Ok(rules::read(dialect, redirects.as_deref(), headers.as_deref()))
}

fn file(artifact: &Artifact, path: &str) -> Result<Option<Vec<u8>>, Refused> {
    let Some(file) = artifact.files.iter().find(|file| file.path == path) else { return Ok(None) };
    artifact.head(file, FILE_MAX).map(Some)
}
