//! Who is let through: requests with a token in their header, pages with a session, forms of our own pages.

use crate::app::Shared;
use crate::auth::{Bearer, bearer, client};
use crate::caller::Who;
use crate::problem::Problem;
use crate::request_key::Key;
use crate::sessions::Visit;
use crate::token::presented;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{Method, header};
use runtime::telemetry;

/// Looks at the token in the header once for all that follows, so that a wrong one counts once.
pub(crate) async fn recognize(
    State(app): State<Shared>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if let Some(token) = presented(request.headers()) {
        let (token, client) = (token.to_owned(), client(request.extensions()));
        if let Some(who) = app.holder(&token, client).await?
            && let Some(caller) = app.caller(who).await?
        {
            if let Who::Token(id) = caller.who {
                app.uses.note(id);
            }
            request.extensions_mut().insert(Bearer(caller));
        }
    }
    Ok(next.run(request).await)
}

/// Lets API requests through that have a token. A session will do where nothing changes, so that pages can follow streams;
/// a command needs the header, which no other site can make a browser send.
pub(crate) async fn require_token(
    State(app): State<Shared>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    // A request's body cannot be shared between threads, its head can.
    let (head, body) = request.into_parts();
    let caller = match head.method {
        Method::GET | Method::HEAD => app.asks(&head.extensions, &head.headers).await?,
        _ => bearer(&head.extensions),
    };
    let visit = bearer(&head.extensions).is_none().then(|| Visit::of(&head.headers)).flatten();
    let mut request = Request::from_parts(head, body);
    let caller = caller.ok_or(Problem::Unauthorized)?;
    telemetry::http_asked_by(&caller.actor);
    let left = app.pace.take(&caller.who)?;
    let key = Key::of(request.headers())?;
    request.extensions_mut().insert(caller.with_key(key));
    if let Some(visit) = visit {
        request.extensions_mut().insert(visit);
    }
    let mut response = next.run(request).await;
    if let Some(left) = left {
        left.tell(response.headers_mut());
    }
    Ok(response)
}

/// Whether a form was sent by one of our own pages, as the browser says: outright, or by naming the page's origin. A token in
/// the header needs no such proof.
pub(crate) fn is_from_here(request: &Request) -> bool {
    let text = |name: header::HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
    if bearer(request.extensions()).is_some() {
        return true;
    }
    if let Some(site) = text(header::HeaderName::from_static("sec-fetch-site")) {
        return matches!(site, "same-origin" | "none");
    }
    let origin = text(header::ORIGIN).and_then(|origin| origin.split_once("://"));
    origin.is_some_and(|(_, authority)| Some(authority) == text(header::HOST))
}
