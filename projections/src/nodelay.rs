//! What is sent to Postgres is sent at once.
//!
//! sqlx 0.9.0 leaves Nagle's algorithm on (its issue 4335, mended after that release). The end of a COPY then waits for the
//! acknowledgement of its rows, which Linux delays by 40 ms. sqlx keeps its socket to itself, so it is found among those of
//! this process; where that is not allowed, writing is slower and nothing else.

use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};
use sqlx::postgres::PgPoolOptions;
use std::io;
use std::net::TcpStream;
use std::os::fd::{AsFd as _, BorrowedFd, RawFd};

/// Turns it off for each connection to `port` that the pool makes.
pub(crate) fn on_connecting(pool: PgPoolOptions, port: u16) -> PgPoolOptions {
    pool.after_connect(move |_, _| {
        Box::pin(async move {
            // With many open files it takes a moment.
            let set = tokio::task::spawn_blocking(move || set(port)).await;
            if let Err(error) = set.map_err(io::Error::other).flatten() {
                tracing::debug!(%error, "what is sent to Postgres may be delayed");
            }
            Ok(())
        })
    })
}

/// Turns it off for every connection of this process to a `port`.
fn set(port: u16) -> io::Result<()> {
    let this = pidfd_open(getpid(), PidfdFlags::empty())?;
    for entry in std::fs::read_dir("/proc/self/fd")? {
        let Some(number) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        if let Some(stream) = socket(this.as_fd(), number)?.filter(|stream| leads_to(stream, port)) {
            stream.set_nodelay(true)?;
        }
    }
    Ok(())
}

/// A second handle of a socket of this process. One that was closed meanwhile, and what is no socket, is none.
fn socket(this: BorrowedFd<'_>, number: RawFd) -> io::Result<Option<TcpStream>> {
    let link = std::fs::read_link(format!("/proc/self/fd/{number}"));
    if !link.is_ok_and(|link| link.to_string_lossy().starts_with("socket:")) {
        return Ok(None);
    }
    match pidfd_getfd(this, number, PidfdGetfdFlags::empty()) {
        Ok(handle) => Ok(Some(TcpStream::from(handle))),
        Err(rustix::io::Errno::BADF) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn leads_to(stream: &TcpStream, port: u16) -> bool {
    stream.peer_addr().is_ok_and(|peer| peer.port() == port)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn connections_to_the_port_send_at_once_and_others_stay_as_they_are() {
        let (there, elsewhere) = (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
        let to = |listener: &TcpListener| TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (first, second, other) = (to(&there), to(&there), to(&elsewhere));
        set(there.local_addr().unwrap().port()).unwrap();
        let at_once = [&first, &second, &other].map(|stream| stream.nodelay().unwrap());
        assert_eq!(at_once, [true, true, false]);
    }
}
