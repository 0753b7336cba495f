//! How providers are asked: HTTP as the libraries for OpenID Connect and OAuth want it sent, no redirect followed, in time, and no
//! more read than an answer needs.

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use oauth2::{AsyncHttpClient, HttpRequest, HttpResponse};
use runtime::error::BoxError;
use std::time::Duration;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest answer in bytes.
const ANSWER_MAX: usize = 1 << 20;

/// The world of providers.
#[derive(Debug)]
pub(super) struct Outside(Client<HttpsConnector<HttpConnector>, Full<Bytes>>);

/// Why a provider could not be asked.
#[derive(Debug, thiserror::Error)]
#[error("the provider does not answer")]
pub(super) struct Silent(#[source] BoxError);

impl Outside {
    /// Providers prove themselves by whom the system trusts, or Mozilla where it trusts nobody.
    pub(super) fn new() -> Self {
        let tls = HttpsConnectorBuilder::new();
        let connector = tls.with_native_roots().unwrap_or_else(|_| HttpsConnectorBuilder::new().with_webpki_roots());
        Self(Client::builder(TokioExecutor::new()).build(connector.https_or_http().enable_http1().build()))
    }

    pub(super) async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, Silent> {
        let asked = async {
            let response = self.0.request(request.map(|body| Full::new(body.into()))).await?;
            let (head, body) = response.into_parts();
            let whole = Limited::new(body, ANSWER_MAX).collect().await?.to_bytes();
            Ok::<_, BoxError>(Response::from_parts(head, whole.to_vec()))
        };
        tokio::time::timeout(PATIENCE, asked).await.map_err(|late| Silent(late.into()))?.map_err(Silent)
    }
}

impl<'c> AsyncHttpClient<'c> for Outside {
    type Error = Silent;
    type Future = BoxFuture<'c, Result<HttpResponse, Silent>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        self.send(request).boxed()
    }
}
