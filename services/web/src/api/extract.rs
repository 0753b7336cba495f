//! Reads requests so that whatever is wrong with them is a problem with a code.

use crate::problem::Problem;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, OptionalFromRequest, Request};
use bytes::Bytes;
use http::StatusCode;
use http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use std::str::FromStr;

/// Longest body of a command, in bytes.
pub(crate) const BODY_MAX: usize = 64 << 10;

/// A JSON body.
pub(crate) struct Body<T>(pub(crate) T);

/// A query string.
pub(crate) struct Asked<T>(pub(crate) T);

/// The one parameter of a path, as its type. What cannot be the name of anything names nothing that is there.
pub(crate) struct Named<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let read = <axum::Json<Box<RawValue>> as FromRequest<S>>::from_request(request, state).await;
        let axum::Json(text) = read.map_err(|rejection| unreadable(&rejection))?;
        // A list of values would be taken for the fields in their order.
        if !text.get().starts_with('{') {
            return Err(Problem::InvalidInput("the body must be a JSON object".to_owned()));
        }
        let read = axum::Json::<T>::from_bytes(text.get().as_bytes());
        read.map(|axum::Json(body)| Self(body)).map_err(|rejection| unreadable(&rejection))
    }
}

/// What need not be there: nothing at all is none, and so is `null`.
impl<T: DeserializeOwned, S: Send + Sync> OptionalFromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Problem> {
        let (parts, body) = request.into_parts();
        let read = Bytes::from_request(Request::from_parts(parts.clone(), body), state).await;
        let text = read.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Problem::BodyTooLarge(BODY_MAX),
            _ => Problem::MalformedPayload(rejection.to_string()),
        })?;
        if matches!(text.trim_ascii(), b"" | b"null") {
            return Ok(None);
        }
        let whole = Request::from_parts(parts, text.into());
        <Self as FromRequest<S>>::from_request(whole, state).await.map(Some)
    }
}

/// The rejection's own text would repeat our type names; its source says what is wrong with the input.
fn unreadable(rejection: &JsonRejection) -> Problem {
    let mut why: &(dyn std::error::Error + 'static) = rejection;
    while let Some(source) = why.source() {
        why = source;
    }
    match rejection.status() {
        StatusCode::UNPROCESSABLE_ENTITY => Problem::invalid(without_place(why)),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Problem::UnsupportedMediaType("application/json"),
        StatusCode::PAYLOAD_TOO_LARGE => Problem::BodyTooLarge(BODY_MAX),
        _ => Problem::MalformedPayload(why.to_string()),
    }
}

/// A value that is wrong is named by its field: where it stands in the text says nothing to people.
fn without_place(why: &(dyn std::error::Error + 'static)) -> String {
    let text = why.to_string();
    let is_place = |rest: &str| rest.split(" column ").all(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
    match text.rsplit_once(" at line ") {
        Some((message, rest)) if is_place(rest) => message.to_owned(),
        _ => text,
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = axum::extract::Query::<T>::from_request_parts(parts, state).await;
        read.map(|axum::extract::Query(query)| Self(query)).map_err(Problem::invalid)
    }
}

impl<T, S> FromRequestParts<S> for Named<T>
where
    T: FromStr,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = axum::extract::Path::<String>::from_request_parts(parts, state).await.map_err(Problem::invalid)?;
        path.0.parse().map(Self).map_err(|_| Problem::NotFound)
    }
}
