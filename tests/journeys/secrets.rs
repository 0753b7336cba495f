//! What others on the same machine can learn: nothing that opens anything.

use crate::attempts::is_refused_as_our_own;
use journeys::{Platform, Process, Signal, eventually};
use rustix::process::geteuid;
use serde_json::{Value, json};
use std::ffi::OsStr;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The id of a user that owns nothing.
const NOBODY: &str = "65534";

/// Takes the port of a server that restarts, poses as it, and writes down all that it is told.
fn squat(port: u16) -> Arc<Mutex<Vec<u8>>> {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let listener = loop {
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)) {
            break listener;
        }
    };
    let told = Arc::clone(&heard);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (Ok(mut stream), told) = (stream, Arc::clone(&told)) else { continue };
            std::thread::spawn(move || {
                // As a server that wants a password in the clear would greet.
                let info = json!({ "server_id": "squatter", "version": "2.15.1", "proto": 1, "auth_required": true,
                    "tls_required": false, "max_payload": 1_048_576, "headers": true, "jetstream": true });
                let _ = stream.write_all(format!("INFO {info}\r\n").as_bytes());
                let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
                let mut bytes = [0; 4096];
                while let Ok(count @ 1..) = stream.read(&mut bytes) {
                    told.lock().unwrap().extend(&bytes[..count]);
                }
            });
        }
    });
    heard
}

/// How often the port of the log's server is taken: more often than it has ports that it prefers.
const SQUATTERS: u32 = 4;

/// The port that nats-server was told to listen on.
fn port_of_the_log(platform: &Platform) -> Option<u16> {
    let config = std::fs::read_to_string(platform.data().join("nats/nats.conf")).ok()?;
    let listen = config.lines().find_map(|line| line.strip_prefix("listen: "))?;
    listen.trim_matches('"').rsplit(':').next()?.parse().ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_takes_the_ports_of_a_restarting_log_learns_no_secret_and_stops_nothing() {
    let platform = Platform::start().await;
    let site = platform.site("guarded", json!({})).await;
    site.publish(1, [("index.html", "page 1")]).await;
    let door: u16 = platform.ready().nats.rsplit(':').next().unwrap().parse().unwrap();
    let mut squatted = Vec::new();
    for round in 2..2 + SQUATTERS {
        let port = eventually("a log on a port of its own", || {
            let moved = port_of_the_log(&platform).filter(|port| squatted.iter().all(|(taken, _)| taken != port));
            async move { moved }
        })
        .await;
        platform.signal(Process::Nats, Signal::KILL);
        squatted.push((port, squat(port)));
        let taken = TcpListener::bind(("127.0.0.1", door)).unwrap_err();
        assert_eq!(taken.kind(), ErrorKind::AddrInUse, "its clients' way to the log is never handed over");

        // The log is elsewhere, and its clients have found it.
        let page = format!("page {round}");
        let pushed = site.repository.push("main", [("index.html", &*page)]);
        let taken = async || (platform.deliver(&pushed).await.status == 202).then_some(());
        eventually("the log to take the delivery", taken).await;
        site.serves("/", &page).await;
    }
    // An operator has too.
    assert!(site.facts().len() > 1);
    // Wherever it had to go, no source is fetched from there.
    let last = port_of_the_log(&platform).unwrap();
    is_refused_as_our_own(&platform, "moved-log", &format!("http://127.0.0.1:{last}")).await;

    let passwords = std::fs::read(platform.data().join("nats/passwords.json")).unwrap();
    let passwords: Value = serde_json::from_slice(&passwords).unwrap();
    for (_, heard) in squatted {
        let heard = heard.lock().unwrap().clone();
        assert!(!contains(&heard, b"CONNECT"), "nobody introduces itself to a stranger");
        for (user, password) in passwords.as_object().unwrap() {
            assert!(!contains(&heard, password.as_str().unwrap().as_bytes()), "the password of {user}");
        }
    }
}

#[tokio::test]
async fn nobody_else_can_stand_where_postgresql_listens() {
    let platform = Platform::start().await;
    let postgres = platform.ready().postgres.clone();
    assert!(postgres.contains("@%2F"), "it has no port to be taken");
    let socket = platform.data().join("postgres/socket");
    assert!(socket.join(".s.PGSQL.5432").exists());
    if !geteuid().is_root() {
        return;
    }
    let put = Command::new("setpriv")
        .args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "touch"])
        .arg(socket.join(".s.PGSQL.5432.lock"))
        .env("LC_ALL", "C")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&put.stderr);
    assert!(!put.status.success() && said.starts_with("touch:") && said.contains("Permission denied"), "{said}");
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

