//! The style sheet and the script of the dashboard, inside the executable, each under a name with the digest of its content.

use crate::app::Shared;
use crate::problem::Problem;
use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use events::Digest;
use http::header;
use std::sync::LazyLock;

/// A name with a digest never means other content.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

pub(crate) static STYLE: LazyLock<Asset> = LazyLock::new(|| Asset::new("style.css", "text/css; charset=utf-8", STYLES));
pub(crate) static SCRIPT: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("app.js", "text/javascript; charset=utf-8", SCRIPTS));

/// The tokens, and the rules that are made of them.
const STYLES: &str =
    concat!(include_str!("assets/tokens.css"), include_str!("assets/style.css"), include_str!("assets/parts.css"));
/// One script: each part may use those before.
const SCRIPTS: &str = concat!(
    include_str!("assets/times.js"),
    include_str!("assets/log.js"),
    include_str!("assets/slider.js"),
    include_str!("assets/preview.js"),
    include_str!("assets/check.js"),
    include_str!("assets/app.js"),
);

/// A file that is served as it is.
pub(crate) struct Asset {
    name: String,
    content_type: &'static str,
    text: &'static str,
}

impl Asset {
    fn new(name: &str, content_type: &'static str, text: &'static str) -> Self {
        let digest = Digest::of(text.as_bytes()).to_string();
        Self { name: format!("{}-{name}", &digest[..12]), content_type, text }
    }

    /// Its address.
    pub(crate) fn path(&self) -> String {
        format!("/assets/{}", self.name)
    }
}

pub(crate) fn routes() -> Router<Shared> {
    Router::new().route("/assets/{name}", get(read))
}

async fn read(Path(name): Path<String>) -> Response {
    match [&*STYLE, &*SCRIPT].into_iter().find(|asset| asset.name == name) {
        Some(asset) => ([(header::CONTENT_TYPE, asset.content_type), (header::CACHE_CONTROL, FOR_EVER)], asset.text)
            .into_response(),
        None => Problem::NotFound.into_response(),
    }
}
