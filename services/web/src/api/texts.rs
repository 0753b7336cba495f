//! How the text of a file differs between two deploys of a site. Only texts that are short enough are compared, and no longer
//! than a reader waits.

use super::deploys;
use crate::app::App;
use crate::problem::Problem;
use projections::deploys::DeployRow;
use similar::{Change, ChangeTag, TextDiff};
use std::time::Duration;
use storage::manifest::SiteFile;

/// Longest text in bytes.
pub(crate) const TEXT_MAX: u64 = 512 << 10;
/// How long two texts are compared; what is left then differs as a whole.
const PATIENCE: Duration = Duration::from_millis(300);
/// Lines that are told around each difference.
const AROUND: usize = 3;

/// The text of a file in two deploys; the empty one where there is no such file.
pub(crate) struct Texts {
    pub(crate) path: String,
    before: String,
    after: String,
}

/// A line of what differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) tag: ChangeTag,
    /// Its number before and after, from 1.
    pub(crate) before: Option<usize>,
    pub(crate) after: Option<usize>,
    pub(crate) text: String,
}

/// Whether a file is a text that can be compared, as far as its type and its size tell.
pub(crate) fn is_text(file: &SiteFile) -> bool {
    let kind = file.content_type.split(';').next().unwrap_or_default().trim();
    let is_text =
        kind.starts_with("text/") || kind.ends_with("json") || kind.ends_with("xml") || kind.ends_with("javascript");
    is_text && file.size <= TEXT_MAX
}

/// Reads the texts of the file at `path`.
pub(crate) async fn read(app: &App, earlier: &DeployRow, later: &DeployRow, path: &str) -> Result<Texts, Problem> {
    let (old, new) = tokio::try_join!(deploys::manifest(app, earlier), deploys::manifest(app, later))?;
    let (old, new) = (old.get(path), new.get(path));
    if old.is_none() && new.is_none() {
        return Err(Problem::NotFound);
    }
    let site = app.storage.site(later.site);
    let text = async |file: Option<&SiteFile>| {
        let Some(file) = file else { return Ok(String::new()) };
        let other = || Problem::InvalidInput(format!("`{path}` is not a text of at most {TEXT_MAX} bytes"));
        if file.size > TEXT_MAX {
            return Err(other());
        }
        let text = String::from_utf8(site.blob(file).await?.to_vec()).map_err(|_| other())?;
        Some(text).filter(|text| !text.contains('\0')).ok_or_else(other)
    };
    let (before, after) = tokio::try_join!(text(old), text(new))?;
    Ok(Texts { path: path.to_owned(), before, after })
}

impl Texts {
    /// The places in which they differ, each with the lines around it.
    pub(crate) async fn places(self) -> Result<Vec<Vec<Line>>, Problem> {
        self.compared(|texts| {
            let diff = texts.diff();
            let line = |change: Change<&str>| Line {
                tag: change.tag(),
                before: change.old_index().map(|index| index + 1),
                after: change.new_index().map(|index| index + 1),
                text: change.value().trim_end_matches(['\r', '\n']).to_owned(),
            };
            let places = diff.grouped_ops(AROUND);
            places.iter().map(|ops| ops.iter().flat_map(|op| diff.iter_changes(op)).map(line).collect()).collect()
        })
        .await
    }

    /// The same as programs read it.
    pub(crate) async fn unified(self) -> Result<String, Problem> {
        self.compared(|texts| {
            let (old, new) = (format!("a/{}", texts.path), format!("b/{}", texts.path));
            texts.diff().unified_diff().context_radius(AROUND).header(&old, &new).to_string()
        })
        .await
    }

    fn diff(&self) -> TextDiff<'_, '_, '_, str> {
        TextDiff::configure().timeout(PATIENCE).diff_lines(self.before.as_str(), self.after.as_str())
    }

    /// Comparing keeps a thread busy, which is none of those that answer others.
    async fn compared<T: Send + 'static>(self, tell: impl FnOnce(&Self) -> T + Send + 'static) -> Result<T, Problem> {
        let comparing = tokio::task::spawn_blocking(move || tell(&self));
        comparing.await.map_err(|error| Problem::Internal(error.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(before: &str, after: &str) -> Texts {
        Texts { path: "a.txt".to_owned(), before: before.to_owned(), after: after.to_owned() }
    }

    #[tokio::test]
    async fn differing_lines_are_told_with_those_around_them() {
        let before = "1\n2\n3\n4\n5\n6\n7\n8\n";
        let places = texts(before, "1\n2\n3\n4\nfive\n6\n7\n8\n").places().await.unwrap();
        let told: Vec<_> =
            places.concat().iter().map(|line| (line.tag, line.before, line.after, line.text.clone())).collect();
        assert_eq!(told.len(), 8, "{told:?}");
        assert_eq!(told[3], (ChangeTag::Delete, Some(5), None, "5".to_owned()));
        assert_eq!(told[4], (ChangeTag::Insert, None, Some(5), "five".to_owned()));
        assert!(texts(before, before).places().await.unwrap().is_empty());
        let unified = texts("a\n", "b\n").unified().await.unwrap();
        assert_eq!(unified, "--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-a\n+b\n");
    }
}
