//! When and how a site is built, beyond where its source is: each of these has a default, which most sites keep.

mod filter;
mod keeping;
mod recipe;
mod schedule;

pub use filter::{GLOB_MAX, GLOBS_MAX, Glob};
pub use keeping::{KEEP_DAYS_MAX, KEEP_DEPLOYS_MAX, Keeping, SETTLING};
pub use recipe::{COMMAND_MAX, CommandLine, FOLDER_MAX, Folder, Network, Recipe, Size};
pub use schedule::{CRON_MAX, Cron, SCHEDULES_MAX, Schedule, Zone};

use crate::ids::Invalid;
use crate::{AliasName, Branch, PullRequests};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::num::NonZeroU16;
use std::str::FromStr;

/// What the people of a site may change about its builds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Building {
    /// Which builds that run are ended when a newer one of their branch is queued.
    pub cancel_running: CancelRunning,
    /// What is built, by what, and where its pages are then.
    #[serde(skip_serializing_if = "Recipe::is_default")]
    pub recipe: Recipe,
    /// What a push must have changed to be built; anything below the base directory if there is none, or anything at all. At
    /// most [`GLOBS_MAX`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub watch: Vec<Glob>,
    /// Branches of which no push is built; the live and the demo branch are none of them. At most [`GLOBS_MAX`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignore_branches: Vec<Glob>,
    /// When it is built without a push. At most [`SCHEDULES_MAX`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub schedules: Vec<Schedule>,
    /// For how many days a preview is shown after its newest build, at most [`PREVIEW_DAYS_MAX`]; as long as its branch is there if
    /// absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 3650))]
    pub preview_days: Option<NonZeroU16>,
    /// Which deploys are kept.
    #[serde(skip_serializing_if = "Keeping::is_default")]
    pub keeping: Keeping,
    /// Which pull requests are built.
    #[serde(skip_serializing_if = "is_usual")]
    pub pull_requests: PullRequests,
}

/// The longest that previews may be shown after their newest build where that is limited, in days.
pub const PREVIEW_DAYS_MAX: u16 = 3650;

/// Which builds that run are ended when a newer one of their branch is queued. Those that wait always are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CancelRunning {
    /// Those of previews.
    #[default]
    Previews,
    /// Those of the live and the demo branch too.
    All,
    /// None.
    None,
}

impl Building {
    /// Whether everything is as most sites keep it.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// What is not as most sites keep it, in a few words each.
    #[must_use]
    pub fn told(&self) -> Vec<String> {
        let Self { cancel_running, recipe, watch, ignore_branches, schedules, preview_days, keeping, pull_requests } =
            self;
        let mut told = Vec::new();
        if *cancel_running != CancelRunning::default() {
            told.push(format!("a newer push ends what runs: {cancel_running}"));
        }
        told.extend(recipe.told());
        if !watch.is_empty() {
            told.push(format!("built when {} is changed", listed(watch)));
        }
        if !ignore_branches.is_empty() {
            told.push(format!("branches like {} are not built", listed(ignore_branches)));
        }
        told.extend(schedules.iter().map(Schedule::told));
        told.extend(preview_days.as_ref().map(|days| format!("previews are shown for {}", told_days(days))));
        told.extend((!keeping.is_default()).then(|| keeping.told()));
        told.extend(match pull_requests {
            PullRequests::All => Some("pull requests from forks are built without asking".to_owned()),
            PullRequests::Approved => None,
            PullRequests::None => Some("pull requests are not built".to_owned()),
        });
        told
    }

    /// Whether no push of a branch that is shown as `alias` is built.
    #[must_use]
    pub fn ignores(&self, branch: &Branch, alias: &AliasName) -> bool {
        let is_preview = matches!(alias, AliasName::Preview(_));
        is_preview && self.ignore_branches.iter().any(|glob| glob.matches(branch.as_str()))
    }

    /// Whether a push that changed these files is worth building: one of which that is not known always is.
    #[must_use]
    pub fn watches(&self, changed: Option<&[String]>) -> bool {
        let Some(changed) = changed else { return true };
        match (&*self.watch, &self.recipe.base_directory) {
            ([], None) => true,
            ([], Some(base)) => changed.iter().any(|path| base.holds(path)),
            (watch, _) => changed.iter().any(|path| watch.iter().any(|glob| glob.matches(path))),
        }
    }
}

fn is_usual(choice: &PullRequests) -> bool {
    *choice == PullRequests::default()
}

