//! The page that asks for a password: it needs no script, and is as plain as the others that are ours.

use super::PRIVATE;
use crate::body::{self, Body};
use crate::respond::{self, NOINDEX, X_ROBOTS_TAG};
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use percent_encoding::percent_decode_str;
use secrecy::SecretString;

const TYPE: &str = "application/x-www-form-urlencoded";

/// What is said above the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    Nothing,
    Wrong,
    TooMany,
}

/// Whether a request is what the form sends.
pub(super) fn is_one(request: &Parts) -> bool {
    let kind = request.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    request.method == Method::POST && kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(TYPE)
}

/// What was typed.
pub(super) fn password(text: &[u8]) -> Option<SecretString> {
    let text = std::str::from_utf8(text).ok()?;
    let value = text.split('&').find_map(|pair| pair.strip_prefix("password="))?.replace('+', " ");
    let typed = percent_decode_str(&value).decode_utf8().ok()?;
    Some(typed.into_owned().into())
}

pub(super) fn page(said: Said, method: &Method) -> Response<Body> {
    let (status, code, words) = match said {
        Said::Nothing => (StatusCode::UNAUTHORIZED, "password_needed", None),
        Said::Wrong => (StatusCode::UNAUTHORIZED, "password_wrong", Some("This is not the password.")),
        Said::TooMany => (
            StatusCode::TOO_MANY_REQUESTS,
            "too_many_tries",
            Some("There were too many tries. Please wait a few minutes."),
        ),
    };
    let said = words.map(|words| format!("<p id=\"said\" role=\"alert\">{words}</p>\n")).unwrap_or_default();
    let described = if words.is_some() { " aria-describedby=\"said\" aria-invalid=\"true\"" } else { "" };
    let html = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>Password needed</title>\n\
         <main>\n<h1>This site asks for a password</h1>\n{said}<form method=\"post\">\n\
         <p><label for=\"password\">Password</label>\n\
         <input id=\"password\" name=\"password\" type=\"password\" required autocomplete=\"current-password\"{described}></p>\n\
         <p><button>Open</button></p>\n</form>\n<p><code>{code}</code></p>\n</main>\n"
    );
    let length = html.len();
    let mut response = Response::new(if method == Method::HEAD { body::empty() } else { body::full(html.into()) });
    *response.status_mut() = status;
    let mut headers = respond::careful();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CONTENT_LENGTH, length.into());
    headers.insert(CACHE_CONTROL, PRIVATE);
    headers.insert(X_ROBOTS_TAG, NOINDEX);
    match status {
        StatusCode::UNAUTHORIZED => headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Form")),
        _ => headers.insert(RETRY_AFTER, super::tries::SECONDS.into()),
    };
    *response.headers_mut() = headers;
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret as _;

    #[test]
    fn what_was_typed_is_read_as_a_browser_sends_it() {
        let read = |text: &str| password(text.as_bytes()).map(|typed| typed.expose_secret().to_owned());
        assert_eq!(read("password=correct+horse%26%C3%A9").as_deref(), Some("correct horse&é"));
        assert_eq!(read("x=1&password=").as_deref(), Some(""));
        for none in ["", "pass=x", "password=%FF"] {
            assert_eq!(read(none), None, "{none}");
        }
    }
}
