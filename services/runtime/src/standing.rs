//! How far the durable consumers of the log have come: for whoever looks after the installation, not for the consumers.

use crate::connection::Connection;
use crate::error::Error;
use async_nats::jetstream::consumer::Info;
use events::subject;
use futures::TryStreamExt;

/// Where a consumer stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Its name: that of the service that works through it.
    pub name: String,
    /// The aggregates whose facts it hears.
    pub hears: Vec<String>,
    /// Facts that it was not given yet.
    pub pending: u64,
    /// Facts that it was given and has not acknowledged.
    pub in_hand: u64,
    /// Up to where everything is acknowledged.
    pub floor: u64,
}

/// All durable consumers of facts, by name. Whoever follows the log for as long as it runs has none.
///
/// # Errors
/// [`Error::Unavailable`] if the log does not answer, or does not let this service ask.
pub async fn consumers(connection: &Connection) -> Result<Vec<Standing>, Error> {
    let doing = "list the consumers";
    let stream = connection.jetstream.get_stream_no_info(subject::EVENTS).await.map_err(Error::unavailable(doing))?;
    let infos: Vec<Info> = stream.consumers().try_collect().await.map_err(Error::unavailable(doing))?;
    let durable = infos.into_iter().filter(|info| info.config.durable_name.is_some());
    let mut standing: Vec<Standing> = durable.map(standing).collect();
    standing.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(standing)
}

fn standing(info: Info) -> Standing {
    let heard = info.config.filter_subjects.iter().chain(Some(&info.config.filter_subject));
    let mut hears: Vec<String> = heard.filter_map(|filter| filter.split('.').nth(1)).map(str::to_owned).collect();
    hears.dedup();
    Standing {
        name: info.name,
        hears,
        pending: info.num_pending,
        in_hand: info.num_ack_pending as u64,
        floor: info.ack_floor.stream_sequence,
    }
}
