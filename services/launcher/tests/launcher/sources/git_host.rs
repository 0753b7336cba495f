//! A git server over HTTP, as real as git makes it: `git http-backend` behind a listener on loopback, and beside it the
//! ways in which a server can fail to be one.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Who may read what is locked: `x-access-token` with this for a password.
pub(crate) const TOKEN: &str = "t0ken-of-the-site";
const LOGIN: &str = "Basic eC1hY2Nlc3MtdG9rZW46dDBrZW4tb2YtdGhlLXNpdGU=";

/// A server, for as long as the test's process lives.
#[derive(Clone)]
pub(crate) struct GitHost {
    pub(crate) address: SocketAddr,
    /// How many requests it has answered.
    pub(crate) asked: Arc<AtomicUsize>,
    /// Every login that it was told.
    pub(crate) told: Arc<Mutex<Vec<String>>>,
}

impl GitHost {
    /// Serves the repositories below `root` at `/git/<name>`.
    pub(crate) fn start(root: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, asked) = (listener.local_addr().unwrap(), Arc::default());
        let host = Self { address, asked, told: Arc::default() };
        let (root, serving) = (root.to_owned(), host.clone());
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (root, host) = (root.clone(), serving.clone());
                std::thread::spawn(move || serve(client, root, &host));
            }
        });
        host
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }
}

fn serve(client: TcpStream, root: PathBuf, host: &GitHost) {
    let mut reader = BufReader::new(client.try_clone().unwrap());
    let mut client = client;
    let mut line = String::new();
    if reader.read_line(&mut line).unwrap_or(0) == 0 {
        return;
    }
    host.asked.fetch_add(1, Ordering::SeqCst);
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).unwrap();
        match header.trim_end().split_once(": ") {
            Some((name, value)) => headers.push((name.to_ascii_lowercase(), value.to_owned())),
            None => break,
        }
    }
    let of = |name: &str| headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str());
    let mut body = vec![0; of("content-length").parse().unwrap_or(0)];
    reader.read_exact(&mut body).unwrap();
    let mut words = line.split(' ');
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let login = of("authorization");
    if !login.is_empty() {
        host.told.lock().unwrap().push(login.to_owned());
    }
    let answer = match path.split('/').nth(1).unwrap() {
        "locked" | "locked-to" if login != LOGIN => {
            status("401 Unauthorized", "WWW-Authenticate: Basic realm=\"git\"\r\n")
        }
        // `/locked-to/<scheme>/<authority>/<path>`
        "locked-to" => {
            let to = path.trim_start_matches("/locked-to/").replacen('/', "://", 1);
            status("302 Found", &format!("Location: {to}?{query}\r\n"))
        }
        "git" | "locked" => {
            let environment = [
                ("REQUEST_METHOD", method),
                ("PATH_INFO", path.strip_prefix("/git").or(path.strip_prefix("/locked")).unwrap()),
                ("QUERY_STRING", query),
                ("CONTENT_TYPE", of("content-type")),
                ("HTTP_CONTENT_ENCODING", of("content-encoding")),
                ("GIT_PROTOCOL", of("git-protocol")),
            ];
            return backend(&root, &environment, &body, client);
        }
        "private" => status("401 Unauthorized", "WWW-Authenticate: Basic realm=\"git\"\r\n"),
        "forbidden" => status("403 Forbidden", ""),
        "broken" => status("503 Service Unavailable", ""),
        "stalled" => loop {
            std::thread::park();
        },
        // `/to/<scheme>/<authority>/<path>`
        "to" => {
            let to = path.trim_start_matches("/to/").replacen('/', "://", 1);
            status("302 Found", &format!("Location: {to}?{query}\r\n"))
        }
        _ => status("404 Not Found", ""),
    };
    let _ = client.write_all(&answer);
}

fn status(status: &str, headers: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: 0\r\nConnection: close\r\n\r\n").into_bytes()
}

/// Passes on what git says as it says it.
fn backend(root: &Path, environment: &[(&str, &str)], body: &[u8], mut client: TcpStream) {
    let mut backend = Command::new("git");
    backend.arg("http-backend").env("GIT_PROJECT_ROOT", root).env("GIT_HTTP_EXPORT_ALL", "1");
    backend.env("GIT_CONFIG_COUNT", "1").env("GIT_CONFIG_KEY_0", "safe.directory").env("GIT_CONFIG_VALUE_0", "*");
    backend.envs(environment.iter().copied().filter(|(_, value)| !value.is_empty()));
    backend.env("CONTENT_LENGTH", body.len().to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut running = backend.spawn().unwrap();
    running.stdin.take().unwrap().write_all(body).unwrap();
    let mut said = BufReader::new(running.stdout.take().unwrap());
    let (mut status, mut head) = ("200 OK".to_owned(), String::new());
    for line in said.by_ref().lines().map(Result::unwrap).take_while(|line| !line.is_empty()) {
        match line.strip_prefix("Status: ") {
            Some(told) => status = told.to_owned(),
            None => head.extend([line.as_str(), "\r\n"]),
        }
    }
    // A client may have had enough.
    let _ = write!(client, "HTTP/1.1 {status}\r\nConnection: close\r\n{head}\r\n");
    let _ = std::io::copy(&mut said, &mut client);
    drop(said);
    running.wait().unwrap();
}
