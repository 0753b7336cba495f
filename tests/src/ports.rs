//! Ports for servers that are stopped and started again: none that the kernel gives to a connection meanwhile.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};

/// Below the range from which connections get theirs.
const FIRST: u32 = 10_000;
const COUNT: u32 = 20_000;

static TAKEN: AtomicU32 = AtomicU32::new(0);

/// Ports that nobody listens on, each given once by this process. Processes begin at different places.
pub(crate) fn free(count: usize) -> Vec<u16> {
    let begin = std::process::id().wrapping_mul(641);
    let next = || FIRST + begin.wrapping_add(TAKEN.fetch_add(1, Ordering::Relaxed)) % COUNT;
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    std::iter::repeat_with(|| u16::try_from(next()).unwrap()).filter(free).take(count).collect()
}
