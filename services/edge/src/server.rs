//! The HTTP loop: HTTP/1.1 and HTTP/2 without TLS, with limits on what one client may hold, until it is told to stop.

use crate::serve::Site;
use crate::stall::Moving;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// More clients than this wait in the listener's backlog.
const CONNECTIONS_MAX: usize = 4096;
/// How long a client may take for the head of a request, also for the first one.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection may stand still, whether idle or in the middle of an answer.
const STALL_TIMEOUT: Duration = Duration::from_secs(60);
/// How long open requests may take once the server is told to stop.
const DRAIN: Duration = Duration::from_secs(10);
/// How long to wait when the process is out of file descriptors or the like.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// The longest head of a request.
const HEAD_MAX_BYTES: usize = 64 * 1024;
const STREAMS_MAX: u32 = 128;
const SEND_BUFFER_MAX_BYTES: usize = 256 * 1024;

pub(crate) async fn serve(listener: TcpListener, site: Arc<Site>, stop: CancellationToken) {
    let (http, graceful) = (protocols(), GracefulShutdown::new());
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            accepted = accept(&listener, &places) => accepted,
        };
        while connections.try_join_next().is_some() {}
        let Some((stream, place)) = accepted else { continue };
        let (site, begun) = (Arc::clone(&site), CancellationToken::new());
        let begin = begun.clone();
        let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
            begin.cancel();
            let site = Arc::clone(&site);
            async move { Ok::<_, Infallible>(site.answer(&request.into_parts().0).await) }
        });
        let io = TokioIo::new(Moving::new(stream, STALL_TIMEOUT));
        let connection = graceful.watch(http.serve_connection(io, service).into_owned());
        connections.spawn(async move {
            tokio::select! {
                ended = connection => {
                    if let Err(error) = ended {
                        tracing::debug!(%error, "a connection ended early");
                    }
                }
                () = silence(&begun) => tracing::debug!("a connection ended before its first request"),
            }
            drop(place);
        });
    }
    drop(listener);
    if timeout(DRAIN, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests were still open at the deadline and are cut off");
    }
    connections.shutdown().await;
}

fn protocols() -> auto::Builder<TokioExecutor> {
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT).max_buf_size(HEAD_MAX_BYTES);
    http.http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(HEAD_MAX_BYTES as u32)
        .max_send_buf_size(SEND_BUFFER_MAX_BYTES);
    http
}

/// Ends if the first request does not come in time. Until then the protocol is not known, and its own limits are not
/// in force.
async fn silence(begun: &CancellationToken) {
    if timeout(HEADER_TIMEOUT, begun.cancelled()).await.is_ok() {
        pending::<()>().await;
    }
}

async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match connect(listener).await {
        Ok(stream) => Some((stream, place)),
        Err(error) => {
            tracing::warn!(%error, "failed to accept a connection");
            sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

async fn connect(listener: &TcpListener) -> io::Result<TcpStream> {
    let (stream, _) = listener.accept().await?;
    // Answers are written whole, so there is nothing to gather.
    stream.set_nodelay(true)?;
    Ok(stream)
}
