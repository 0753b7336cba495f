//! How the whole installation is: gathered once for the API and the dashboard, for those who look after it.

use crate::app::App;
use crate::problem::Problem;
use crate::view::View;
use events::authority::Rank;
use projections::Sight;
use projections::platform::PaceRow;
use runtime::standing::{self, Standing};
use runtime::{clock, parked};
use serde::Serialize;
use time::{Duration, OffsetDateTime};
use utoipa::ToSchema;

/// How far back builds are counted for what organizations use.
pub(crate) const USAGE: Duration = Duration::days(30);
/// How many hours of builds are told unless asked otherwise.
pub(crate) const HOURS: u16 = 24;
const HOUR_S: i64 = 60 * 60;
/// What follows the log for the read model.
const READ_MODEL: &str = "read model";

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

/// Lets admins and support look, and nobody else.
pub(crate) fn may_look(view: &View) -> Result<(), Problem> {
    if view.sight == Sight::All { Ok(()) } else { Err(Problem::Forbidden(Rank::Oversee)) }
}

/// Everybody who works through facts, and the read model, which follows them.
pub(crate) async fn consumers(app: &App) -> Result<Vec<Consumer>, Problem> {
    let mut consumers = Vec::new();
    for standing in standing::consumers(app.log.connection()).await? {
        consumers.push(consumer(app, standing).await?);
    }
    consumers.push(read_model(app).await?);
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

async fn read_model(app: &App) -> Result<Consumer, Problem> {
    let (sequence, last) = (app.model.position().await?, app.log.last_sequence().await?);
    let pending = last.saturating_sub(sequence);
    let next = if pending == 0 { None } else { app.log.fact(sequence + 1).await? };
    let lag_s = age(next.map(|fact| fact.envelope.time));
    Ok(Consumer { name: READ_MODEL.to_owned(), sequence, pending, in_hand: 0, lag_s })
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