#[tokio::test]
async fn another_user_reads_nothing_below_the_data_directory() {
    let platform = Platform::start().await;
    let site = platform.site("private", json!({})).await;
    site.publish(1, [("index.html", "private until it is served")]).await;
    site.serves("/", "private until it is served").await;
    site.until("build.log_archived", |_| true).await;
    assert!(is_closed(&platform.data()) > 100, "files were looked at");
}

#[tokio::test]
async fn another_user_reads_nothing_of_a_build_that_runs() {
    for sandbox in ["bubblewrap", "docker"] {
        if sandbox == "docker" && without_docker() {
            continue;
        }
        let platform = Platform::start_with(&["--sandbox", sandbox]).await;
        let site = platform.site("private", json!({ "engine": "node.js" })).await;
        let pages = "umask 0; mkdir open && echo private > open/made && echo private > ~/made && touch reached; \
             while [ ! -e go ]; do sleep 0.1; done; mkdir _site && echo page > _site/index.html";
        let package = json!({ "name": "private", "version": "1.0.0", "scripts": { "pages": pages } }).to_string();
        site.push("main", [("package.json", &*package), ("source.txt", "private")]).await;
        let work = platform.data().join("launcher/work");
        let workspace = eventually("the build to stand where it is looked at", async || {
            let found = std::fs::read_dir(&work).ok()?.flatten().map(|entry| entry.path().join("site"));
            found.into_iter().find(|site| site.join("reached").exists())
        });
        let workspace = workspace.await;
        assert!(workspace.join("source.txt").exists() && workspace.join("open/made").exists());
        assert!(is_closed(&platform.data()) > 100, "files were looked at");
        std::fs::write(workspace.join("go"), "").unwrap();
        site.serves("/", "page").await;
    }
}

fn without_docker() -> bool {
    std::env::var("PAGEFOLD_TEST_DOCKER").is_ok_and(|value| value == "0")
}

/// Looks at everything below a folder: nothing that is ours is open to others, and a user that owns nothing opens none of it,
/// even one who knows all of the names. Answers how much that was.
fn is_closed(data: &Path) -> usize {
    let mut all = Vec::new();
    walk(data, &mut |path| {
        // It may be gone by now.
        let Ok(metadata) = std::fs::symlink_metadata(path) else { return };
        let mode = metadata.permissions().mode() & 0o777;
        // Folders on the way to what belongs to another user may be passed, and not looked into.
        let allowed = if metadata.is_dir() { 0o711 } else { 0o700 };
        // What a build makes has the mode that it likes, behind folders that are closed.
        let is_exempt = metadata.is_symlink() || is_of_a_build(path);
        assert!(is_exempt || mode & !allowed == 0, "`{}` has mode {mode:o}", path.display());
        all.push(path.to_owned());
    });
    if geteuid().is_root() {
        assert_eq!(readable_by_nobody(&all), [Path::new("/etc/passwd")]);
    }
    all.len()
}

/// Whether it is inside of a checkout or of the home of a build.
fn is_of_a_build(path: &Path) -> bool {
    let inside = |folder: &Path| folder.ends_with("site") || folder.ends_with("home");
    path.ancestors()
        .skip(1)
        .any(|folder| inside(folder) && folder.ancestors().nth(2).is_some_and(|work| work.ends_with("launcher/work")))
}

/// Those that a user that owns nothing can read, and a file that everybody can, to show that it was tried.
fn readable_by_nobody(paths: &[PathBuf]) -> Vec<PathBuf> {
    let script = r#"for path; do if [ -r "$path" ]; then printf '%s\0' "$path"; fi; done"#;
    let mut trying = Command::new("setpriv")
        .args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "xargs", "-0", "sh", "-c", script, "sh"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut given: Vec<u8> = paths.iter().flat_map(|path| [path.as_os_str().as_bytes(), b"\0"].concat()).collect();
    given.extend(b"/etc/passwd\0");
    trying.stdin.take().unwrap().write_all(&given).unwrap();
    let said = trying.wait_with_output().unwrap();
    assert!(said.status.success());
    let found = said.stdout.split(|byte| *byte == 0).filter(|path| !path.is_empty());
    found.map(|path| PathBuf::from(OsStr::from_bytes(path))).collect()
}

/// Everything below `folder`; what goes away meanwhile is not there.
fn walk(folder: &Path, look: &mut impl FnMut(&Path)) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(kind) = entry.file_type() else { continue };
        if std::fs::symlink_metadata(&path).is_ok() {
            look(&path);
        }
        if kind.is_dir() {
            walk(&path, look);
        }
    }
}
