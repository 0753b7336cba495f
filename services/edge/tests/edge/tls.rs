//! Readers who speak TLS, and those who are led to it.

use crate::header;
use crate::world::{Edge, World};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::{Request, Response, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A certificate for the names of all sites, as files, and a reader who trusts it.
fn trusted(folder: &Path) -> RootCertStore {
    let made: CertifiedKey<KeyPair> = generate_simple_self_signed(vec!["*.sites.localhost".to_owned()]).unwrap();
    std::fs::write(folder.join("sites.pem"), made.cert.pem()).unwrap();
    std::fs::write(folder.join("sites.key"), made.signing_key.serialize_pem()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    roots
}

/// A reader who speaks these versions of TLS and of HTTP.
struct Reader {
    roots: RootCertStore,
    tls: &'static SupportedProtocolVersion,
    http: Version,
}

impl Reader {
    async fn connected(&self, edge: &Edge, name: &str) -> std::io::Result<TlsStream<TcpStream>> {
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_protocol_versions(&[self.tls]).unwrap();
        let mut config = builder.with_root_certificates(self.roots.clone()).with_no_client_auth();
        let http = if self.http == Version::HTTP_2 { "h2" } else { "http/1.1" };
        config.alpn_protocols = vec![http.into()];
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let stream = TcpStream::connect(edge.tls.unwrap()).await?;
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }

    async fn get(&self, edge: &Edge, host: &str, path: &str) -> Response<Incoming> {
        let stream = TokioIo::new(self.connected(edge, host).await.unwrap());
        let request = Request::get(format!("https://{host}{path}")).header("host", host);
        if self.http == Version::HTTP_2 {
            let (mut sender, connection) =
                hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.unwrap();
            tokio::spawn(connection);
            return sender.send_request(request.body(Empty::<bytes::Bytes>::new()).unwrap()).await.unwrap();
        }
        let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        let request = request.uri(path).body(Empty::<bytes::Bytes>::new()).unwrap();
        sender.send_request(request).await.unwrap()
    }
}

async fn with_certificates(world: &World, folder: &Path) -> Edge {
    let tls = edge::Tls { listen: "127.0.0.1:0".parse().unwrap(), certificates: Some(folder.to_owned()) };
    world.edge_as(|config| edge::Config { tls: Some(tls), ..config }).await
}

#[tokio::test]
async fn a_name_with_a_certificate_is_served_over_tls_in_all_its_versions_and_of_http() {
    let (world, folder) = (World::start().await, tempfile::tempdir().unwrap());
    let roots = trusted(folder.path());
    let edge = with_certificates(&world, folder.path()).await;
    world.create("docs").await;
    world.put("docs", 1, &[("index.html", "home")]).await;
    world.promote("docs", "live", 1).await;
    let reader = |tls, http| Reader { roots: roots.clone(), tls, http };
    let led = |headers: &_| header(headers, "location").starts_with("https://");
    edge.until_answers("docs", "/", &[], led).await;
    for (tls, http) in
        [(&TLS13, Version::HTTP_2), (&TLS13, Version::HTTP_11), (&TLS12, Version::HTTP_2), (&TLS12, Version::HTTP_11)]
    {
        let answer = reader(tls, http).get(&edge, "docs.sites.localhost", "/").await;
        assert_eq!((answer.status().as_u16(), answer.version()), (200, http));
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "home");
    }
    let reader = reader(&TLS13, Version::HTTP_11);
    for name in ["www.example", "a.docs.sites.localhost", "127.0.0.1"] {
        let refused = reader.connected(&edge, name).await.unwrap_err().to_string();
        assert!(refused.contains("alert"), "{name}: {refused}");
    }
    edge.stop().await;
}

#[tokio::test]
async fn readers_of_a_name_with_a_certificate_are_led_to_tls() {
    let (world, folder) = (World::start().await, tempfile::tempdir().unwrap());
    trusted(folder.path());
    let edge = with_certificates(&world, folder.path()).await;
    let port = edge.tls.unwrap().port();
    for (host, path, expected) in [
        ("docs.sites.localhost", "/a%20b?c=d", "https://docs.sites.localhost/a%20b?c=d".to_owned()),
        ("docs.sites.localhost:8081", "/", format!("https://docs.sites.localhost:{port}/")),
        ("www.example", "/", String::new()),
        ("docs.sites.localhost", "/.well-known/acme-challenge/token", String::new()),
    ] {
        let answer = edge.get(host, path).await;
        assert_eq!(header(answer.headers(), "location"), expected, "{host}{path}");
        assert_eq!(answer.status().as_u16() == 308, !expected.is_empty(), "{host}{path}");
    }
    edge.stop().await;
}
