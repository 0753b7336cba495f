//! A problem shown as a page.

use super::form::is_for_guest;
use super::layout::{self, Page};
use super::policy;
use crate::problem::{self, Problem};
use axum::extract::rejection::{FormRejection, PathRejection, QueryRejection};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use maud::{Markup, html};

/// Longest form in bytes.
pub(crate) const FORM_MAX: usize = 16 << 10;

/// A problem shown as a page.
pub(crate) struct Failed(Problem);

impl<E: Into<Problem>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        failed(&self.0)
    }
}

impl From<FormRejection> for Problem {
    fn from(rejection: FormRejection) -> Self {
        if rejection.status() == http::StatusCode::PAYLOAD_TOO_LARGE {
            Self::BodyTooLarge(FORM_MAX)
        } else {
            Self::invalid(rejection)
        }
    }
}

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Self {
        Self::invalid(rejection)
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::invalid(rejection)
    }
}

/// The page of a problem.
pub(crate) fn failed(problem: &Problem) -> Response {
    policy::of_page(|| page_of(problem))
}

fn page_of(problem: &Problem) -> Response {
    let (code, _, title) = problem.kind();
    let content = html! {
        h1 { (title) }
        p.lead { (layout::sentence(&problem.to_string())) }
        p { "Code: " code { (code) } }
        p { a href="/" { "All sites" } }
    };
    let page = Page { title, signed_in: !is_for_guest(), refreshes: None }.render(&content);
    refused(problem, page)
}

/// A page that tells of a problem, with its status.
pub(super) fn refused(problem: &Problem, page: Markup) -> Response {
    let (code, status, _) = problem.kind();
    problem::report(problem, code, status);
    let mut response = (status, page).into_response();
    let headers = response.headers_mut();
    if let Some(seconds) = problem.retry_after() {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
