//! Forms that change something. Each has a token that other sites cannot know: it follows from the installation's key and the
//! session, or, before there is one, from a cookie that comes with the form.

use crate::app::Shared;
use crate::cookies;
use crate::sessions::Visit;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{Extensions, header};
use maud::{Markup, html};
use std::sync::atomic::{AtomicBool, Ordering};
use subtle::ConstantTimeEq;

/// The field of the token.
const FIELD: &str = "form_token";
/// Whoever has not signed in is known by this cookie, between a form and what it sends.
const GUEST: &str = "pagefold_guest";
/// How long a form of theirs is good, in seconds.
const GUEST_S: i64 = 12 * 60 * 60;

/// What everybody may change: what is their own.
const OWN: [&str; 4] = ["/account", "/login", "/logout", "/invitations"];

tokio::task_local! {
    /// Whether whoever asks may look at everything and change nothing.
    static LOOKS_ONLY: bool;
    /// What the forms of the page have that is made for this request.
    static ISSUED: Issued;
}

struct Issued {
    token: String,
    /// Whether whoever asks has no session.
    is_guest: bool,
    /// Whether a form has it.
    is_used: AtomicBool,
}

/// What a form of whoever asks must have.
#[derive(Clone)]
struct Expected(String);

/// A form that is sent to `action`; `class` tells how it looks. Whoever may only look sees what its fields say, and no button by itself.
pub(super) fn form(class: &str, action: &str, fields: &Markup) -> Markup {
    let is_own = OWN.iter().any(|own| action.starts_with(own));
    if !is_own && LOOKS_ONLY.try_with(|looks_only| *looks_only).unwrap_or(false) {
        let has_fields = matches!(class, "fields" | "editor");
        return html! { @if has_fields { fieldset.plain disabled { div class=(class) { (fields) } } } };
    }
    let token = ISSUED.try_with(|issued| {
        issued.is_used.store(true, Ordering::Relaxed);
        issued.token.clone()
    });
    html! {
        form class=[(!class.is_empty()).then_some(class)] method="post" action=(action) {
            @if let Ok(token) = token { input type="hidden" name=(FIELD) value=(token); }
            (fields)
        }
    }
}

/// Makes an answer for somebody who may only look, or for anybody else.
pub(super) async fn made_for<T>(looks_only: bool, answering: impl Future<Output = T>) -> T {
    LOOKS_ONLY.scope(looks_only, answering).await
}

/// Whether whoever asks has no session, nor had one lately.
pub(super) fn is_for_guest() -> bool {
    ISSUED.try_with(|issued| issued.is_guest).unwrap_or(true)
}

/// Gives every request the token of whoever sends it. Who has no session gets a cookie with their first form.
pub(crate) async fn issue(State(app): State<Shared>, mut request: Request, next: Next) -> Response {
    let (visit, new) = (Visit::of(request.headers()), cookies::new_id());
    let guest = cookies::id(request.headers(), GUEST);
    let token = hex::encode(match &visit {
        Some(visit) => app.key.derive("form of a session v1", visit.key()),
        None => app.key.derive("form of a guest v1", guest.unwrap_or(&new).as_bytes()),
    });
    let (is_guest, is_new) = (visit.is_none(), visit.is_none() && guest.is_none());
    request.extensions_mut().insert(Expected(token.clone()));
    let answering = async {
        let mut response = next.run(request).await;
        let is_used = ISSUED.with(|issued| issued.is_used.load(Ordering::Relaxed));
        if is_new
            && is_used
            && let Ok(cookie) = cookies::cookie(GUEST, &new, GUEST_S)
        {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        response
    };
    ISSUED.scope(Issued { token, is_guest, is_used: AtomicBool::new(false) }, answering).await
}

/// Whether the body of a form has the token of whoever sends it; takes the same time wherever a guess goes wrong.
pub(super) fn is_ours(extensions: &Extensions, body: &[u8]) -> bool {
    let Some(Expected(token)) = extensions.get::<Expected>() else { return false };
    let mut pairs = body.split(|byte| *byte == b'&');
    let presented = pairs.find_map(|pair| pair.strip_prefix(FIELD.as_bytes())?.strip_prefix(b"="));
    presented.is_some_and(|presented| presented.ct_eq(token.as_bytes()).into())
}
