//! A server of mail: aiosmtpd, which keeps what it is sent in a folder.

use crate::world::within;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpStream;

/// A server that runs until it is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
    folder: TempDir,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self::start_at(port, &[]).await
    }

    /// One on a port that was taken and left before, with options of its own.
    pub(crate) async fn start_at(port: u16, options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let python = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.tools/venv/bin/python3");
        let child = Command::new(python)
            .args(["-m", "aiosmtpd", "--nosetuid", "--listen", &format!("127.0.0.1:{port}")])
            .args(options)
            .args(["--class", "aiosmtpd.handlers.Mailbox"])
            .arg(folder.path().join("box"))
            .stderr(Stdio::null())
            .spawn()
            .expect("`just` installs aiosmtpd");
        let listens = async {
            while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        within(listens).await;
        Self { child, port, folder }
    }

    pub(crate) fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    /// All that it was sent, each with those whom it was for.
    pub(crate) fn mails(&self) -> Vec<String> {
        let Ok(mails) = fs::read_dir(self.folder.path().join("box/new")) else { return Vec::new() };
        mails.map(|mail| fs::read_to_string(mail.unwrap().path()).unwrap()).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
