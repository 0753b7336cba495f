//! A fact as the platform tells it: a CloudEvent.

use serde::Deserialize;
use serde_json::Value;

/// The build that a new site starts with. The repositories of stories have no commits then, so it fails at once, and a
/// story counts its builds from the first push.
pub(crate) const FIRST: u64 = 1;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Fact {
    /// Its identity.
    pub id: String,
    #[serde(rename = "type")]
    type_name: String,
    sequence: String,
    /// What it is about.
    pub subject: String,
    /// When it was stated.
    pub time: String,
    /// Who is behind it.
    pub actor: String,
    /// The fact its story began with.
    #[serde(rename = "correlationid")]
    pub correlation: String,
    /// What it says.
    pub data: Value,
}

impl Fact {
    /// Its place in the log.
    ///
    /// # Panics
    /// If that is no number.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence.parse().unwrap()
    }

    /// Its name without version, such as `build.finished`.
    #[must_use]
    pub fn name(&self) -> &str {
        let name = self.type_name.trim_start_matches("dev.pagefold.");
        name.rsplit_once(".v").map_or(name, |(name, _)| name)
    }

    /// Whether it is `name` about the build with this number in its story, or a deploy of it.
    #[must_use]
    pub fn is(&self, name: &str, number: u64) -> bool {
        self.name() == name && self.data["number"] == number + FIRST
    }

    /// Whether it ends a build.
    #[must_use]
    pub fn is_end(&self) -> bool {
        matches!(self.name(), "build.finished" | "build.canceled")
    }
}

impl std::fmt::Display for Fact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:>5} {} {} {}", self.sequence, self.name(), self.subject, self.data)
    }
}
