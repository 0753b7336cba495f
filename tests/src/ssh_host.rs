//! A host of private repositories: Debian's sshd on loopback, as a process with a folder of its own.

use std::io::Read as _;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const SSHD: &str = "/usr/sbin/sshd";
const PATIENCE: Duration = Duration::from_secs(20);

/// A running sshd, which ends with this.
#[derive(Debug)]
pub struct SshHost {
    folder: TempDir,
    port: u16,
    process: Child,
}

impl SshHost {
    /// Starts one that lets nobody in.
    ///
    /// # Panics
    /// If it does not answer: Debian's openssh-server is needed.
    #[must_use]
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        std::fs::write(folder.path().join("authorized"), "").unwrap();
        // It wants this folder when it is root, and Debian makes it when the service starts.
        let _ = std::fs::create_dir("/run/sshd");
        let process = spawn(folder.path(), free);
        Self { folder, port: free, process }
    }

    /// The address of the repository at this path, as whoever runs the tests.
    #[must_use]
    pub fn url(&self, path: &Path) -> String {
        let user = run("id", &["-un"]);
        format!("ssh://{}@127.0.0.1:{}{}", user.trim(), self.port, path.display())
    }

    /// Lets in whoever has the other half of this key.
    ///
    /// # Panics
    /// If it cannot be noted.
    pub fn trust(&self, public_key: &str) {
        std::fs::write(self.folder.path().join("authorized"), format!("{public_key}\n")).unwrap();
    }

    /// Becomes another host at the same address.
    pub fn become_another(&mut self) {
        self.end();
        self.process = spawn(self.folder.path(), self.port);
    }

    fn end(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for SshHost {
    fn drop(&mut self) {
        self.end();
    }
}

/// Starts sshd with a new key of its own.
fn spawn(folder: &Path, port: u16) -> Child {
    let path = |name: &str| folder.join(name).display().to_string();
    let _ = std::fs::remove_file(path("host"));
    run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &path("host")]);
    let settings = format!(
        "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nStrictModes no\nUsePAM no\n\
         PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\n",
        path("host"),
        path("authorized")
    );
    std::fs::write(path("config"), settings).unwrap();
    let mut sshd = Command::new(SSHD);
    sshd.args(["-D", "-e", "-f", &path("config")]).stdin(Stdio::null()).stderr(Stdio::null());
    let mut process = sshd.spawn().unwrap();
    let started = Instant::now();
    while !greets(port) {
        assert!(process.try_wait().unwrap().is_none() && started.elapsed() < PATIENCE, "sshd does not answer");
        std::thread::yield_now();
    }
    process
}

fn greets(port: u16) -> bool {
    let mut greeting = [0; 4];
    TcpStream::connect(("127.0.0.1", port))
        .is_ok_and(|mut client| client.read_exact(&mut greeting).is_ok() && &greeting == b"SSH-")
}

fn run(program: &str, arguments: &[&str]) -> String {
    let done = Command::new(program).args(arguments).output().unwrap();
    assert!(done.status.success(), "{program}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).into_owned()
}
