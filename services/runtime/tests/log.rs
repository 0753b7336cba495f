//! The runtime against a real nats-server: what a service may rely on, and what it must survive.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what the world of a test cannot do fails the test")]

#[path = "log/ambiguous.rs"]
mod ambiguous;
#[path = "log/build_log.rs"]
mod build_log;
#[path = "log/cluster.rs"]
mod cluster;
#[path = "log/concurrency.rs"]
mod concurrency;
#[path = "log/connection.rs"]
mod connection;
#[path = "log/consumer.rs"]
mod consumer;
#[path = "log/durability.rs"]
mod durability;
#[path = "log/execute.rs"]
mod execute;
#[path = "log/fold.rs"]
mod fold;
#[path = "log/follow.rs"]
mod follow;
#[path = "log/group.rs"]
mod group;
#[path = "log/lease.rs"]
mod lease;
#[path = "log/newer.rs"]
mod newer;
#[path = "log/parked.rs"]
mod parked;
#[path = "log/permissions.rs"]
mod permissions;
#[path = "log/proxy.rs"]
mod proxy;
#[path = "log/snapshot.rs"]
mod snapshot;
#[path = "log/transaction.rs"]
mod transaction;
#[path = "log/world.rs"]
mod world;
