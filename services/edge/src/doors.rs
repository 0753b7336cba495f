//! Doors: what answers where a site is closed. A share link, a password or a ticket becomes a cookie, and goes out of the address.
//! All that it takes is in the table and in one key, so doors open and close while everything else is away.

mod form;
mod judge;
mod redirect;
mod tries;

use crate::body::Body;
use crate::refusal::Refusal;
use crate::respond::{NOINDEX, X_ROBOTS_TAG, is_read};
use crate::routes::Door;
use ::doors::{By, Key, Pass, Place, cookie_name, proves};
use events::PasswordHash;
use events::access::Mode;
use form::Said;
use http::header::{CACHE_CONTROL, COOKIE, HeaderValue};
use http::request::Parts;
use http::{Method, Response};
use http_body_util::{BodyExt as _, Limited};
use listener::{Client, Encrypted};
use moka::sync::Cache;
use opentelemetry::KeyValue;
use opentelemetry::metrics::Counter;
use runtime::clock;
use secrecy::SecretString;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::sync::watch;
use tries::Tries;
use uuid::Uuid;

pub(crate) use judge::{Judged, has_token};

/// How long a password opens a host, in seconds.
const PASSWORD_SECONDS: i64 = 12 * 60 * 60;
/// How long a member's ticket opens a host: whoever is a member no longer reads on for as long at most.
const MEMBER_SECONDS: i64 = 60 * 60;
/// The longest form, in bytes.
const FORM_MAX: usize = 4096;
/// Tickets that are known to be used.
const TICKETS_MAX: u64 = 100_000;
/// What is for some readers is nobody else's to keep.
pub(crate) const PRIVATE: HeaderValue = HeaderValue::from_static("private, no-store");

/// Where members sign in.
#[derive(Debug, Clone)]
pub enum SignIn {
    /// Nowhere: doors for members stay closed.
    Nowhere,
    /// At this address of web.
    At(String),
    /// At a web that tells where it is once it is there, on this machine.
    Moving(watch::Receiver<Option<SocketAddr>>),
}

/// A request at a door.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Knock<'k> {
    pub(crate) door: &'k Door<'k>,
    /// The host that is asked, in lower case and without its port.
    pub(crate) host: &'k str,
    pub(crate) request: &'k Parts,
}

pub(crate) struct Doors {
    key: Option<Key>,
    sign_in: SignIn,
    tries: Tries,
    used: Cache<Uuid, ()>,
    answers: Counter<u64>,
}

impl Doors {
    pub(crate) fn new(key: Option<Key>, sign_in: SignIn) -> Self {
        let answers = opentelemetry::global::meter("pagefold")
            .u64_counter("pagefold.edge.door.answers")
            .with_description("Answers at doors of closed sites, by what came of them.")
            .build();
        let lives = Duration::from_secs(u64::try_from(::doors::TICKET_SECONDS).unwrap_or_default() + 1);
        let used = Cache::builder().max_capacity(TICKETS_MAX).time_to_live(lives).build();
        Self { key, sign_in, tries: Tries::default(), used, answers }
    }

    /// What becomes of a request at a door.
    pub(crate) fn judge(&self, knock: &Knock<'_>) -> Judged {
        judge::judge(knock, self.key.as_ref(), now())
    }

    /// The answer to whoever is not inside yet.
    pub(crate) async fn answer(&self, judged: Judged, knock: &Knock<'_>, sent: listener::Body) -> Response<Body> {
        let Knock { door, request, .. } = *knock;
        let is_read = is_read(request);
        match (judged, door.mode, &self.key) {
            (Judged::Link(link, until), _, Some(key)) => {
                self.count("link");
                opened(key, knock, By::Link(link), until)
            }
            (Judged::Ticket(nonce), _, Some(key)) if self.used.entry(nonce).or_insert(()).is_fresh() => {
                self.count("ticket");
                opened(key, knock, By::Ticket, now() + MEMBER_SECONDS)
            }
            // For whoever has no link there is no such site.
            (_, Mode::Link, _) if is_read => {
                self.count("closed");
                Refusal::SiteNotFound.page(&request.method, None)
            }
            (_, Mode::Password, Some(key)) if form::is_one(request) => self.try_password(key, knock, sent).await,
            _ if !is_read => Refusal::MethodNotAllowed.page(&request.method, None),
            (_, Mode::Password, Some(_)) => {
                self.count("asked");
                form::page(Said::Nothing, &request.method)
            }
            (_, Mode::Members, Some(_)) => {
                self.count("asked");
                self.sign_in(knock)
            }
            (_, Mode::Public | Mode::Password | Mode::Members | Mode::Link, _) => {
                Refusal::DoorUnavailable.page(&request.method, None)
            }
        }
    }

