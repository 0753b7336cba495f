//! A place to build in, and both sandboxes to do it.

use launcher::sandbox::{Config, Exit, Kind, Sandbox};
use launcher::spec::{ContainerSpec, Limits, container_name};
use launcher::workspace::Workspace;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub(super) const DEADLINE: Duration = Duration::from_secs(60);

/// A workspace of its own for a test, in a folder that the build user can reach.
pub(super) struct Place {
    pub(super) folder: TempDir,
    pub(super) id: String,
}

impl Place {
    pub(super) fn new() -> Self {
        Self::on(&std::env::temp_dir())
    }

    /// The same on a disk of one's own.
    pub(super) fn on(disk: &Path) -> Self {
        let folder = tempfile::tempdir_in(disk).unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let id = format!("test{}", folder.path().file_name().unwrap().to_string_lossy().trim_start_matches('.'));
        Workspace::create(folder.path().join("workspace")).unwrap();
        Self { folder, id }
    }

    pub(super) fn workspace(&self) -> Workspace {
        Workspace::at(self.folder.path().join("workspace"))
    }

    pub(super) fn shell(&self, script: &str) -> ContainerSpec {
        ContainerSpec {
            build: self.id.clone(),
            name: container_name(&self.id),
            command: ["sh", "-c", script].map(str::to_owned).to_vec(),
            env: [("GREETING".to_owned(), "hello".to_owned()), ("HOME".to_owned(), "/home/build".to_owned())].into(),
            variables: Default::default(),
            workspace: self.workspace(),
            limits: Limits::default(),
            gate: None,
        }
    }
}

pub(super) async fn bubblewrap() -> Sandbox {
    Sandbox::detect(&Config { kind: Kind::Bubblewrap, ..Config::default() }).await.expect("install bubblewrap")
}

/// Docker, or nothing if it was left out on purpose.
pub(super) async fn docker() -> Option<Sandbox> {
    if std::env::var("PAGEFOLD_TEST_DOCKER").is_ok_and(|value| value == "0") {
        return None;
    }
    let found = Sandbox::detect(&Config { kind: Kind::Docker, ..Config::default() }).await;
    Some(found.expect("start Docker and run `just build-image`, or set PAGEFOLD_TEST_DOCKER=0"))
}

pub(super) async fn sandboxes() -> Vec<Sandbox> {
    [Some(bubblewrap().await), docker().await].into_iter().flatten().collect()
}

/// Runs to the end and gives the exit with the lines of the build.
pub(super) async fn run(sandbox: &Sandbox, spec: &ContainerSpec) -> (Exit, Vec<String>) {
    let (exit, mut lines) = run_noted(sandbox, spec).await;
    lines.retain(|line| !line.starts_with("[sandbox] "));
    (exit, lines)
}

/// Runs to the end and gives the exit with all lines, notes on the sandbox included.
pub(super) async fn run_noted(sandbox: &Sandbox, spec: &ContainerSpec) -> (Exit, Vec<String>) {
    let (lines, mut said) = mpsc::channel(8);
    let reading = tokio::spawn(async move {
        let mut all = Vec::new();
        while let Some(line) = said.recv().await {
            all.push(line);
        }
        all
    });
    let ended = tokio::time::timeout(DEADLINE, sandbox.run(spec, lines, CancellationToken::new())).await;
    (ended.expect("the container ends").unwrap().exit, reading.await.unwrap())
}

pub(super) async fn output(sandbox: &Sandbox, script: &str) -> String {
    let place = Place::new();
    let (exit, lines) = run(sandbox, &place.shell(script)).await;
    assert_eq!(exit, Exit::Code(0), "{}: {lines:?}", sandbox.name());
    lines.join("\n")
}

/// Processes of this machine whose command line holds `text`.
pub(super) fn processes(text: &str) -> usize {
    let all = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let commands = all.filter_map(|entry| fs::read_to_string(entry.path().join("cmdline")).ok());
    commands.filter(|command| command.split('\0').any(|word| word == text)).count()
}

pub(super) fn uid(path: impl AsRef<Path>) -> u32 {
    fs::metadata(path).unwrap().uid()
}

pub(super) async fn until(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < DEADLINE, "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
