//! `pagefold site set`: when and how a site is built, and how it answers. What is not named stays.

use crate::access::Access;
use anyhow::{Result, bail};
use clap::Args;
use ctl::print::cell;
use events::event::{HtmlHandling, NotFoundHandling, RulesDialect};
use events::{CancelRunning, Network, PullRequests, Schedule, Size};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::num::NonZeroU16;

/// What shall be so from now on. An empty text asks for the default.
#[derive(Debug, Args)]
pub(crate) struct Set {
    /// Its name or its id
    site: String,
    /// Which builds that run are ended by a newer push of their branch: `previews`, `all` or `none`
    #[arg(long)]
    cancel_running: Option<CancelRunning>,
    /// The folder of the repository that is the site
    #[arg(long, value_name = "FOLDER")]
    base_directory: Option<String>,
    /// What a shell runs in that folder, in the place of what the engine runs
    #[arg(long)]
    command: Option<String>,
    /// Where its pages are then, seen from that folder
    #[arg(long, value_name = "FOLDER")]
    output_directory: Option<String>,
    /// What a build may take: `standard` or `large`
    #[arg(long)]
    size: Option<Size>,
    /// What it may reach: `none`, `registries` or `full`
    #[arg(long)]
    network: Option<Network>,
    /// A glob of files of which a push must have changed one; can be given more than once
    #[arg(long, value_name = "GLOB")]
    watch: Vec<String>,
    /// A glob of branches of which no push is built; can be given more than once
    #[arg(long, value_name = "GLOB")]
    ignore_branch: Vec<String>,
    /// A branch, a line of cron and a time zone, such as `main 0 6 * * * Europe/London`; can be given more than once
    #[arg(long, value_name = "LINE")]
    schedule: Vec<String>,
    /// For how many days a preview is shown after its newest build; 0 for as long as its branch is there
    #[arg(long, value_name = "DAYS")]
    preview_days: Option<u16>,
    /// How many of its newest deploys are kept; what is shown always is
    #[arg(long, value_name = "NUMBER")]
    keep_deploys: Option<u16>,
    /// For how many days each deploy is kept, however many there are
    #[arg(long, value_name = "DAYS")]
    keep_days: Option<u16>,
    /// Which pull requests are built: `all`, `approved` (from a fork when a member approves) or `none`
    #[arg(long)]
    pull_requests: Option<PullRequests>,
    /// Which addresses its pages have: `auto-trailing-slash`, `force-trailing-slash`, `drop-trailing-slash` or `none`
    #[arg(long)]
    html_handling: Option<HtmlHandling>,
    /// What answers where there is no file: `404-page`, `single-page-application` or `none`
    #[arg(long)]
    not_found_handling: Option<NotFoundHandling>,
    /// By whose grammar `_redirects` and `_headers` are read: `netlify` or `cloudflare`
    #[arg(long)]
    rules_dialect: Option<RulesDialect>,
}

impl Set {
    pub(crate) async fn run(self, access: &Access) -> Result<()> {
        let named = self.named()?;
        if named.is_empty() {
            bail!("nothing to change is named: see `pagefold site set --help`");
        }
        let names: Vec<String> = named.keys().cloned().collect();
        let site = access.api()?.patch(&format!("/sites/{}", self.site), Value::Object(named)).await?;
        let told = names.iter().map(|name| format!("{name}: {}", cell(&site[name])));
        access.print().one(&site, &told.collect::<Vec<_>>().join("\n"))
    }

    fn named(&self) -> Result<Map<String, Value>> {
        let schedules = |lines: &[String]| lines.iter().map(|line| line.parse()).collect::<Result<Vec<Schedule>, _>>();
        let named = [
            ("cancel_running", self.cancel_running.map(|choice| json!(choice))),
            ("base_directory", text(self.base_directory.as_deref())),
            ("command", text(self.command.as_deref())),
            ("output_directory", text(self.output_directory.as_deref())),
            ("size", self.size.map(|choice| json!(choice))),
            ("network", self.network.map(|choice| json!(choice))),
            ("watch", list(&given(&self.watch), &self.watch)),
            ("ignore_branches", list(&given(&self.ignore_branch), &self.ignore_branch)),
            ("preview_days", self.preview_days.map(|days| json!(NonZeroU16::new(days)))),
            ("keep_deploys", self.keep_deploys.map(|deploys| json!(deploys))),
            ("keep_days", self.keep_days.map(|days| json!(days))),
            ("pull_requests", self.pull_requests.map(|choice| json!(choice))),
            ("schedules", list(&schedules(&given(&self.schedule))?, &self.schedule)),
            ("html_handling", self.html_handling.map(|choice| json!(choice))),
            ("not_found_handling", self.not_found_handling.map(|choice| json!(choice))),
            ("rules_dialect", self.rules_dialect.map(|choice| json!(choice))),
        ];
        Ok(named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
    }
}

fn text(given: Option<&str>) -> Option<Value> {
    given.map(|text| if text.is_empty() { Value::Null } else { json!(text) })
}

/// What is left when empty texts are not counted: they ask for an empty list.
fn given(texts: &[String]) -> Vec<String> {
    texts.iter().filter(|text| !text.is_empty()).cloned().collect()
}

fn list(entries: &[impl Serialize], named: &[String]) -> Option<Value> {
    (!named.is_empty()).then(|| json!(entries))
}
