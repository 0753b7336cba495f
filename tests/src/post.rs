//! A mail server that speaks to nobody unencrypted: aiosmtpd, which keeps what it is sent in a folder.

use crate::{eventually, folder};
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;
use tokio::net::TcpStream;

/// A mail server that runs until it is dropped.
#[derive(Debug)]
pub struct Post {
    child: Child,
    port: u16,
    folder: TempDir,
}

impl Post {
    /// Starts one with a certificate of its own.
    ///
    /// # Panics
    /// If it does not come up.
    pub async fn start() -> Self {
        let (folder, certified) = (folder::temporary(), rcgen::generate_simple_self_signed(["localhost".to_owned()]));
        let certified = certified.unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("certificate"), certified.cert.pem()).unwrap();
        fs::write(at("key"), certified.signing_key.serialize_pem()).unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new(folder::workspace().join(".tools/venv/bin/python3"))
            .args(["-m", "aiosmtpd", "--nosetuid", "--listen", &format!("127.0.0.1:{port}")])
            .arg("--smtpscert")
            .arg(at("certificate"))
            .arg("--smtpskey")
            .arg(at("key"))
            .args(["--class", "aiosmtpd.handlers.Mailbox"])
            .arg(at("box"))
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let listens = async || TcpStream::connect(("127.0.0.1", port)).await.ok().map(drop);
        eventually("the mail server to listen", listens).await;
        Self { child, port, folder }
    }

    /// Whom to believe that it is this server.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("certificate")
    }

    /// A file with its URL, as an operator has one.
    ///
    /// # Panics
    /// If there is no room for it.
    #[must_use]
    pub fn url_file(&self) -> PathBuf {
        let file = self.folder.path().join("url");
        fs::write(&file, format!("smtps://localhost:{}\n", self.port)).unwrap();
        file
    }

    /// The mail to an address, as soon as there is one with `text` in its subject.
    pub async fn mail(&self, to: &str, text: &str) -> String {
        let is_it = |mail: &String| {
            mail.contains(&format!("X-RcptTo: {to}\n"))
                && mail.lines().any(|line| line.starts_with("Subject: ") && line.contains(text))
        };
        eventually("the mail to arrive", async || self.mails().into_iter().find(is_it)).await
    }

    fn mails(&self) -> Vec<String> {
        let Ok(mails) = fs::read_dir(self.folder.path().join("box/new")) else { return Vec::new() };
        let read = |mail: std::io::Result<fs::DirEntry>| fs::read_to_string(mail.unwrap().path()).unwrap();
        // Long lines travel in parts (RFC 2045 6.7).
        mails.map(|mail| read(mail).replace("=\r\n", "").replace("=\n", "").replace("=3D", "=")).collect()
    }
}

impl Drop for Post {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
