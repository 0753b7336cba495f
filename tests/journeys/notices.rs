//! Receivers outside: told in order, whatever they are.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use journeys::{Platform, eventually};
use reqwest::Method;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

/// What a receiver was sent so far.
type Sent = Arc<Mutex<Vec<(String, Value)>>>;

/// A receiver that listens as long as its story goes on; its address, and the id and the body of all that it is sent.
async fn receiver() -> (String, Sent) {
    let (listener, sent) = (TcpListener::bind("127.0.0.1:0").await.unwrap(), Sent::default());
    let (address, kept) = (listener.local_addr().unwrap(), Arc::clone(&sent));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let kept = Arc::clone(&kept);
            let service = service_fn(move |request: Request<Incoming>| {
                let kept = Arc::clone(&kept);
                async move {
                    let id = request.headers()["webhook-id"].to_str().unwrap().to_owned();
                    let body = request.into_body().collect().await.unwrap().to_bytes();
                    kept.lock().unwrap().push((id, serde_json::from_slice(&body).unwrap()));
                    Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
                }
            });
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    (format!("http://{address}/hook"), sent)
}

fn types(sent: &Sent) -> Vec<String> {
    sent.lock().unwrap().iter().map(|(_, body)| body["type"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_push_is_told_to_a_receiver_and_again_when_somebody_asks_from_a_command_line() {
    let platform = Platform::start_with(&["--sandbox", "bubblewrap", "--private-receivers", "true"]).await;
    let site = platform.site("noticed", json!({})).await;
    site.publish(1, [("index.html", "before anybody was told")]).await;
    let (address, sent) = receiver().await;
    let home = tempfile::tempdir().unwrap();
    let user = |arguments: &[&str], input: &str| {
        let output = platform.as_user(home.path(), arguments, input);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    user(&["login", platform.web()], &format!("{}\n", platform.token()));
    let wants = "build_queued,build_succeeded,promoted";
    let add = ["notices", "add", "noticed", "--kind", "webhook", "--name", "Team", "--wants", wants];
    let told = user(&add, &format!("{address}\n"));
    assert!(told.contains("is told from now on") && told.contains("whsec_"), "{told}");

    site.publish(2, [("index.html", "news")]).await;
    eventually("the receiver to be told", async || (types(&sent).len() >= 3).then_some(())).await;
    assert_eq!(types(&sent), ["build_queued", "build_succeeded", "promoted"]);
    let (first, last) = {
        let sent = sent.lock().unwrap();
        (sent[0].0.clone(), sent[2].1.clone())
    };
    assert_eq!(last["data"]["text"], "`live` now shows build 3");
    let live = last["data"]["address"].as_str().unwrap();
    assert!(live.starts_with("http://noticed.") && last["data"]["build"]["number"] == 3, "{last}");

    let listed: Value = serde_json::from_str(&user(&["notices", "list", "noticed", "--json"], "")).unwrap();
    let id = listed[0]["id"].as_str().unwrap().to_owned();
    site.until("notice.delivered", |fact| fact.data["occasion"] == "promoted").await;
    platform.read_model_has_caught_up().await;
    let rows = user(&["notices", "sent", "noticed", &id], "");
    assert!(rows.lines().count() == 3 && rows.contains(&first) && rows.contains("delivered"), "{rows}");
    user(&["notices", "redeliver", "noticed", &id, &first], "");
    user(&["notices", "test", "noticed", &id], "");
    eventually("both to arrive", async || (types(&sent).len() >= 5).then_some(())).await;
    assert_eq!(types(&sent)[3..], ["build_queued", "test"]);
    assert_eq!(sent.lock().unwrap()[3].0, first);

    // What lets in somewhere is read beside where that is, and shown no more.
    for kind in ["github", "cdevents"] {
        let add = ["notices", "add", "noticed", "--kind", kind, "--name", "Token", "--wants", "locked", "--json"];
        let made: Value = serde_json::from_str(&user(&add, &format!("{address}/docs\nlets-in\n"))).unwrap();
        assert!(made["kind"] == kind && !made.to_string().contains("lets-in"), "{made}");
        user(&["notices", "remove", "noticed", made["id"].as_str().unwrap()], "");
    }

    // The platform's own servers are nobody's receivers, wherever private addresses are allowed.
    let body = json!({ "kind": "webhook", "name": "Ours", "address": format!("{}/hook", platform.web()) });
    let made: Value = platform.api().send(Method::POST, "/sites/noticed/receivers", &body).await.expect(201).json();
    let ours = made["id"].as_str().unwrap();
    user(&["notices", "test", "noticed", ours], "");
    let failed = site.until("notice.failed", |fact| fact.data["receiver"] == ours).await;
    assert!(failed.data["reason"].as_str().unwrap().contains("platform's own"), "{failed}");
    user(&["notices", "remove", "noticed", ours], "");
}
