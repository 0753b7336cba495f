//! The archive of logs in the object store, which must not keep a slot from builds when the store is away.

use bytes::Bytes;
use runtime::Failure;
use runtime::consumer::Timing;
use std::time::Duration;
use storage::PlatformBucket;

/// How long the store has to take a log, besides the time its bytes take on the slowest line that is to do. What it does not
/// take by then comes again later: meanwhile the slot is free.
const AT_ONCE: Duration = Duration::from_secs(1);
const SLOWEST_BYTES_PER_SECOND: u64 = 256 * 1024;
/// Deliveries after which the operator is told of a log that cannot be archived: an hour and a half with the rests between
/// them, so that an outage of the store is over by then. Builds are not repeated so often: they count their attempts.
const DELIVERIES_MAX: u64 = 96;

pub(crate) fn timing() -> Timing {
    Timing { deliveries_max: DELIVERIES_MAX, ..Timing::default() }
}

/// Stores the log of a build that ended, or fails soon.
pub(crate) async fn archive(platform: &PlatformBucket, key: &str, log: Bytes) -> Result<(), Failure> {
    let limit = AT_ONCE + Duration::from_secs(log.len() as u64 / SLOWEST_BYTES_PER_SECOND);
    match tokio::time::timeout(limit, platform.put_log(key, log)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) if !error.is_transient() => Err(Failure::Park(error.into())),
        Ok(Err(error)) => Err(Failure::Retry(error.into())),
        Err(_) => Err(Failure::Retry("the object store did not take the log of a build in time".into())),
    }
}
