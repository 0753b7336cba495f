//! How the whole installation is: gathered once for the API and the dashboard, for those who look after it.

use crate::app::App;
use crate::problem::Problem;
use crate::view::View;
use events::authority::Rank;
use projections::Sight;
use projections::platform::{LauncherRow, PaceRow};
use runtime::attendance::{Present, Slots};
use runtime::standing::{self, Standing};
use runtime::{clock, parked};
use serde::Serialize;
use std::collections::BTreeMap;
use time::{Duration, OffsetDateTime};
use utoipa::ToSchema;

/// How far back builds are counted for what organizations use.
pub(crate) const USAGE: Duration = Duration::days(30);
/// How many hours of builds are told unless asked otherwise.
pub(crate) const HOURS: u16 = 24;
const HOUR_S: i64 = 60 * 60;
/// What follows the log for the read model.
const READ_MODEL: &str = "read model";
/// The service that does.
const PROJECTOR: &str = "projector";

/// How far somebody who works through facts has come.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Consumer {
    /// The service, or what is folded.
    pub(crate) name: String,
    /// Up to which place of the log all is done.
    pub(crate) sequence: u64,
    /// Facts that wait for it.
    pub(crate) pending: u64,
    /// Facts that it has in hand.
    pub(crate) in_hand: u64,
    /// For how many seconds the first of these facts has been there; 0 if there is none.
    pub(crate) lag_s: f64,
}

/// Somebody who builds.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Launcher {
    /// Its name.
    pub(crate) name: String,
    /// How many builds it has places for; null if it has not told of itself lately, and may be gone.
    #[schema(required)]
    pub(crate) slots: Option<usize>,
    /// Builds that it works on.
    pub(crate) busy: u64,
    /// Since when the first of them; null if it works on none.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    pub(crate) busy_since: Option<OffsetDateTime>,
    /// Whether it can take builds: its sandbox works, and its disk has room.
    pub(crate) works: bool,
}

/// Those who are there, and those who are told of as at work.
pub(crate) async fn launchers(app: &App) -> Result<Vec<Launcher>, Problem> {
    let mut launchers: BTreeMap<String, Launcher> = BTreeMap::new();
    for present in app.attendance.present() {
        let Present { name, slots: Some(slots), .. } = present else { continue };
        let Slots { all, busy, works } = slots;
        let told = Launcher { name: name.clone(), slots: Some(all), busy: busy as u64, busy_since: None, works };
        launchers.insert(name, told);
    }
    for LauncherRow { name, busy, busy_since } in app.model.busy_launchers().await? {
        let silent = Launcher { name: name.clone(), slots: None, busy, busy_since: None, works: false };
        launchers.entry(name).or_insert(silent).busy_since = Some(busy_since);
    }
    Ok(launchers.into_values().collect())
}

/// Lets admins and support look, and nobody else.
pub(crate) fn may_look(view: &View) -> Result<(), Problem> {
    if view.sight == Sight::All { Ok(()) } else { Err(Problem::Forbidden(Rank::Oversee)) }
}

/// Everybody who works through facts, and those who follow them: the read model, and who tells of itself.
pub(crate) async fn consumers(app: &App) -> Result<Vec<Consumer>, Problem> {
    let mut consumers = Vec::new();
    for standing in standing::consumers(app.log.connection()).await? {
        consumers.push(consumer(app, standing).await?);
    }
    let last = app.log.last_sequence().await?;
    consumers.push(following(app, READ_MODEL.to_owned(), app.model.position().await?, last).await?);
    for Present { service, name, position, .. } in app.attendance.present() {
        // How far that is tells the read model itself.
        if let Some(position) = position.filter(|_| service != PROJECTOR) {
            consumers.push(following(app, name, position, last).await?);
        }
    }
    Ok(consumers)
}

async fn consumer(app: &App, standing: Standing) -> Result<Consumer, Problem> {
    let Standing { name, hears, pending, in_hand, floor } = standing;
    let oldest = match pending + in_hand {
        0 => None,
        _ => app.model.stated_after(floor, &hears).await?,
    };
    Ok(Consumer { name, sequence: floor, pending, in_hand, lag_s: age(oldest) })
}

async fn following(app: &App, name: String, sequence: u64, last: u64) -> Result<Consumer, Problem> {
    let pending = last.saturating_sub(sequence);
    let next = if pending == 0 { None } else { app.log.fact(sequence + 1).await? };
    let lag_s = age(next.map(|fact| fact.envelope.time));
    Ok(Consumer { name, sequence, pending, in_hand: 0, lag_s })
}

fn age(since: Option<OffsetDateTime>) -> f64 {
    since.map_or(0.0, |since| (clock::now() - since).as_seconds_f64().max(0.0))
}

/// How builds went in the last hours, each from its beginning on.
pub(crate) async fn pace(app: &App, hours: u16) -> Result<Vec<PaceRow>, Problem> {
    let this = clock::now().unix_timestamp() / HOUR_S * HOUR_S;
    let since =
        OffsetDateTime::from_unix_timestamp(this - HOUR_S * i64::from(hours - 1)).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    Ok(app.model.pace(since, HOUR_S.unsigned_abs()).await?)
}

/// What consumers could not handle, the oldest first.
pub(crate) async fn shelf(app: &App) -> Result<Vec<parked::Parked>, Problem> {
    Ok(parked::list(app.log.connection()).await?)
}
