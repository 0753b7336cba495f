//! When and how a site is built, as the API tells it: every field, whatever its default.

use events::{
    Branch, Building, CancelRunning, CommandLine, Cron, Folder, Glob, Keeping, Network, PullRequests, Recipe, Size,
    Zone,
};
use serde::Serialize;
use std::num::NonZeroU16;
use utoipa::ToSchema;

/// How a site is built.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SiteBuilding)]
pub(super) struct Shown {
    /// Which builds that run are ended by a newer push of their branch: those of `previews`, `all` or `none`.
    #[schema(value_type = String)]
    cancel_running: CancelRunning,
    /// The folder of the repository that is the site; null for the repository itself.
    #[schema(value_type = Option<String>, required)]
    base_directory: Option<Folder>,
    /// What is run in that folder in the place of what the engine would run; null for that.
    #[schema(value_type = Option<String>, required)]
    command: Option<CommandLine>,
    /// Where its pages are then, seen from that folder; null for `_site`.
    #[schema(value_type = Option<String>, required)]
    output_directory: Option<Folder>,
    /// What a build may take: `standard` or `large`, which is more main memory.
    #[schema(value_type = String)]
    size: Size,
    /// What it may reach: `none`, `registries` of packages, or `full` for any public host.
    #[schema(value_type = String)]
    network: Network,
    /// Globs of which a push must have changed one; empty for anything below the base directory.
    #[schema(value_type = Vec<String>)]
    watch: Vec<Glob>,
    /// Globs of branches of which no push is built.
    #[schema(value_type = Vec<String>)]
    ignore_branches: Vec<Glob>,
    /// When it is built without a push.
    schedules: Vec<Schedule>,
    /// For how many days a preview is shown after its newest build; null for as long as its branch is there.
    #[schema(value_type = Option<u16>, required)]
    preview_days: Option<NonZeroU16>,
    /// How many of its newest deploys are kept; what is shown always is.
    #[schema(value_type = u16)]
    keep_deploys: NonZeroU16,
    /// For how many days each is kept, however many there are.
    keep_days: u16,
    /// Which pull requests are built: `all`, `approved` (one from a fork when a member has approved it), or `none`.
    #[schema(value_type = String)]
    pull_requests: PullRequests,
}

/// When a branch is built without a push.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Schedule {
    /// The branch, at its tip of that moment.
    #[schema(value_type = String)]
    branch: Branch,
    /// A line of cron of five fields, or `@daily` and the like.
    #[schema(value_type = String, example = "0 6 * * *")]
    cron: Cron,
    /// The clock that is meant, by its name in the IANA database.
    #[schema(value_type = String, example = "Europe/London")]
    time_zone: Zone,
}

impl From<events::Schedule> for Schedule {
    fn from(schedule: events::Schedule) -> Self {
        let events::Schedule { branch, cron, time_zone } = schedule;
        Self { branch, cron, time_zone }
    }
}

impl From<Building> for Shown {
    fn from(building: Building) -> Self {
        let Building {
            cancel_running,
            recipe,
            watch,
            ignore_branches,
            schedules,
            preview_days,
            keeping,
            pull_requests,
        } = building;
        let Keeping { deploys: keep_deploys, days: keep_days } = keeping;
        let Recipe { base_directory, command, output_directory, size, network } = recipe;
        let schedules = schedules.into_iter().map(Schedule::from).collect();
        Self {
            cancel_running,
            base_directory,
            command,
            output_directory,
            size,
            network,
            watch,
            ignore_branches,
            schedules,
            preview_days,
            keep_deploys,
            keep_days,
            pull_requests,
        }
    }
}
