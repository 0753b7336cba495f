//! What a page may load and do. Its one style sheet and its one script are told from whatever somebody smuggles into it by a nonce
//! of this answer alone.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderValue, header};
use uuid::Uuid;

tokio::task_local! {
    static NONCE: String;
}

fn new() -> String {
    Uuid::new_v4().simple().to_string()
}

/// The nonce of the answer that is made; none where no page is.
pub(super) fn nonce() -> Option<String> {
    NONCE.try_with(Clone::clone).ok()
}

/// Everything else comes from here, nothing is inline, nobody frames us.
fn policy(nonce: &str) -> Option<HeaderValue> {
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; connect-src 'self'; \
         img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    );
    policy.parse().ok()
}

fn with(mut response: Response, nonce: &str) -> Response {
    if let Some(policy) = policy(nonce) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// Gives every answer a nonce of its own, and the policy that names it.
pub(crate) async fn apply(request: Request, next: Next) -> Response {
    let nonce = new();
    let response = NONCE.scope(nonce.clone(), next.run(request)).await;
    with(response, &nonce)
}

/// The same for a page that is made where no answer of the dashboard is.
pub(super) fn of_page(make: impl FnOnce() -> Response) -> Response {
    if nonce().is_some() {
        return make();
    }
    let nonce = new();
    let response = NONCE.sync_scope(nonce.clone(), make);
    with(response, &nonce)
}
