//! A PostgreSQL as it comes: `initdb`, `postgres`, and one superuser with a password. What the platform needs of it is made
//! by `pagefold provision`.

use super::running::Running;
use std::fs::File;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Its superuser, and who it runs as where root runs the stories.
const USER: &str = "postgres";

/// A cluster on disk.
pub(super) struct Cluster {
    folder: PathBuf,
    port: u16,
    password: String,
}

impl Cluster {
    /// Makes one below `folder`, in the encoding that a machine without a language has.
    pub(super) fn make(folder: PathBuf, port: u16, password: String) -> Self {
        std::fs::create_dir(&folder).unwrap();
        let secret = folder.join("password");
        std::fs::write(&secret, &password).unwrap();
        for path in [&folder, &secret] {
            own(path);
        }
        let mut initdb = program("initdb");
        initdb.arg("-D").arg(folder.join("cluster")).args(["-U", USER, "-A", "scram-sha-256", "--pwfile"]).arg(&secret);
        let made = initdb.env("LC_ALL", "C").output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Self { folder, port, password }
    }

    /// Starts it, unless a process of an earlier life is still there.
    pub(super) async fn start(&self) -> Option<Running> {
        let log = File::options().create(true).append(true).open(self.folder.join("log")).unwrap();
        let mut postgres = program("postgres");
        postgres.arg("-D").arg(self.folder.join("cluster")).args(["-p", &self.port.to_string(), "-k", ""]);
        let child = postgres.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let mut running = Running(child);
        while running.is_running() {
            // It takes connections a moment before it lets anybody in.
            let mut ready = program("pg_isready");
            if ready.args(["-qh", "127.0.0.1", "-p", &self.port.to_string()]).status().unwrap().success() {
                return Some(running);
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        None
    }

    /// A database as its superuser reaches it.
    pub(super) fn administrator(&self) -> String {
        self.url(USER, &self.password, "postgres")
    }

    /// Has it do now what it puts off, such as after much was written.
    pub(super) fn settle(&self) {
        for (name, arguments) in [("vacuumdb", ["--all", "--analyze"]), ("psql", ["-c", "CHECKPOINT"])] {
            let mut command = program(name);
            command.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", USER, "-q"]).args(arguments);
            let settled = command.env("PGPASSWORD", &self.password).output().unwrap();
            assert!(settled.status.success(), "{}", String::from_utf8_lossy(&settled.stderr));
        }
    }

    pub(super) fn url(&self, role: &str, password: &str, database: &str) -> String {
        format!("postgres://{role}:{password}@127.0.0.1:{}/{database}", self.port)
    }
}

/// A program of PostgreSQL, from PATH or where Debian has it, as an ordinary user.
fn program(name: &str) -> Command {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let versions = versions.map(|version| version.path().join("bin"));
    let path = std::env::var_os("PATH").unwrap();
    let program =
        std::env::split_paths(&path).chain(versions).map(|folder| folder.join(name)).find(|file| file.exists());
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "QUIT"]);
    if rustix::process::geteuid().is_root() {
        command.args(["--reuid", USER, "--regid", USER, "--init-groups"]);
    }
    command.arg(program.unwrap_or_else(|| panic!("there is no `{name}`"))).current_dir("/");
    command
}

/// Gives a file to whom the server runs as.
fn own(path: &Path) {
    if rustix::process::geteuid().is_root() {
        let home = Path::new("/var/lib/postgresql").metadata().unwrap();
        chown(path, Some(home.uid()), Some(home.gid())).unwrap();
    }
}
