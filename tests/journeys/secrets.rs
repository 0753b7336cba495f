//! What others on the same machine can learn: nothing that opens anything.

use crate::attempts::is_refused_as_our_own;
use journeys::{Platform, Process, Signal, eventually};
use rustix::process::geteuid;
use serde_json::{Value, json};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
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
    let data = platform.data();
    let mut seen = 0;
    walk(&data, &mut |path| {
        let metadata = std::fs::symlink_metadata(path).unwrap();
        let mode = metadata.permissions().mode() & 0o777;
        // Folders on the way to what belongs to another user may be passed, and not looked into.
        let allowed = if metadata.is_dir() { 0o711 } else { 0o700 };
        let is_link = metadata.is_symlink();
        assert!(is_link || mode & !allowed == 0, "`{}` has mode {mode:o}", path.display());
        seen += 1;
    });
    assert!(seen > 100, "{seen} files were looked at");
    if geteuid().is_root() {
        let find = Command::new("setpriv")
            .args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "find"])
            .args([data.join("s3"), data.join("launcher"), data.join("nats"), data.join("edge"), data.join("syncer")])
            // What everybody may read shows that the search ran.
            .args(["/etc/passwd", "-readable", "-print"])
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&find.stdout), "/etc/passwd\n");
    }
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
