//! The clients of operators, as they are shipped: aws, rclone and s5cmd mirror a folder up, across and down, and remove it.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio::process::Command;

use crate::server::{REGION, Server, bytes, secret};

/// Over every client's threshold for a multipart upload, as the commands below set it.
const LARGE: usize = 12 * 1024 * 1024;

/// A client at work in a folder of its own, which is also its home.
struct Tool {
    program: &'static str,
    options: Vec<String>,
    endpoint: String,
    home: TempDir,
}

impl Tool {
    fn new(program: &'static str, options: &[&str], server: &Server) -> Self {
        let options = options.iter().map(|&option| option.to_owned()).collect();
        let tool = Self {
            program,
            options,
            endpoint: format!("http://{}", server.address),
            home: tempfile::tempdir().unwrap(),
        };
        for (path, body) in [
            ("index.html", b"<h1>home</h1>".to_vec()),
            ("empty.txt", Vec::new()),
            ("sub/a b+c&d.txt", b"a name to encode".to_vec()),
            ("sub/größe/page.html", b"a name beyond ASCII".to_vec()),
            ("film.bin", bytes(1, LARGE)),
        ] {
            let path = tool.folder("up").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, body).unwrap();
        }
        tool
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Runs it to a good end and returns what it said.
    async fn run(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(self.program);
        let path = std::env::var_os("PATH").unwrap_or_default();
        // Nothing of the user's own settings for these clients.
        command.env_clear().env("PATH", path).env("HOME", self.home.path()).env("LANG", "C.UTF-8");
        command.args(&self.options).args(arguments).current_dir(&self.home);
        command.env("AWS_ACCESS_KEY_ID", "admin").env("AWS_SECRET_ACCESS_KEY", secret("admin"));
        command.env("AWS_REGION", REGION).env("AWS_DEFAULT_REGION", REGION).env("AWS_ENDPOINT_URL", &self.endpoint);
        command
            .env("S3_ENDPOINT_URL", &self.endpoint)
            .env("RCLONE_CONFIG", "")
            .env("RCLONE_S3_ENDPOINT", &self.endpoint);
        command.env("RCLONE_S3_PROVIDER", "Other").env("RCLONE_S3_ENV_AUTH", "true").env("RCLONE_S3_REGION", REGION);
        command.env("RCLONE_S3_UPLOAD_CUTOFF", "5M").env("RCLONE_S3_CHUNK_SIZE", "5M").kill_on_drop(true);
        let output =
            command.output().await.map_err(|error| format!("{}: {error}; `just setup` installs it", self.program));
        let output = output.unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "{} {arguments:?}: {said}", self.program);
        said
    }

    /// What a person does to a site that has been published.
    fn edit(&self) {
        fs::write(self.folder("up").join("index.html"), b"<h1>home, again</h1>").unwrap();
        fs::remove_file(self.folder("up").join("empty.txt")).unwrap();
    }

    fn assert_same(&self, copy: &str) {
        assert_eq!(tree(&self.folder(copy)), tree(&self.folder("up")), "{}", self.program);
    }
}

fn tree(root: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push((path.strip_prefix(root).unwrap().to_owned(), fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

async fn keys(server: &Server, bucket: &str) -> Vec<String> {
    let listed = server.client.list_objects_v2().bucket(bucket).send().await.unwrap();
    listed.contents().iter().map(|object| object.key().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn aws_mirrors_a_folder() {
    let server = Server::start().await;
    let tool = Tool::new("aws", &["s3"], &server);
    tool.run(&["mb", "s3://one"]).await;
    tool.run(&["mb", "s3://two"]).await;
    tool.run(&["sync", "up", "s3://one"]).await;
    assert_eq!(tool.run(&["sync", "up", "s3://one"]).await, "", "a second run has nothing to do");
    tool.edit();
    tool.run(&["sync", "--delete", "up", "s3://one"]).await;
    tool.run(&["sync", "s3://one", "s3://two"]).await;
    tool.run(&["sync", "s3://two", "down"]).await;
    tool.assert_same("down");
    assert!(tool.run(&["ls"]).await.contains("two"));
    tool.run(&["mv", "s3://two/index.html", "s3://two/moved.html"]).await;
    assert!(keys(&server, "two").await.contains(&"moved.html".to_owned()));
    tool.run(&["rb", "--force", "s3://two"]).await;
    server.stop().await;
}

#[tokio::test]
async fn rclone_mirrors_a_folder() {
    let server = Server::start().await;
    let tool = Tool::new("rclone", &["--retries=1"], &server);
    tool.run(&["mkdir", ":s3:one"]).await;
    tool.run(&["sync", "up", ":s3:one"]).await;
    let again = tool.run(&["sync", "-v", "up", ":s3:one"]).await;
    assert!(again.contains("There was nothing to transfer"), "{again}");
    tool.edit();
    tool.run(&["sync", "up", ":s3:one"]).await;
    // A file that was only touched gets its time by a copy onto itself.
    let page = fs::File::options().write(true).open(tool.folder("up").join("index.html")).unwrap();
    page.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    tool.run(&["sync", "up", ":s3:one"]).await;
    tool.run(&["check", "up", ":s3:one"]).await;
    tool.run(&["sync", ":s3:one", ":s3:two"]).await;
    tool.run(&["sync", ":s3:two", "down"]).await;
    tool.assert_same("down");
    tool.run(&["cleanup", ":s3:one"]).await;
    tool.run(&["purge", ":s3:two"]).await;
    server.stop().await;
}

#[tokio::test]
async fn s5cmd_mirrors_a_folder() {
    let server = Server::start().await;
    let tool = Tool::new("s5cmd", &["--log=info"], &server);
    tool.run(&["mb", "s3://one"]).await;
    tool.run(&["mb", "s3://two"]).await;
    tool.run(&["sync", "--part-size=5", "up/", "s3://one"]).await;
    assert_eq!(tool.run(&["sync", "up/", "s3://one"]).await, "", "a second run has nothing to do");
    tool.edit();
    tool.run(&["sync", "--delete", "up/", "s3://one"]).await;
    tool.run(&["cp", "s3://one/*", "s3://two/"]).await;
    tool.run(&["cp", "s3://two/*", "down/"]).await;
    tool.assert_same("down");
    tool.run(&["rm", "s3://two/*"]).await;
    assert_eq!(keys(&server, "two").await, Vec::<String>::new());
    tool.run(&["rb", "s3://two"]).await;
    server.stop().await;
}
