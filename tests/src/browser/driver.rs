//! The driver of a browser: a process that takes requests (WebDriver, W3C).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Client, Method};
use rustix::process::Signal;
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What it says when it listens, before the port.
const LISTENS: &str = "was started successfully on port ";

#[derive(Debug)]
pub(super) struct Driver {
    process: Child,
    base: String,
    client: Client,
}

impl Driver {
    pub(super) async fn start() -> Self {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "SIGTERM", "chromedriver", "--port=0"]).env("TZ", "UTC");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let port = tokio::task::spawn_blocking(|| {
            let mut lines = output.lines().map_while(Result::ok);
            let said = lines.find_map(|line| line.split_once(LISTENS).map(|(_, port)| port.to_owned()));
            // What else it says is read, so that it is never held up.
            std::thread::spawn(move || lines.for_each(drop));
            said
        });
        let port = port.await.unwrap().unwrap_or_else(|| panic!("there is no chromedriver: `just setup` installs it"));
        let base = format!("http://127.0.0.1:{}", port.trim_end_matches('.'));
        Self { process, base, client: Client::new() }
    }

    /// What it answers, or the error's code and message.
    pub(super) async fn ask(&self, method: Method, path: &str, body: &Value) -> Result<Value, String> {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if !body.is_null() {
            request = request.json(body);
        }
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        let mut value = answer["value"].clone();
        match value["error"].as_str() {
            Some(code) => Err(format!("{code}: {}", value["message"].as_str().unwrap_or_default())),
            None => Ok(value.take()),
        }
    }

    /// Ends it and its browsers.
    pub(super) fn end(&mut self, deadline: Duration) {
        crate::process::signal_tree(self.process.id(), Signal::TERM);
        let started = Instant::now();
        while matches!(self.process.try_wait(), Ok(None)) && started.elapsed() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

pub(super) fn decoded(picture: &str) -> Vec<u8> {
    STANDARD.decode(picture).unwrap()
}
