//! The streams and buckets of the log: made or brought up to date by an operator's connection, never by a service.

use crate::connection::Connection;
use crate::error::Error;
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::{GetStreamError, GetStreamErrorKind};
use async_nats::jetstream::kv;
use async_nats::jetstream::object_store;
use async_nats::jetstream::stream::{Compression, Config, PersistenceMode, StorageType};
use events::subject;
use std::time::Duration;

/// How long the log knows a message id: a repeated append within it is answered, not repeated.
pub const DUPLICATE_WINDOW: Duration = Duration::from_secs(10 * 60);
/// How long a build's log stays in the stream; it is archived when the build ends.
pub const LOGS_MAX_AGE: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// How much all build logs together may take in the stream, in bytes; the oldest go first.
pub const LOGS_MAX_BYTES: i64 = 2 << 30;
/// How long a parked message waits for an operator.
pub const PARKED_MAX_AGE: Duration = Duration::from_secs(90 * 24 * 60 * 60);
/// How long a stray delivery is kept.
pub const STRAYS_MAX_AGE: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Stray deliveries kept of each kind and owner: the newest.
pub const STRAYS_OF_ONE: i64 = 200;
/// How much all stray deliveries together may take, in bytes; the oldest go first.
pub const STRAYS_MAX_BYTES: i64 = 64 << 20;
/// How long a lease lives unless it is renewed.
pub const LEASE_TTL: Duration = Duration::from_secs(12);
/// How long a session is kept that nobody uses.
pub const SESSION_IDLE: Duration = Duration::from_secs(2 * 60 * 60);

/// How long it is known what was asked with a key: a day, and an hour for clocks that differ.
const REQUESTS_KEPT: Duration = Duration::from_secs(25 * 60 * 60);

/// What the server answers where a stream cannot be changed into what is wanted.
const CANNOT_CHANGE: u64 = 10052;

/// Makes all streams and buckets, or brings them up to date. Safe to repeat.
///
/// # Errors
/// [`Error::Unavailable`] if the server does not answer or refuses a configuration.
pub async fn provision(connection: &Connection, replicas: usize) -> Result<(), Error> {
    let persist_mode = Box::pin(logs_are_written(connection, replicas)).await?;
    for config in [events(replicas), Config { persist_mode, ..logs(replicas) }, parked(replicas), strays(replicas)] {
        let made = Box::pin(connection.jetstream.create_or_update_stream(config)).await;
        made.map_err(Error::unavailable("provision a stream"))?;
    }
    let leases = kv::Config {
        bucket: subject::LEASES.to_owned(),
        history: 1,
        max_age: LEASE_TTL,
        num_replicas: replicas,
        ..kv::Config::default()
    };
    let made = connection.jetstream.create_or_update_key_value(leases).await;
    made.map_err(Error::unavailable("provision the leases"))?;
    let sessions = kv::Config {
        bucket: subject::SESSIONS.to_owned(),
        history: 1,
        max_age: SESSION_IDLE,
        num_replicas: replicas,
        ..kv::Config::default()
    };
    let made = connection.jetstream.create_or_update_key_value(sessions).await;
    made.map_err(Error::unavailable("provision the sessions"))?;
    let requests = kv::Config {
        bucket: subject::REQUESTS.to_owned(),
        history: 1,
        max_age: REQUESTS_KEPT,
        num_replicas: replicas,
        ..kv::Config::default()
    };
    let made = connection.jetstream.create_or_update_key_value(requests).await;
    made.map_err(Error::unavailable("provision the requests"))?;
    for bucket in [subject::KEYS, subject::USES].map(str::to_owned) {
        let kept = kv::Config { bucket, history: 1, num_replicas: replicas, ..kv::Config::default() };
        let made = connection.jetstream.create_or_update_key_value(kept).await;
        made.map_err(Error::unavailable("provision the keys and uses"))?;
    }
    snapshots(connection, replicas).await
}

/// How the stream of build logs is written, if it is there. An earlier version acknowledged lines before they were stored;
/// the server can neither replicate such a stream nor change it.
async fn logs_are_written(connection: &Connection, replicas: usize) -> Result<Option<PersistenceMode>, Error> {
    let operation = "provision a stream";
    let written = match connection.jetstream.get_stream(subject::LOGS).await {
        Ok(stream) => stream.cached_info().config.persist_mode,
        Err(error) if is_missing(&error) => None,
        Err(error) => return Err(Error::unavailable(operation)(error)),
    };
    if replicas > 1 && written == Some(PersistenceMode::Async) {
        let description = "the stream LOGS is acknowledged before it is stored and cannot have copies: delete it while no \
                           build runs, and provision again (logs of ended builds are archived)";
        return Err(Error::Rejected { operation, code: CANNOT_CHANGE, description: description.to_owned() });
    }
    Ok(written)
}

