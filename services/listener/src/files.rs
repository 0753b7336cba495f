//! How many files this process may have open: every connection is one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io;

/// What a process without a limit is taken to have.
const UNLIMITED: u64 = 1 << 20;

/// Raises the limit as far as this process may, and answers it.
///
/// # Errors
/// If the system refuses.
pub fn raise() -> io::Result<u64> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
    Ok(limit())
}

/// The limit as it is now.
#[must_use]
pub fn limit() -> u64 {
    getrlimit(Resource::Nofile).current.unwrap_or(UNLIMITED).min(UNLIMITED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_raised_to_the_hard_one() {
        let hard = getrlimit(Resource::Nofile).maximum.unwrap_or(UNLIMITED).min(UNLIMITED);
        assert_eq!(raise().unwrap(), hard);
        assert_eq!(limit(), hard);
    }
}
