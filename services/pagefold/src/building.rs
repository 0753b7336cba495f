//! `pagefold site set`: when and how a site is built. What is not named stays.

use crate::access::Access;
use anyhow::{Result, bail};
use clap::Args;
use ctl::print::cell;
use events::CancelRunning;
use serde_json::{Map, Value, json};

/// What shall be so from now on.
#[derive(Debug, Args)]
pub(crate) struct Set {
    /// Its name or its id
    site: String,
    /// Which builds that run are ended by a newer push of their branch: `previews`, `all` or `none`
    #[arg(long)]
    cancel_running: Option<CancelRunning>,
}

impl Set {
    pub(crate) async fn run(self, access: &Access) -> Result<()> {
        let named = self.named();
        if named.is_empty() {
            bail!("nothing to change is named: see `pagefold site set --help`");
        }
        let names: Vec<String> = named.keys().cloned().collect();
        let site = access.api()?.patch(&format!("/sites/{}", self.site), Value::Object(named)).await?;
        let told = names.iter().map(|name| format!("{name}: {}", cell(&site[name])));
        access.print().one(&site, &told.collect::<Vec<_>>().join("\n"))
    }

    fn named(&self) -> Map<String, Value> {
        let named = [("cancel_running", self.cancel_running.map(|choice| json!(choice)))];
        named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }
}