    async fn try_password(&self, key: &Key, knock: &Knock<'_>, sent: listener::Body) -> Response<Body> {
        let client = knock.request.extensions.get::<Client>().map(|Client(address)| listener::network(*address));
        let Some(attempt) = self.tries.begin(client, knock.door.site) else {
            self.count("too_many");
            return form::page(Said::TooMany, &Method::POST);
        };
        let typed = match Limited::new(sent, FORM_MAX).collect().await {
            Ok(text) => form::password(&text.to_bytes()).unwrap_or_default(),
            Err(_) => SecretString::default(),
        };
        let Some(hash) = knock.door.hash else {
            // It was never set, so there is none that would be right.
            return form::page(Said::Wrong, &Method::POST);
        };
        match self.is_right(key, typed, hash).await {
            Some(true) => {
                attempt.succeeded();
                self.count("password");
                opened(key, knock, By::Password(hash), now() + PASSWORD_SECONDS)
            }
            Some(false) => {
                self.count("wrong");
                form::page(Said::Wrong, &Method::POST)
            }
            None => form::page(Said::TooMany, &Method::POST),
        }
    }

    /// None if too many others are asking.
    async fn is_right(&self, key: &Key, typed: SecretString, hash: &PasswordHash) -> Option<bool> {
        let _place = self.tries.place().await?;
        let (key, hash) = (key.clone(), hash.clone());
        tokio::task::spawn_blocking(move || proves(&key, &typed, &hash)).await.ok()
    }

    fn sign_in(&self, knock: &Knock<'_>) -> Response<Body> {
        let web = match &self.sign_in {
            SignIn::Nowhere => None,
            SignIn::At(url) => Some(url.trim_end_matches('/').to_owned()),
            SignIn::Moving(web) => web.borrow().map(|address| format!("http://{address}")),
        };
        match web {
            Some(web) => redirect::to_sign_in(&web, &knock.place(), knock.request),
            None => Refusal::DoorUnavailable.page(&knock.request.method, None),
        }
    }

    fn count(&self, outcome: &'static str) {
        self.answers.add(1, &[KeyValue::new("outcome", outcome)]);
    }
}

impl<'k> Knock<'k> {
    fn place(&self) -> Place<'k> {
        Place { site: self.door.site, host: self.host }
    }
}

/// The answer that lets somebody in: a cookie, and the same address without what opened it.
fn opened(key: &Key, knock: &Knock<'_>, by: By<'_>, until: i64) -> Response<Body> {
    let place = knock.place();
    let (name, pass) = (cookie_name(place.site), Pass::make(key, &place, by, until));
    let is_encrypted = knock.request.extensions.get::<Encrypted>().is_some_and(|Encrypted(is)| *is);
    let secure = if is_encrypted { "; Secure" } else { "" };
    let seconds = (until - now()).max(0);
    let cookie = format!("{name}={pass}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    redirect::to_itself(knock.request, &cookie)
}

/// Makes an answer from inside one that nobody else keeps or finds.
pub(crate) fn private(mut response: Response<Body>) -> Response<Body> {
    response.headers_mut().insert(CACHE_CONTROL, PRIVATE);
    response.headers_mut().insert(X_ROBOTS_TAG, NOINDEX);
    response
}

/// The cookies of a request, whichever way it has them.
pub(crate) fn cookies(request: &Parts) -> impl Iterator<Item = (&str, &str)> {
    let lines = request.headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='))
}

fn now() -> i64 {
    clock::now().unix_timestamp()
}
