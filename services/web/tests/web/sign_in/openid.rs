//! The provider of OpenID Connect that deploy/bootstrap.sh installs, and somebody who signs in there.

use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Client, Response};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// The provider. Ends when dropped.
pub(super) struct OpenId {
    _process: Child,
    issuer: String,
    client: Client,
}

impl OpenId {
    /// None, with the reason, where it is not installed and nobody could install it.
    pub(super) async fn start() -> Option<Self> {
        let folder = Path::new(ROOT).join(".tools/oidc");
        if !folder.join("node_modules/oidc-provider").is_dir() {
            println!("SKIPPED: npm's oidc-provider is not in .tools/oidc: run `sh deploy/bootstrap.sh test`");
            assert!(!rustix::process::geteuid().is_root(), "root can install what this test needs");
            return None;
        }
        let mut process = Command::new("node")
            .arg(Path::new(ROOT).join("tests/oidc/provider.mjs"))
            .arg(folder)
            .arg("https://pagefold.test/login/with/openid/back")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let issuer = lines.next_line().await.unwrap().expect("the provider says where it is");
        // It warns on its standard output too, which must not fill up.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Some(Self { _process: process, issuer, client })
    }

    /// The provider as the server is told of it.
    pub(super) fn known(&self) -> web::SignIn {
        let openid = web::OpenId {
            issuer: self.issuer.clone(),
            client_id: "pagefold".into(),
            client_secret: "a secret with/odd+signs=".into(),
            name: "Test ID".into(),
        };
        web::SignIn { openid: Some(openid), ..web::SignIn::default() }
    }

    /// Signs in as `name` and consents; answers where the browser is sent back to.
    pub(super) async fn sign_in(&self, start: &str, name: &str) -> String {
        let mut jar = BTreeMap::new();
        let mut answer = self.client.get(start).send().await.unwrap();
        loop {
            keep(&mut jar, &answer);
            let Some(next) = answer.headers().get(LOCATION).map(|next| next.to_str().unwrap().to_owned()) else {
                panic!("{}: {}", answer.status(), answer.text().await.unwrap());
            };
            if next.starts_with("https://pagefold.test/") {
                return next;
            }
            let next = if next.starts_with('/') { format!("{}{next}", self.issuer) } else { next };
            let cookies: Vec<String> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
            answer = self.client.get(&next).header(COOKIE, cookies.join("; ")).send().await.unwrap();
            if next.contains("/interaction/") {
                let page = answer.text().await.unwrap();
                let form = if page.contains("value=\"login\"") {
                    format!("prompt=login&login={name}&password=x")
                } else {
                    "prompt=consent".to_owned()
                };
                let request = self.client.post(&next).header(COOKIE, cookies.join("; "));
                let request = request.header("content-type", "application/x-www-form-urlencoded");
                answer = request.body(form).send().await.unwrap();
            }
        }
    }
}

fn keep(jar: &mut BTreeMap<String, String>, answer: &Response) {
    for cookie in answer.headers().get_all(SET_COOKIE) {
        let pair = cookie.to_str().unwrap().split(';').next().unwrap();
        let (name, value) = pair.split_once('=').unwrap();
        jar.insert(name.to_owned(), value.to_owned());
    }
}