fn told_days(days: &NonZeroU16) -> String {
    if days.get() == 1 { "a day".to_owned() } else { format!("{days} days") }
}

fn listed(globs: &[Glob]) -> String {
    globs.iter().map(|glob| format!("`{glob}`")).collect::<Vec<_>>().join(" or ")
}

impl CancelRunning {
    /// Every choice.
    pub const ALL: [Self; 3] = [Self::Previews, Self::All, Self::None];

    /// Whether a build for `alias` that runs is ended by a newer one of its branch.
    #[must_use]
    pub const fn ends(self, alias: &AliasName) -> bool {
        match (self, alias) {
            (Self::All, _) | (Self::Previews, AliasName::Preview(_)) => true,
            (Self::None, _) | (Self::Previews, AliasName::Live | AliasName::Demo) => false,
        }
    }
}

impl fmt::Display for CancelRunning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Previews => "previews",
            Self::All => "all",
            Self::None => "none",
        })
    }
}

impl FromStr for CancelRunning {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let found = Self::ALL.into_iter().find(|choice| choice.to_string() == text);
        found.ok_or_else(|| Invalid(format!("`{}` is none of previews, all, none", text.escape_debug())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn previews_are_ended_by_default_and_what_readers_see_only_if_asked_for() {
        let (live, preview): (AliasName, AliasName) = ("live".parse().unwrap(), "preview/x".parse().unwrap());
        let ends = |choice: CancelRunning| [choice.ends(&live), choice.ends(&preview)];
        assert_eq!(ends(CancelRunning::default()), [false, true]);
        assert_eq!(ends(CancelRunning::All), [true, true]);
        assert_eq!(ends(CancelRunning::None), [false, false]);
    }

    #[test]
    fn only_what_is_not_the_default_is_told() {
        assert_eq!(Building::default().told(), Vec::<String>::new());
        let told = Building {
            cancel_running: CancelRunning::All,
            recipe: Recipe { base_directory: Some("docs".parse().unwrap()), ..Recipe::default() },
            watch: vec!["docs/**".parse().unwrap(), "*.md".parse().unwrap()],
            ignore_branches: vec!["wip/*".parse().unwrap()],
            schedules: vec![Schedule {
                branch: "main".parse().unwrap(),
                cron: "@daily".parse().unwrap(),
                time_zone: Zone::default(),
            }],
            preview_days: NonZeroU16::new(30),
            keeping: Keeping { days: 7, ..Keeping::default() },
            pull_requests: PullRequests::All,
        }
        .told();
        let expected = [
            "a newer push ends what runs: all",
            "the site is in `docs`",
            "built when `docs/**` or `*.md` is changed",
            "branches like `wip/*` are not built",
            "`main` is built at `@daily` (UTC)",
            "previews are shown for 30 days",
            "the newest 100 deploys are kept, and those of the last 7 days",
            "pull requests from forks are built without asking",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_push_is_worth_building_if_it_changed_what_is_watched() {
        let changed = ["docs/a.md".to_owned(), "src/b.rs".to_owned()];
        let base = |folder: &str| Recipe { base_directory: Some(folder.parse().unwrap()), ..Recipe::default() };
        let watch = |glob: &str| vec![glob.parse().unwrap()];
        let of = |recipe, watch| Building { recipe, watch, ..Building::default() }.watches(Some(&changed));
        assert!(of(Recipe::default(), vec![]) && of(base("docs"), vec![]) && !of(base("site"), vec![]));
        assert!(of(Recipe::default(), watch("src/**")) && !of(Recipe::default(), watch("site/**")));
        // What is watched is said: the base directory says nothing then.
        assert!(of(base("site"), watch("**/*.rs")) && !of(base("docs"), watch("site/**")));
        let site = Building { recipe: base("site"), ..Building::default() };
        assert!(site.watches(None) && !site.watches(Some(&[])), "what is not known is built, and nothing is nothing");
    }

    #[test]
    fn only_previews_are_ignored() {
        let building = Building { ignore_branches: vec!["**".parse().unwrap()], ..Building::default() };
        let (main, live): (Branch, AliasName) = ("main".parse().unwrap(), AliasName::Live);
        assert!(!building.ignores(&main, &live) && building.ignores(&main, &AliasName::Preview(main.clone())));
        assert!(!Building::default().ignores(&main, &AliasName::Preview(main.clone())));
    }
}
