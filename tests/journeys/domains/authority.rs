//! An authority that issues certificates by ACME: Debian's pebble on loopback, as a process with a folder of its own.

use journeys::{eventually, temporary_folder};
use rcgen::generate_simple_self_signed;
use reqwest::Url;
use serde_json::json;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Stdio;
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// An authority that may not be there yet.
pub(crate) struct Authority {
    folder: TempDir,
    listen: SocketAddr,
    management: SocketAddr,
    process: Option<Child>,
}

fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

impl Authority {
    /// One that does not answer before it is opened.
    pub(crate) fn closed() -> Self {
        let folder = temporary_folder();
        let made = generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        std::fs::write(folder.path().join("cert.pem"), made.cert.pem()).unwrap();
        std::fs::write(folder.path().join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        Self { folder, listen: free(), management: free(), process: None }
    }

    pub(crate) fn directory(&self) -> String {
        format!("https://{}/dir", self.listen)
    }

    /// By what it proves itself.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.path().join("cert.pem")
    }

    /// Has it answer. Names are looked for at `names`, and have to answer at this port.
    pub(crate) fn open(&mut self, names: SocketAddr, port: u16) {
        let config = json!({ "pebble": {
            "listenAddress": self.listen.to_string(),
            "managementListenAddress": self.management.to_string(),
            "certificate": self.certificate(),
            "privateKey": self.folder.path().join("key.pem"),
            "httpPort": port,
            "tlsPort": port,
        } });
        std::fs::write(self.folder.path().join("config.json"), config.to_string()).unwrap();
        let mut pebble = Command::new("pebble");
        pebble.arg("-config").arg(self.folder.path().join("config.json")).args(["-dnsserver", &names.to_string()]);
        pebble.kill_on_drop(true).env("PEBBLE_VA_NOSLEEP", "1").stdout(Stdio::null()).stderr(Stdio::null());
        self.process = Some(pebble.spawn().unwrap());
    }

    /// What whoever trusts it reads at an address whose host is found at `at`; none if that does not prove itself.
    pub(crate) async fn read(&self, url: &Url, at: SocketAddr) -> Option<String> {
        let (root, own) = (self.folder.path().join("root.pem"), self.certificate());
        let roots = format!("https://{}/roots/0", self.management);
        let told = async || curl(&["--cacert", own.to_str().unwrap(), &roots]).await;
        std::fs::write(&root, eventually("the authority answers", told).await).unwrap();
        let found = format!("{}:{}:{}", url.host_str().unwrap(), at.port(), at.ip());
        curl(&["--cacert", root.to_str().unwrap(), "--resolve", &found, url.as_str()]).await
    }
}

/// The answer, if there is one that is trusted.
async fn curl(arguments: &[&str]) -> Option<String> {
    let output = Command::new("curl").args(["-sSf", "--noproxy", "*"]).args(arguments).output().await.unwrap();
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}
