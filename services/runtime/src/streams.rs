//! The streams and buckets of the log: made or brought up to date by an operator's connection, never by a service.

use crate::connection::Connection;
use crate::error::Error;
use async_nats::jetstream::kv;
use async_nats::jetstream::object_store;
use async_nats::jetstream::stream::{Compression, Config, PersistenceMode, Republish, StorageType};
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
/// How long a lease lives unless it is renewed.
pub const LEASE_TTL: Duration = Duration::from_secs(12);
/// How long a session is kept that nobody uses.
pub const SESSION_IDLE: Duration = Duration::from_secs(2 * 60 * 60);

/// Makes all streams and buckets, or brings them up to date. Safe to repeat.
///
/// # Errors
/// [`Error::Unavailable`] if the server does not answer or refuses a configuration.
pub async fn provision(connection: &Connection, replicas: usize) -> Result<(), Error> {
    for config in [events(replicas), logs(), parked(replicas)] {
        let made = connection.jetstream.create_or_update_stream(config).await;
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
    if connection.jetstream.get_object_store(subject::SNAPSHOTS).await.is_err() {
        let snapshots = object_store::Config {
            bucket: subject::SNAPSHOTS.to_owned(),
            num_replicas: replicas,
            ..object_store::Config::default()
        };
        let made = connection.jetstream.create_object_store(snapshots).await;
        made.map_err(Error::unavailable("provision the snapshots"))?;
    }
    Ok(())
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
        republish: Some(Republish {
            source: subject::ALL_EVENTS.to_owned(),
            destination: subject::LIVE_EVENTS.to_owned(),
            headers_only: false,
        }),
        ..Config::default()
    }
}

fn logs() -> Config {
    Config {
        name: subject::LOGS.to_owned(),
        description: Some("Build logs until they are archived.".to_owned()),
        subjects: vec![subject::ALL_LOGS.to_owned()],
        storage: StorageType::File,
        // A log line may be lost with the power; a fact may not.
        persist_mode: Some(PersistenceMode::Async),
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
