//! The rules that an artifact brings along. Their files are read here once, and are no files of the site.

use super::artifact::{Artifact, Refused};
use events::event::RulesDialect;
use rules::pages::{self, PAGES, PAGES_MAX};
use rules::{FILE_MAX, HEADERS, REDIRECTS, Rules};

/// Takes the files of rules out of the artifact.
pub(super) fn take(artifact: &mut Artifact, dialect: RulesDialect) -> Result<Option<Rules>, Refused> {
    let redirects = file(artifact, REDIRECTS, FILE_MAX)?;
    let headers = file(artifact, HEADERS, FILE_MAX)?;
    let said = file(artifact, PAGES, PAGES_MAX)?;
    artifact.files.retain(|file| ![REDIRECTS, HEADERS, PAGES].contains(&&*file.path));
    let rules = rules::read(dialect, redirects.as_deref(), headers.as_deref());
    Ok(pages::joined(rules, dialect, said.as_deref()))
}

fn file(artifact: &Artifact, path: &str, bytes_max: u64) -> Result<Option<Vec<u8>>, Refused> {
    let Some(file) = artifact.files.iter().find(|file| file.path == path) else { return Ok(None) };
    artifact.head(file, bytes_max).map(Some)
}
