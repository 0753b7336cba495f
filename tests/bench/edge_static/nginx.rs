//! nginx on a folder, as its manual tunes it for files that do not change.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

pub(super) struct Nginx {
    pub(super) url: String,
    child: Child,
}

impl Nginx {
    pub(super) async fn start(folder: &Path, root: &Path) -> Self {
        let home = folder.join("nginx");
        fs::create_dir_all(&home).unwrap();
        let address = format!("127.0.0.1:{}", servers::free_ports(1).unwrap()[0]);
        let config = home.join("nginx.conf");
        fs::write(&config, configuration(&home, root, &address)).unwrap();
        let mut command = Command::new("nginx");
        command.arg("-p").arg(&home).arg("-c").arg(&config).arg("-e").arg(home.join("error.log"));
        // It finds no temporary folders below the system's own.
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).spawn();
        let child = child.unwrap_or_else(|error| panic!("nginx: {error}; `sh deploy/bootstrap.sh bench` installs it"));
        journeys::eventually("nginx", async || TcpStream::connect(&address).await.ok()).await;
        Self { url: format!("http://{address}"), child }
    }

    pub(super) async fn stop(mut self) {
        let pid = rustix::process::Pid::from_raw(self.child.id().unwrap().cast_signed()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.child.wait().await.unwrap();
    }
}

fn configuration(home: &Path, root: &Path, address: &str) -> String {
    let (home, root) = (home.display(), root.display());
    format!(
        "daemon off;
user root;
worker_processes auto;
pid {home}/pid;
error_log {home}/error.log;
events {{ worker_connections 1024; multi_accept on; }}
http {{
    types {{ text/html html; image/png png; }}
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000000;
    open_file_cache max=10000 inactive=1h;
    open_file_cache_valid 1h;
    client_body_temp_path {home}/body;
    proxy_temp_path {home}/proxy;
    fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi;
    scgi_temp_path {home}/scgi;
    server {{ listen {address}; root {root}; }}
}}
"
    )
}
