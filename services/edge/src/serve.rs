//! From a request to its answer. One request sees one deploy: the table is read once, and everything after that is
//! found in that deploy's manifest.

mod gone;

use crate::backend::Backends;
use crate::body::{self, Body};
use crate::content::{Content, Failure};
use crate::doors::{Doors, Judged, Knock, has_token, private};
use crate::encoding;
use crate::fold::{InService, Shown};
use crate::hosts;
use crate::refusal::Refusal;
use crate::respond::{self, Reply, is_read};
use crate::routes::{Domain, Door, Kind, Route, Target};
use crate::secure::{self, ENCRYPTED, Secure};
use crate::variants::Variant;
use answers::{Answer, Decided, Found, has_extension, host, location, path_of};
use events::access::Mode;
use events::routing::Leads;
use events::{DeployId, SiteId};
use http::header::{ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_TYPE, COOKIE, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use opentelemetry::KeyValue;
use opentelemetry::metrics::Histogram;
use opentelemetry_semantic_conventions::attribute::{HTTP_REQUEST_METHOD, HTTP_RESPONSE_STATUS_CODE, URL_SCHEME};
use opentelemetry_semantic_conventions::metric::HTTP_SERVER_REQUEST_DURATION;
use rules::{Asked, Matcher};
use runtime::clock;
use std::sync::Arc;
use storage::SiteFile;
use tokio::time::Instant;

/// Answers operators, on any host that cannot be a site's.
const HEALTH: &str = "/.well-known/pagefold/health";
/// Bucket boundaries in seconds the conventions advise for HTTP.
const SECONDS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

pub(crate) struct Pages {
    base_domain: String,
    table: InService,
    content: Arc<Content>,
    backends: Backends,
    doors: Doors,
    secure: Option<Secure>,
    duration: Histogram<f64>,
}

impl Pages {
    pub(crate) fn new(
        base_domain: &str,
        table: InService,
        content: Arc<Content>,
        backends: Backends,
        doors: Doors,
    ) -> Self {
        let duration = opentelemetry::global::meter("pagefold")
            .f64_histogram(HTTP_SERVER_REQUEST_DURATION)
            .with_unit("s")
            .with_boundaries(SECONDS.to_vec())
            .with_description("Duration of HTTP server requests until the answer's head.")
            .build();
        let base_domain = base_domain.trim_matches('.').to_ascii_lowercase();
        Self { base_domain, table, content, backends, doors, secure: None, duration }
    }

    /// The same beside a listener that speaks TLS: readers of names that it has certificates for are sent there.
    pub(crate) fn beside(self, secure: Secure) -> Self {
        Self { secure: Some(secure), ..self }
    }

    /// `body` is what comes with the request: only a server behind a route wants it.
    pub(crate) async fn answer(&self, request: &Parts, body: listener::Body) -> Response<Body> {
        let started = Instant::now();
        let (host, is_encrypted) = (hosts::of(request), secure::is_encrypted(request));
        let response = match host.and_then(host::name) {
            _ if listener::ambiguous(request).is_some() => Refusal::HeaderMalformed.page(&request.method, None),
            Some(name) if let Some(proof) = secure::proof(&self.table, &name, request) => proof,
            Some(name) => match self.secure.as_ref().and_then(|secure| secure.leads(&name, request)) {
                Some(location) => answered(respond::routed(&location, ENCRYPTED), body::empty()),
                None => self.of_host(&name, request, body).await,
            },
            None => self.of_nobody(request),
        };
        let (elapsed, status) = (started.elapsed(), response.status().as_u16());
        tracing::debug!(method = %request.method, host, path = request.uri.path(), status, ?elapsed, "answered");
        let method = match request.method {
            Method::GET => "GET",
            Method::HEAD => "HEAD",
            _ => "_OTHER",
        };
        let attributes = [
            KeyValue::new(HTTP_REQUEST_METHOD, method),
            KeyValue::new(HTTP_RESPONSE_STATUS_CODE, i64::from(status)),
            KeyValue::new(URL_SCHEME, if is_encrypted { "https" } else { "http" }),
        ];
        self.duration.record(elapsed.as_secs_f64(), &attributes);
        response
    }

    /// Whoever asks has to get past the door of the site whose host it is, if that is closed.
    async fn of_host(&self, name: &str, request: &Parts, body: listener::Body) -> Response<Body> {
        let table = self.table.load_full();
        let door = match table.as_ref().and_then(|table| self.at(table, name)) {
            Some(At::Leads(to)) => return answered(respond::moved(to, request), body::empty()),
            Some(At::Door(door)) => Some(door),
            None => None,
        };
        let Some(door) = door.filter(|door| door.mode != Mode::Public || has_token(request)) else {
            return self.inside(name, table.as_ref(), request, body).await;
        };
        let knock = Knock { door: &door, host: name, request };
        // Boxed: most hosts are open.
        match self.doors.judge(&knock) {
            Judged::Open => Box::pin(self.inside(name, table.as_ref(), request, body)).await,
            Judged::Inside => private(Box::pin(self.inside(name, table.as_ref(), request, body)).await),
            judged @ (Judged::Link(..) | Judged::Ticket(_) | Judged::Closed) => {
                Box::pin(self.doors.answer(judged, &knock, body)).await
            }
        }
    }

    /// What answers on a host that is open to whoever asks. A route goes before its site, and needs none.
    async fn inside(
        &self,
        name: &str,
        table: Option<&Arc<Shown>>,
        request: &Parts,
        body: listener::Body,
    ) -> Response<Body> {
        if let Some(table) = table.filter(|table| table.routes.leads(name))
            && let Some(path) = path_of(request.uri.path())
            && let Some(found) = table.routes.led(name, &path)
        {
            // Boxed: most hosts have no routes.
            return Box::pin(self.of_route(table, &found, request, body)).await;
        }
        drop(body);
        match host::label(name, &self.base_domain) {
            Some(label) => self.of_site(label, table.map(|table| &**table), request).await,
            None => match table.and_then(|table| Some((table, table.routes.domain(name)?))) {
                Some((table, Domain::Shows(site))) => self.of_live(table, site, request).await,
                Some((_, Domain::Leads(_))) | None => self.of_nobody(request),
            },
        }
    }

    /// Whether readers of a host are led on, or what stands between them and its site.
    fn at<'t>(&self, table: &'t Shown, name: &str) -> Option<At<'t>> {
        match (host::label(name, &self.base_domain), &table.routes) {
            (Some(label), routes) => routes.door(label).map(At::Door),
            (None, routes) => match routes.domain(name)? {
                Domain::Leads(to) => Some(At::Leads(to.as_str())),
                Domain::Shows(site) => routes.live_door(site).map(At::Door),
            },
        }
    }

    fn of_nobody(&self, request: &Parts) -> Response<Body> {
        if request.uri.path() == HEALTH { self.health() } else { Refusal::SiteNotFound.page(&request.method, None) }
    }

    async fn of_route(
        &self,
        table: &Shown,
        found: &Found<'_, '_>,
        request: &Parts,
        sent: listener::Body,
    ) -> Response<Body> {
        match &found.led.leads {
            Leads::Redirect { to, status, segments } => {
                let location = location(to, *segments, found.below, request.uri.query());
                answered(respond::routed(&location, status.code()), body::empty())
            }
            Leads::Gone { page } => self.of_gone(table, page.as_ref(), request).await,
            Leads::Backend { backend } => {
                let answered = self.backends.ask(backend, request, sent).await;
                answered.unwrap_or_else(|refusal| refusal.page(&request.method, Some(Kind::Live)))
            }
            Leads::Site { site } => self.of_site_led_to(table, *site, request, sent).await,
        }
    }

    /// Another site's pages on this host, past the door that they have at home.
    async fn of_site_led_to(
        &self,
        table: &Shown,
        site: SiteId,
        request: &Parts,
        sent: listener::Body,
    ) -> Response<Body> {
        let host = hosts::of(request).and_then(host::name).unwrap_or_default();
        let door = table.routes.live_door(site).filter(|door| door.mode != Mode::Public || has_token(request));
        let judged = match &door {
            Some(door) => self.doors.judge(&Knock { door, host: &host, request }),
            None => Judged::Open,
        };
        match (judged, &door) {
            (Judged::Open | Judged::Inside, _) | (_, None) => {}
            (judged, Some(door)) => {
                return self.doors.answer(judged, &Knock { door, host: &host, request }, sent).await;
            }
        }
        let response = self.of_live(table, site, request).await;
        if judged == Judged::Inside { private(response) } else { response }
    }

    /// What a site shows live, on whichever host that is asked for.
    async fn of_live(&self, table: &Shown, site: SiteId, request: &Parts) -> Response<Body> {
        if !is_read(request) {
            return Refusal::MethodNotAllowed.page(&request.method, None);
        }
        let Some(target) = table.routes.live(site) else { return Refusal::SiteNotFound.page(&request.method, None) };
        let former = || table.routes.former_live(site, clock::now().unix_timestamp());
        self.of_target(&target, request, former).await
    }

    async fn of_site(&self, label: &str, table: Option<&Shown>, request: &Parts) -> Response<Body> {
        if !is_read(request) {
            return Refusal::MethodNotAllowed.page(&request.method, None);
        }
        let Some(table) = table else { return Refusal::Starting.page(&request.method, None) };
        let target = match table.routes.resolve(label) {
            Some(Route::Shows(target)) => target,
            Some(Route::Moved(label)) => {
                let moved = respond::moved(&format!("{label}.{}", self.base_domain), request);
                return answered(moved, body::empty());
            }
            None => return Refusal::SiteNotFound.page(&request.method, None),
        };
        let former = || table.routes.former(label, clock::now().unix_timestamp());
        self.of_target(&target, request, former).await
    }

    async fn of_target(
        &self,
        target: &Target,
        request: &Parts,
        former: impl FnOnce() -> Vec<DeployId>,
    ) -> Response<Body> {
        let refuse = |refusal: Refusal| refusal.page(&request.method, Some(target.kind));
        self.of_deploy(target, request, former).await.unwrap_or_else(|failure| {
            let refusal = refusal(&failure, target.kind);
            if refusal != Refusal::SiteNotFound {
                let error = &*failure as &dyn std::error::Error;
                tracing::warn!(error, site = %target.site, deploy = %target.deploy, "cannot answer a request");
            }
            refuse(refusal)
        })
    }

    async fn of_deploy(
        &self,
        target: &Target,
        request: &Parts,
        former: impl FnOnce() -> Vec<DeployId>,
    ) -> Result<Response<Body>, Arc<Failure>> {
        let manifest = match target.kind {
            // Boxed: most requests need no room for it.
            Kind::Deploy => Box::pin(self.content.standing(&target.site, &target.deploy)).await?,
            Kind::Live | Kind::Demo | Kind::Preview => self.content.manifest(&target.site, &target.deploy).await?,
        };
        if answers::keeps_away(target.kind == Kind::Live, request.uri.path()) {
            let text = if request.method == Method::HEAD { "" } else { answers::KEEP_AWAY };
            return Ok(answered(respond::robots(target), body::full(text.into())));
        }
        let refuse = |refusal: Refusal| Ok(refusal.page(&request.method, Some(target.kind)));
        let asked = asked(request, manifest.rules());
        let Decided { answer, .. } = answers::answer(&manifest, manifest.rules(), target.serving, &asked);
        if matches!(answer, Answer::NotFound(_)) && has_extension(request.uri.path()) {
            // Boxed: most requests need no room for it.
            if let Some(response) = Box::pin(self.of_former(target, request, former())).await {
                return Ok(response);
            }
        }
        let (mut reply, sent) = match answer {
            Answer::File(file) if encoding::is_encodable(file) => {
                let variant = self.content.variant(target.site, file, &request.headers);
                let reply = respond::encodable(file, variant.as_ref(), target, request);
                (reply, Some(Sent { file, variant }))
            }
            Answer::File(file) => (respond::file(file, target, request), Some(Sent::plain(file))),
            Answer::NotFound(Some(page)) => {
                (respond::shown_as(page, StatusCode::NOT_FOUND, target, request), Some(Sent::plain(page)))
            }
            Answer::As(page, status) => {
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::NOT_FOUND);
                (respond::shown_as(page, status, target, request), Some(Sent::plain(page)))
            }
            Answer::Led { location, status } => (respond::led(&location, status, target), None),
            Answer::Redirect(path) => (respond::redirect(&path, target, request), None),
            Answer::NotFound(None) => return refuse(Refusal::PageNotFound),
            Answer::Malformed => return refuse(Refusal::PathMalformed),
            Answer::TooLong => return refuse(Refusal::PathTooLong),
        };
        if let Some(rules) = manifest.rules() {
            respond::amend(&mut reply, rules, &asked, target.kind);
        }
        self.with_body(target, reply, sent).await
    }

    /// What a page of before needs and the present deploy does not have. A page itself is the present one's or none.
    async fn of_former(&self, target: &Target, request: &Parts, former: Vec<DeployId>) -> Option<Response<Body>> {
        let path = path_of(request.uri.path())?;
        for deploy in former {
            let Ok(manifest) = self.content.manifest(&target.site, &deploy).await else { continue };
            if let Some(file) = path.strip_prefix('/').and_then(|path| manifest.get(path)) {
                let reply = respond::file(file, target, request);
                return self.with_body(target, reply, Some(Sent::plain(file))).await.ok();
            }
        }
        None
    }

    async fn with_body(
        &self,
        target: &Target,
        reply: Reply,
        sent: Option<Sent<'_>>,
    ) -> Result<Response<Body>, Arc<Failure>> {
        let body = match sent.zip(reply.part.clone()) {
            Some((Sent { variant: Some(variant), .. }, _)) => body::full(variant.bytes),
            Some((Sent { file, variant: None }, range)) => self.content.body(&target.site, file, range).await?,
            None => body::empty(),
        };
        Ok(answered(reply, body))
    }

    fn health(&self) -> Response<Body> {
        let (status, text) = match &*self.table.load() {
            Some(table) => (StatusCode::OK, format!("{{\"status\":\"serving\",\"position\":{}}}\n", table.sequence)),
            None => (StatusCode::SERVICE_UNAVAILABLE, "{\"status\":\"starting\"}\n".to_owned()),
        };
        let mut response = Response::new(body::full(text.into()));
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

/// What a reader of a host meets first.
enum At<'t> {
    /// Another name, which they are to ask instead.
    Leads(&'t str),
    /// What stands between them and the site.
    Door(Door<'t>),
}

/// What the body is made of.
struct Sent<'m> {
    file: &'m SiteFile,
    variant: Option<Variant>,
}

impl<'m> Sent<'m> {
    const fn plain(file: &'m SiteFile) -> Self {
        Self { file, variant: None }
    }
}

fn answered(reply: Reply, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    (*response.status_mut(), *response.headers_mut()) = (reply.status, reply.headers);
    response
}

/// What rules look at, if there are any.
fn asked<'r>(request: &'r Parts, rules: Option<&Matcher>) -> Asked<'r> {
    let path = request.uri.path();
    if rules.is_none() {
        return Asked { path, ..Asked::default() };
    }
    let text = |name| request.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let host = hosts::of(request).unwrap_or_default();
    let host = host.split_once(':').map_or(host, |(name, _)| name);
    Asked { host, path, query: request.uri.query(), cookies: text(COOKIE), languages: text(ACCEPT_LANGUAGE) }
}

/// A deploy that is not there was never promised by its own host, but by an alias it was.
fn refusal(failure: &Failure, kind: Kind) -> Refusal {
    match (failure, kind) {
        // The second: it went after its manifest was read.
        (Failure::Absent | Failure::Storage(storage::Error::Missing { .. }), Kind::Deploy) => Refusal::SiteNotFound,
        (Failure::Absent, Kind::Live | Kind::Demo | Kind::Preview) => Refusal::StorageUnavailable,
        (Failure::TimedOut | Failure::Storage(_) | Failure::Size { .. }, _) if failure.is_transient() => {
            Refusal::StorageUnavailable
        }
        (Failure::TimedOut | Failure::Storage(_) | Failure::Size { .. }, _) => Refusal::StorageFailed,
    }
}