/// How many copies of every fact the log keeps; 1 if it has not been made yet. Who provisions again and does not say how many
/// wants as many as there are.
///
/// # Errors
/// [`Error::Unavailable`] if the server does not answer.
pub async fn replicas(connection: &Connection) -> Result<usize, Error> {
    match connection.jetstream.get_stream(subject::EVENTS).await {
        Ok(stream) => Ok(stream.cached_info().config.num_replicas.max(1)),
        Err(error) if is_missing(&error) => Ok(1),
        Err(error) => Err(Error::unavailable("ask for the copies of the log")(error)),
    }
}

/// The name of the server that leads the stream of facts; none while there is no leader, or nothing to lead.
///
/// # Errors
/// [`Error::Unavailable`] if the log does not answer.
pub async fn leader(connection: &Connection) -> Result<Option<String>, Error> {
    let stream = connection.jetstream.get_stream(subject::EVENTS).await;
    let stream = stream.map_err(Error::unavailable("ask for the leader"))?;
    Ok(stream.cached_info().cluster.as_ref().and_then(|cluster| cluster.leader.clone()))
}

/// The client can make an object store but not change one; below, it is a stream.
async fn snapshots(connection: &Connection, replicas: usize) -> Result<(), Error> {
    let doing = "provision the snapshots";
    let name = format!("OBJ_{}", subject::SNAPSHOTS);
    match connection.jetstream.get_stream(&name).await {
        Ok(stream) => {
            let config = Config { num_replicas: replicas, ..stream.cached_info().config.clone() };
            connection.jetstream.update_stream(config).await.map(drop).map_err(Error::unavailable(doing))
        }
        Err(error) if is_missing(&error) => {
            let bucket = subject::SNAPSHOTS.to_owned();
            let config = object_store::Config { bucket, num_replicas: replicas, ..object_store::Config::default() };
            connection.jetstream.create_object_store(config).await.map(drop).map_err(Error::unavailable(doing))
        }
        Err(error) => Err(Error::unavailable(doing)(error)),
    }
}

fn is_missing(error: &GetStreamError) -> bool {
    matches!(error.kind(), GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND)
}

fn events(replicas: usize) -> Config {
    Config {
        name: subject::EVENTS.to_owned(),
        description: Some("Every fact, for ever.".to_owned()),
        subjects: vec![subject::ALL_EVENTS.to_owned()],
        storage: StorageType::File,
        num_replicas: replicas,
        duplicate_window: DUPLICATE_WINDOW,
        compression: Some(Compression::S2),
        allow_direct: true,
        allow_atomic_publish: true,
        deny_delete: true,
        deny_purge: true,
        ..Config::default()
    }
}

fn logs(replicas: usize) -> Config {
    Config {
        name: subject::LOGS.to_owned(),
        description: Some("Build logs until they are archived.".to_owned()),
        subjects: vec![subject::ALL_LOGS.to_owned()],
        storage: StorageType::File,
        // Written as facts are: the server can neither replicate a stream that is written later nor change one.
        num_replicas: replicas,
        max_age: LOGS_MAX_AGE,
        max_bytes: LOGS_MAX_BYTES,
        compression: Some(Compression::S2),
        allow_direct: true,
        duplicate_window: Duration::from_secs(60),
        ..Config::default()
    }
}

fn parked(replicas: usize) -> Config {
    Config {
        name: subject::PARKED.to_owned(),
        description: Some("What a consumer could not handle, for an operator.".to_owned()),
        subjects: vec![subject::ALL_PARKED.to_owned()],
        storage: StorageType::File,
        num_replicas: replicas,
        max_age: PARKED_MAX_AGE,
        duplicate_window: DUPLICATE_WINDOW,
        allow_direct: true,
        ..Config::default()
    }
}

/// Nobody has to clear it away: whoever sends what nobody waits for takes the place of its own.
fn strays(replicas: usize) -> Config {
    Config {
        name: subject::STRAYS.to_owned(),
        description: Some("Deliveries that came for nobody or were refused.".to_owned()),
        subjects: vec![subject::ALL_STRAYS.to_owned()],
        storage: StorageType::File,
        num_replicas: replicas,
        max_age: STRAYS_MAX_AGE,
        max_bytes: STRAYS_MAX_BYTES,
        max_messages_per_subject: STRAYS_OF_ONE,
        compression: Some(Compression::S2),
        duplicate_window: DUPLICATE_WINDOW,
        allow_direct: true,
        ..Config::default()
    }
}
