//! A server of the log as an operator runs it: nats-server as it comes, with a configuration of its own that includes what
//! `pagefold permissions nats` has written.

use super::running::Running;
use crate::{eventually, workspace};
use std::fs::File;
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The folder that the command has written, below that of the fleet.
pub(super) const PERMISSIONS: &str = "log-permissions";

/// How it runs.
pub(super) struct LogServer {
    /// What it is called among the others.
    pub(super) name: String,
    /// Where it stores the log.
    pub(super) folder: PathBuf,
    /// The folder of the fleet.
    pub(super) around: PathBuf,
    /// Where it listens to clients, and to the others.
    pub(super) client: SocketAddr,
    pub(super) route: SocketAddr,
    /// Where all of them listen to each other.
    pub(super) routes: Vec<SocketAddr>,
    /// What it proves itself by: a certificate and its key.
    pub(super) proof: [PathBuf; 2],
}

impl LogServer {
    pub(super) async fn start(&self) -> Running {
        // What is included is named from where the configuration is.
        let config = self.around.join(format!("{}.conf", self.name));
        std::fs::write(&config, self.configuration()).unwrap();
        let log =
            File::options().create(true).append(true).open(self.around.join(format!("{}.log", self.name))).unwrap();
        let path = std::env::var("PATH").unwrap();
        let tools = workspace().join(".tools/venv/bin");
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "SIGTERM", "nats-server", "-c"]).arg(&config);
        command
            .env("PATH", format!("{path}:{}", tools.display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        let running = Running(command.spawn().unwrap());
        eventually("a server of the log", || async { TcpStream::connect(self.client).ok() }).await;
        running
    }

    fn configuration(&self) -> String {
        let Self { name, client, route, .. } = self;
        let [certificate, key] = self.proof.each_ref().map(|file| file.display());
        let mut text = format!(
            "server_name: \"{name}\"\nlisten: \"{client}\"\nstore_dir: \"{}\"\n\
             tls {{ cert_file: \"{certificate}\", key_file: \"{key}\" }}\n\
             include \"{PERMISSIONS}/pagefold.conf\"\n",
            self.folder.join("store").display(),
        );
        if self.routes.len() > 1 {
            let routes: Vec<String> = self.routes.iter().map(|route| format!("\"nats://{route}\"")).collect();
            let routes = routes.join(", ");
            text +=
                &format!("cluster {{ name: fleet, listen: \"{route}\", no_advertise: true, routes: [{routes}] }}\n");
        }
        text
    }
}
