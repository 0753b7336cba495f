//! The accept loop: it accepts until it is told to stop, then gives open requests some time.

use crate::answer::Answer;
use crate::body::Body;
use crate::client::{Client, Encrypted};
use crate::limits::Limits;
use crate::places::{Places, Seat};
use crate::pulse::Pulse;
use crate::stream::Told;
use crate::strict::ambiguous;
use crate::wire::{Tls, Wire};
use bytes::Bytes;
use http::{HeaderValue, Request, Response, Version, header};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// How long to wait when the process is out of file descriptors or the like.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// The longest head of a request.
const HEAD_MAX_BYTES: usize = 64 * 1024;
/// The most headers of a request.
const HEADERS_MAX: usize = 100;
/// Requests of one HTTP/2 connection at the same time.
const STREAMS_MAX: u32 = 128;
/// What one HTTP/2 request may have waiting for its client.
const SEND_BUFFER_MAX_BYTES: usize = 256 * 1024;

/// Answers the clients of `listener` within `limits` until `stop` fires, and then those that have asked already.
pub async fn serve<F, A, B>(listener: TcpListener, limits: Limits, answer: F, stop: CancellationToken)
where
    F: Fn(Request<Body>) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Response<B>> + Send + 'static,
    B: hyper::body::Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    serve_by(listener, limits, None, answer, stop).await;
}

/// The same of clients that speak TLS.
pub async fn serve_tls<F, A, B>(listener: TcpListener, limits: Limits, tls: Tls, answer: F, stop: CancellationToken)
where
    F: Fn(Request<Body>) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Response<B>> + Send + 'static,
    B: hyper::body::Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    serve_by(listener, limits, Some(tls), answer, stop).await;
}

async fn serve_by<F, A, B>(listener: TcpListener, limits: Limits, tls: Option<Tls>, answer: F, stop: CancellationToken)
where
    F: Fn(Request<Body>) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Response<B>> + Send + 'static,
    B: hyper::body::Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let (http, limits, graceful) = (protocols(limits.http2), Arc::new(limits), GracefulShutdown::new());
    let places = Arc::new(Places::new(Arc::clone(&limits)));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            accepted = accept(&listener, &places) => accepted,
        };
        while connections.try_join_next().is_some() {}
        let Some((stream, room, peer)) = accepted else { continue };
        let Some(place) = places.seat(room, peer) else {
            tracing::debug!(%peer, "an address has as many connections as it may");
            continue;
        };
        let told = Told::new(stream, Arc::clone(&place.pulse));
        let door = Door { limits: Arc::clone(&limits), pulse: Arc::clone(&place.pulse), peer, tls: tls.is_some() };
        let service = service_fn(answering(door, answer.clone()));
        let (http, tls, watcher) = (http.clone(), tls.clone(), graceful.watcher());
        let connection = async move {
            let wire = Wire::open(told, tls).await?;
            watcher.watch(http.serve_connection(TokioIo::new(wire), service).into_owned()).await
        };
        connections.spawn(attend(connection, place, Arc::clone(&limits)));
    }
    drop(listener);
    if timeout(limits.drain, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests were still open at the deadline and are cut off");
    }
    connections.shutdown().await;
}

/// What every request of a connection is seen through.
#[derive(Clone)]
struct Door {
    limits: Arc<Limits>,
    pulse: Arc<Pulse>,
    peer: IpAddr,
    tls: bool,
}

/// What hyper calls with each request of a connection.
fn answering<F, A, B>(door: Door, answer: F) -> impl Fn(Request<Incoming>) -> Answering<B> + Send + 'static
where
    F: Fn(Request<Body>) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Response<B>> + Send + 'static,
    B: hyper::body::Body<Data = Bytes> + Send + Unpin + 'static,
{
    move |request| {
        let hand = door.pulse.begin(request.version() == Version::HTTP_2);
        let (mut head, incoming) = request.into_parts();
        let last = head.version <= Version::HTTP_11 && ambiguous(&head).is_some();
        let body = Body::new(incoming, &head, &door.limits);
        head.extensions.insert(Client::of(door.peer, &head.headers, &door.limits));
        head.extensions.insert(Encrypted(door.tls || Encrypted::of(door.peer, &head.headers, &door.limits).0));
        let answered = answer(Request::from_parts(head, body));
        Box::pin(async move {
            let mut response = answered.await;
            if last {
                // Another reader could take what follows for another request than we do, so nothing may follow.
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Ok(response.map(|body| Answer::new(body, hand)))
        })
    }
}

type Answering<B> = std::pin::Pin<Box<dyn Future<Output = Result<Response<Answer<B>>, Infallible>> + Send>>;

/// Lets the connection go on for as long as it does something and its place is its own.
async fn attend<E: std::fmt::Display>(
    connection: impl Future<Output = Result<(), E>>,
    place: Seat,
    limits: Arc<Limits>,
) {
    tokio::select! {
        ended = connection => {
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection ended early");
            }
        }
        why = overdue(&place.pulse, &limits) => tracing::debug!(why, "a connection is ended"),
        () = place.give_way.cancelled() => tracing::debug!("an idle connection gives way"),
    }
}

async fn overdue(pulse: &Pulse, limits: &Limits) -> &'static str {
    loop {
        sleep(limits.tick()).await;
        if let Some(why) = pulse.overdue(limits) {
            return why;
        }
    }
}

fn protocols(http2: bool) -> auto::Builder<TokioExecutor> {
    let mut http = auto::Builder::new(TokioExecutor::new());
    // The pulse of a connection tells when a head is late; here, an idle connection would be one as well.
    http.http1()
        .timer(TokioTimer::new())
        .header_read_timeout(None)
        .max_buf_size(HEAD_MAX_BYTES)
        .max_headers(HEADERS_MAX);
    http.http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(HEAD_MAX_BYTES as u32)
        .max_send_buf_size(SEND_BUFFER_MAX_BYTES);
    if http2 { http } else { http.http1_only() }
}

async fn accept(listener: &TcpListener, places: &Places) -> Option<(TcpStream, OwnedSemaphorePermit, IpAddr)> {
    let room = places.room().await?;
    match connect(listener).await {
        Ok((stream, peer)) => Some((stream, room, peer.ip().to_canonical())),
        Err(error) => {
            // Out of file descriptors, an idle connection is worth less than a new one.
            let freed = places.free_one();
            tracing::warn!(%error, freed, "failed to accept a connection");
            sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

async fn connect(listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    let (stream, peer) = listener.accept().await?;
    // Answers are written whole, so there is nothing to gather.
    stream.set_nodelay(true)?;
    Ok((stream, peer))
}
