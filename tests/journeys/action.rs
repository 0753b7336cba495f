//! The GitHub Action: its script waits for a build of a real platform, and comments at a stand-in of GitHub's API.

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use journeys::Platform;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::path::Path;
use std::process::Output;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/github-action/wait.sh");
const GITHUB_TOKEN: &str = "a-token-of-github";

/// The part of GitHub's API that comments on pull requests.
#[derive(Clone, Default)]
struct GitHub {
    /// Whatever was said in the pull request.
    comments: Arc<Mutex<Vec<String>>>,
}

impl GitHub {
    async fn listen(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let github = self.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let github = github.clone();
                let service = service_fn(move |request| {
                    let github = github.clone();
                    async move { Ok::<_, Infallible>(github.answer(request).await) }
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        address
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        assert_eq!(head.headers["authorization"], format!("Bearer {GITHUB_TOKEN}"));
        let body: Value = serde_json::from_slice(&body.collect().await.unwrap().to_bytes()).unwrap_or_default();
        let mut comments = self.comments.lock().unwrap();
        let text = || body["body"].as_str().unwrap().to_owned();
        let told = match (&head.method, head.uri.path()) {
            (&Method::GET, "/repos/acme/docs/issues/7/comments") => {
                let shown = |(id, body): (usize, &String)| json!({ "id": id, "body": body });
                json!(comments.iter().enumerate().map(shown).collect::<Vec<_>>())
            }
            (&Method::POST, "/repos/acme/docs/issues/7/comments") => {
                comments.push(text());
                json!({ "id": comments.len() - 1 })
            }
            (method, path) => {
                assert_eq!(method, Method::PATCH, "{path} is not asked for");
                let id: usize = path.strip_prefix("/repos/acme/docs/issues/comments/").unwrap().parse().unwrap();
                comments[id] = text();
                json!({ "id": id })
            }
        };
        Response::new(Full::from(told.to_string()))
    }
}

/// Runs the script as a workflow of a pull request does.
async fn wait(platform: &Platform, github: &str, commit: &str, outputs: &Path) -> Output {
    let mut script = tokio::process::Command::new("sh");
    script.arg(SCRIPT).env_clear().env("PATH", std::env::var("PATH").unwrap());
    script.env("PAGEFOLD_WEB_URL", platform.web()).env("PAGEFOLD_TOKEN", platform.token());
    script.env("PAGEFOLD_SITE", "acted").env("PAGEFOLD_COMMIT", commit).env("PAGEFOLD_PULL_REQUEST", "7");
    script.env("PAGEFOLD_INTERVAL_S", "1").env("PAGEFOLD_TIMEOUT_S", "120").env("GITHUB_TOKEN", GITHUB_TOKEN);
    script.env("GITHUB_API_URL", github).env("GITHUB_REPOSITORY", "acme/docs").env("GITHUB_OUTPUT", outputs);
    script.output().await.unwrap()
}

#[tokio::test]
async fn a_pull_request_is_told_once_where_its_commit_is_shown() {
    let platform = Platform::shared().await;
    let site = platform.site("acted", json!({ "engine": "node.js" })).await;
    let (github, folder) = (GitHub::default(), tempfile::tempdir().unwrap());
    let (address, outputs) = (github.listen().await, folder.path().join("outputs"));
    github.comments.lock().unwrap().push("Nice work".to_owned());

    let package = |script: &str| json!({ "name": "acted", "scripts": { "pages": script } }).to_string();
    let good = package("mkdir _site && echo shown > _site/index.html");
    let pushed = site.push("draft", [("package.json", &*good)]).await;
    let waited = wait(&platform, &address, &pushed.commit, &outputs).await;
    assert!(waited.status.success(), "{waited:?}");
    let told = std::fs::read_to_string(&outputs).unwrap();
    let preview = told.lines().find_map(|line| line.strip_prefix("preview=")).unwrap();
    assert!(told.contains("state=success\n") && preview.contains("--acted."), "{told}");
    let said = github.comments.lock().unwrap().clone();
    assert!(said.len() == 2 && said[1].contains(preview) && said[1].contains(&pushed.commit), "{said:?}");

    let pushed = site.push("draft", [("package.json", &*package("exit 5"))]).await;
    let waited = wait(&platform, &address, &pushed.commit, &outputs).await;
    assert_eq!(waited.status.code(), Some(3), "{waited:?}");
    let said = github.comments.lock().unwrap().clone();
    assert!(said.len() == 2 && said[1].contains("was not built") && said[1].contains("exit code"), "{said:?}");
    assert_eq!(said[0], "Nice work");
    for output in [waited.stdout, waited.stderr] {
        let output = String::from_utf8(output).unwrap();
        assert!(!output.contains(platform.token()) && !output.contains(GITHUB_TOKEN), "{output}");
    }
}
