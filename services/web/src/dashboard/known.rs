//! How far a page knows the log. A page that goes on by itself hears what came after that, so that nothing falls between its making and
//! its listening.

use crate::app::Shared;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::Method;

tokio::task_local! {
    static UP_TO: u64;
}

/// The sequence of a fact that the page which is made shows, as it does all before; none if that is not known.
pub(super) fn up_to() -> Option<u64> {
    UP_TO.try_with(|sequence| *sequence).ok()
}

/// Answers a request for a page, which may know more than it says but not less.
pub(super) async fn answer(app: &Shared, request: Request, next: Next) -> Response {
    let position = if *request.method() == Method::GET { app.model.position().await.ok() } else { None };
    // A model that knows nothing yet is about to be told everything: nobody listens to all of that.
    match position.filter(|position| *position > 0) {
        Some(position) => UP_TO.scope(position, next.run(request)).await,
        None => next.run(request).await,
    }
}
