//! Both engines, for real: the same promises are kept by bubblewrap and by Docker.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails fails its test")]

use events::SiteEngine;
use launcher::engine::{Config, Engine, Error, Exit, Kind};
use launcher::spec::{ContainerSpec, Job, Limits, container_name, specify};
use launcher::workspace::Workspace;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Stopping, and anything else that must happen at once, takes less than this.
const AT_ONCE: Duration = Duration::from_secs(5);
const DEADLINE: Duration = Duration::from_secs(60);

/// A workspace of its own for a test, in a folder that the build user can reach.
struct Place {
    folder: TempDir,
    id: String,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let id = format!("test{}", folder.path().file_name().unwrap().to_string_lossy().trim_start_matches('.'));
        Workspace::create(folder.path().join("workspace")).unwrap();
        Self { folder, id }
    }

    fn workspace(&self) -> Workspace {
        Workspace::at(self.folder.path().join("workspace"))
    }

    fn shell(&self, script: &str) -> ContainerSpec {
        ContainerSpec {
            build: self.id.clone(),
            name: container_name(&self.id),
            command: ["sh", "-c", script].map(str::to_owned).to_vec(),
            env: [("GREETING".to_owned(), "hello".to_owned()), ("HOME".to_owned(), "/home/build".to_owned())].into(),
            workspace: self.workspace(),
            limits: Limits { network: false, ..Limits::default() },
        }
    }
}

async fn bubblewrap() -> Engine {
    Engine::detect(&Config { kind: Kind::Bubblewrap, ..Config::default() }).await.expect("install bubblewrap")
}

/// Docker, or nothing if it was left out on purpose.
async fn docker() -> Option<Engine> {
    if std::env::var("PAGEFOLD_TEST_DOCKER").is_ok_and(|value| value == "0") {
        return None;
    }
    let found = Engine::detect(&Config { kind: Kind::Docker, ..Config::default() }).await;
    Some(found.expect("start Docker and run `just build-image`, or set PAGEFOLD_TEST_DOCKER=0"))
}

async fn engines() -> Vec<Engine> {
    [Some(bubblewrap().await), docker().await].into_iter().flatten().collect()
}

/// Runs to the end and gives the exit with the lines of the build.
async fn run(engine: &Engine, spec: &ContainerSpec) -> (Exit, Vec<String>) {
    let (exit, mut lines) = run_noted(engine, spec).await;
    lines.retain(|line| !line.starts_with("[sandbox] "));
    (exit, lines)
}

/// Runs to the end and gives the exit with all lines, notes on the sandbox included.
async fn run_noted(engine: &Engine, spec: &ContainerSpec) -> (Exit, Vec<String>) {
    let (lines, mut said) = mpsc::channel(8);
    let reading = tokio::spawn(async move {
        let mut all = Vec::new();
        while let Some(line) = said.recv().await {
            all.push(line);
        }
        all
    });
    let ended = tokio::time::timeout(DEADLINE, engine.run(spec, lines, CancellationToken::new())).await;
    (ended.expect("the container ends").unwrap(), reading.await.unwrap())
}

async fn output(engine: &Engine, script: &str) -> String {
    let place = Place::new();
    let (exit, lines) = run(engine, &place.shell(script)).await;
    assert_eq!(exit, Exit::Code(0), "{}: {lines:?}", engine.name());
    lines.join("\n")
}

/// Processes of this machine whose command line holds `text`.
fn processes(text: &str) -> usize {
    let all = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let commands = all.filter_map(|entry| fs::read_to_string(entry.path().join("cmdline")).ok());
    commands.filter(|command| command.split('\0').any(|word| word == text)).count()
}

fn uid(path: impl AsRef<Path>) -> u32 {
    fs::metadata(path).unwrap().uid()
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < DEADLINE, "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_exit_code_and_both_outputs_arrive_in_order() {
    for engine in engines().await {
        let place = Place::new();
        let script =
            r#"echo one; echo two >&2; printf '\033[31m%s\n' "$GREETING"; echo four >&2; printf 'no end'; exit 7"#;
        let (exit, lines) = run(&engine, &place.shell(script)).await;
        assert_eq!(exit, Exit::Code(7), "{}", engine.name());
        assert_eq!(lines, ["one", "two", "\u{1b}[31mhello", "four", "no end"], "{}", engine.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_is_an_exit_code() {
    for engine in engines().await {
        let place = Place::new();
        let (exit, _) = run(&engine, &place.shell("sh -c 'kill -TERM $$'")).await;
        assert_eq!(exit, Exit::Code(143), "{}", engine.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_kills_the_whole_tree_at_once() {
    for (engine, nap) in engines().await.iter().zip(["86123", "86124"]) {
        let place = Place::new();
        let script = format!("trap '' TERM INT; (setsid sleep {nap} &) ; sleep {nap} & echo up; wait");
        let spec = place.shell(&script);
        let (lines, mut said) = mpsc::channel(8);
        let stop = CancellationToken::new();
        let running = engine.run(&spec, lines, stop.clone());
        let stopping = async {
            while said.recv().await.is_some_and(|line| line != "up") {}
            until("both naps run", || processes(nap) >= 2).await;
            let start = Instant::now();
            stop.cancel();
            start
        };
        let (exit, start) = tokio::join!(running, stopping);
        assert_eq!(exit.unwrap(), Exit::Stopped, "{}", engine.name());
        assert!(start.elapsed() < AT_ONCE, "{}", engine.name());
        assert_eq!(processes(nap), 0, "{}", engine.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_can_be_stopped_at_any_moment_of_its_start() {
    let engine = bubblewrap().await;
    for delay_us in (0..60).map(|step| step * 300) {
        let place = Place::new();
        let nap = format!("8662{delay_us}");
        let spec = place.shell(&format!("exec sleep {nap}"));
        let (lines, _unread) = mpsc::channel(1);
        let stop = CancellationToken::new();
        let stopping = async {
            tokio::time::sleep(Duration::from_micros(delay_us)).await;
            stop.cancel();
        };
        let (exit, ()) = tokio::join!(engine.run(&spec, lines, stop.clone()), stopping);
        assert_eq!(exit.unwrap(), Exit::Stopped);
        assert_eq!(processes(&format!("exec sleep {nap}")) + processes(&nap), 0, "stopped after {delay_us} us");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_does_not_wait_for_a_reader() {
    for engine in engines().await {
        let place = Place::new();
        let spec = place.shell("yes");
        let (lines, _unread) = mpsc::channel(1);
        let stop = CancellationToken::new();
        let running = engine.run(&spec, lines, stop.clone());
        let stopping = async {
            until("the reader is behind", || processes("yes") > 0).await;
            stop.cancel();
        };
        let ended = tokio::time::timeout(DEADLINE, async { tokio::join!(running, stopping).0 }).await;
        assert_eq!(ended.unwrap().unwrap(), Exit::Stopped, "{}", engine.name());
        assert_eq!(processes("yes"), 0, "{}", engine.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_build_leaves_running_dies_with_it() {
    for (engine, nap) in engines().await.iter().zip(["86223", "86224"]) {
        output(engine, &format!("setsid sleep {nap} >/dev/null 2>&1 & echo left")).await;
        assert_eq!(processes(nap), 0, "{}", engine.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_our_environment_is_seen() {
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some(), "the test has an environment to hide");
    for engine in engines().await {
        let seen = output(&engine, "env; cat /proc/1/environ | tr '\\0' '\\n'").await;
        let names: Vec<_> = seen.lines().filter_map(|line| line.split('=').next()).collect();
        assert!(names.contains(&"GREETING"));
        // The launcher's name says nothing, and is how its next life finds what this one left.
        let known = ["GREETING", "HOME", "PATH", "PWD", "OLDPWD", "SHLVL", "_", launcher::installation::MARK];
        // An image may have variables of its own.
        let ours = |name: &&&str| match engine {
            Engine::Bubblewrap(_) => !known.contains(*name),
            Engine::Docker(_) => name.starts_with("CARGO") || name.starts_with("RUST"),
        };
        let unknown: Vec<_> = names.iter().filter(ours).collect();
        assert!(unknown.is_empty(), "{}: {unknown:?}", engine.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn named_variables_are_passed_on() {
    let config = Config {
        kind: Kind::Bubblewrap,
        env_passthrough: vec!["CARGO_PKG_NAME".to_owned(), "NOT_THERE".to_owned()],
        ..Config::default()
    };
    let engine = Engine::detect(&config).await.unwrap();
    let seen = output(&engine, "echo $CARGO_PKG_NAME ${NOT_THERE-none} ${CARGO_MANIFEST_DIR-none}").await;
    assert_eq!(seen, "launcher none none");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_this_machine_are_out_of_sight() {
    let secret = tempfile::Builder::new().prefix("pagefold-secret").tempdir_in("/var/tmp").unwrap();
    for engine in engines().await {
        let script = format!(
            "for path in /etc/shadow {} {} {} /root/.cargo /etc/ssl/private /run/docker.sock /var/run/docker.sock; do
                 cat $path >/dev/null 2>&1 && echo read $path; ls $path/* 2>/dev/null; done; ls -A /home; id -u",
            secret.path().display(),
            env!("CARGO_MANIFEST_DIR"),
            std::env::var("HOME").unwrap(),
        );
        let seen = output(&engine, &script).await;
        let mut lines = seen.lines();
        assert_eq!(lines.next(), Some("build"), "{}: {seen}", engine.name());
        assert_ne!(lines.next(), Some("0"), "{}", engine.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_workspace_the_home_and_tmp_can_be_written() {
    for engine in engines().await {
        let place = Place::new();
        let script = "pwd; echo page > index.html; echo x > ~/y; echo x > /tmp/y; mkdir _site
            for folder in / /usr /usr/bin /etc /var /run /dev /home; do echo x > $folder/pagefold-x && echo wrote $folder; done 2>/dev/null
            grep CapEff /proc/self/status; grep NoNewPrivs /proc/self/status";
        let (exit, lines) = run(&engine, &place.shell(script)).await;
        assert_eq!(exit, Exit::Code(0));
        let expected = ["/site", "CapEff:\t0000000000000000", "NoNewPrivs:\t1"];
        assert_eq!(lines, expected, "{}", engine.name());
        let page = place.workspace().site().join("index.html");
        assert_eq!(fs::read_to_string(&page).unwrap(), "page\n");
        let owner = if uid("/proc/self") == 0 { Config::default().identity.uid } else { uid("/proc/self") };
        assert_eq!(uid(page), owner, "{}", engine.name());
        place.workspace().remove().unwrap();
        assert!(!place.folder.path().join("workspace").exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_memory_limit_holds() {
    for engine in engines().await {
        let place = Place::new();
        let mut spec = place.shell("head -c 400000000 /dev/zero | tail >/dev/null; exit $?");
        spec.limits.memory_bytes = 64 << 20;
        let (exit, lines) = run_noted(&engine, &spec).await;
        let given_up = lines.iter().any(|line| line.ends_with("the memory limit is not enforced"));
        assert!(exit == Exit::OutOfMemory || given_up, "{}: {exit:?} {lines:?}", engine.name());
        assert!(!given_up || uid("/proc/self") != 0, "root can make control groups");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn temporary_files_and_long_files_are_bounded() {
    for engine in engines().await {
        let place = Place::new();
        let script = "for folder in /tmp /dev/shm ~; do head -c 30000000 /dev/zero > $folder/big 2>/dev/null; done
            stat -c %s /tmp/big /dev/shm/big ~/big";
        let mut spec = place.shell(script);
        spec.limits = Limits { tmp_bytes: 1 << 20, file_bytes: 2 << 20, ..spec.limits };
        let (_, lines) = run(&engine, &spec).await;
        let sizes: Vec<_> = lines.iter().filter(|line| line.parse::<u64>().is_ok()).collect();
        assert_eq!(sizes, ["1048576", "1048576", "2097152"], "{}: {lines:?}", engine.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_bomb_is_contained_and_can_be_stopped() {
    for (engine, nap) in engines().await.iter().zip(["86323", "86324"]) {
        let place = Place::new();
        let script = format!("bomb() {{ sleep {nap} & bomb | bomb & }}; bomb; sleep {nap}; wait");
        let mut spec = place.shell(&script);
        spec.limits.pids = 64;
        let (lines, mut said) = mpsc::channel(64);
        let stop = CancellationToken::new();
        let running = engine.run(&spec, lines, stop.clone());
        let stopping = async {
            let said = tokio::time::timeout(DEADLINE, async {
                while let Some(line) = said.recv().await {
                    if line.contains("fork") {
                        return true;
                    }
                }
                false
            });
            let hit = said.await;
            let alive = processes(nap);
            stop.cancel();
            (hit, alive)
        };
        let (exit, (hit, alive)) = tokio::join!(running, stopping);
        assert!(exit.is_ok());
        assert_eq!(hit, Ok(true), "{} says that it cannot fork", engine.name());
        assert!(alive <= 64, "{}: {alive} processes", engine.name());
        assert_eq!(processes(nap), 0, "{}", engine.name());
        assert!(Command::new("true").status().unwrap().success());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_network_there_is_only_loopback() {
    for engine in engines().await {
        let seen = output(&engine, "tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '").await;
        assert_eq!(seen, "lo", "{}", engine.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_after_a_lost_one_starts_clean() {
    for engine in engines().await {
        let place = Place::new();
        let spec = place.shell("sleep 86423");
        let (lines, _unread) = mpsc::channel(1);
        let lost = engine.run(&spec, lines, CancellationToken::new());
        tokio::select! {
            _ = lost => panic!("the build ended"),
            () = until("the nap runs", || processes("86423") > 0) => {}
        }
        engine.sweep(&place.id).await.unwrap();
        until("the lost attempt is gone", || processes("86423") == 0).await;
        let (exit, lines) = run(&engine, &place.shell("echo again")).await;
        assert_eq!((exit, lines), (Exit::Code(0), vec!["again".to_owned()]), "{}", engine.name());
        engine.sweep(&place.id).await.unwrap();
    }
}

const KILLED: &str = "launcher-is-killed";

/// Not a test of its own: what the next test kills.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "runs until it is killed"]
async fn a_sandbox_that_sleeps() {
    let place = Place { id: KILLED.to_owned(), ..Place::new() };
    run(&bubblewrap().await, &place.shell("sleep 86523 & wait")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_dies_with_a_launcher_that_is_killed() {
    let place = Place::new();
    let mut launcher = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_sandbox_that_sleeps", "--ignored"])
        .env("TMPDIR", place.folder.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    until("the nap runs", || processes("86523") > 0).await;
    launcher.kill().unwrap();
    launcher.wait().unwrap();
    until("the nap died", || processes("86523") == 0).await;
    bubblewrap().await.sweep(KILLED).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_folder_is_no_obstacle_and_the_log_says_so() {
    let engine = bubblewrap().await;
    let place = Place::new();
    fs::set_permissions(place.folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let (exit, lines) = run_noted(&engine, &place.shell("echo page > index.html")).await;
    assert_eq!(exit, Exit::Code(0), "{lines:?}");
    let noted = lines.iter().any(|line| line.starts_with("[sandbox] the folder of builds is closed"));
    assert_eq!(noted, uid("/proc/self") == 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_image_is_named_with_its_remedy() {
    if docker().await.is_none() {
        return;
    }
    let config = Config { kind: Kind::Docker, image: "pagefold-none:never".to_owned(), ..Config::default() };
    let refused = Engine::detect(&config).await.err().unwrap();
    assert!(matches!(refused, Error::ImageMissing { .. }));
    assert!(refused.to_string().contains("just build-image"));
    let auto = Engine::detect(&Config { kind: Kind::Auto, ..config }).await.unwrap();
    assert_eq!(auto.name(), "bubblewrap");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_does_not_answer_is_an_error() {
    let config = Config {
        kind: Kind::Docker,
        docker_host: Some("unix:///nonexistent/docker.sock".to_owned()),
        ..Config::default()
    };
    assert!(matches!(Engine::detect(&config).await.err(), Some(Error::Docker { .. })));
}

mod builds {
    use super::{Engine, Exit, Job, Limits, Path, Place, SiteEngine, engines, fs, run, specify};

    async fn build(engine: &Engine, kind: SiteEngine, files: &[(&str, &str)]) -> (Exit, String, Place) {
        let place = Place::new();
        for (path, content) in files {
            let path = place.workspace().site().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        let job = Job {
            build: place.id.clone(),
            site: "docs".to_owned(),
            branch: "main".to_owned(),
            commit: "c".repeat(40),
            repository_url: "https://example.org/acme/docs.git".to_owned(),
            engine: kind,
            workspace: place.workspace(),
        };
        let (exit, lines) = run(engine, &specify(&job, &Limits { network: false, ..Limits::default() })).await;
        (exit, lines.join("\n"), place)
    }

    fn read(place: &Place, path: &str) -> Option<String> {
        fs::read_to_string(place.workspace().site().join("_site").join(Path::new(path))).ok()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn static_files_become_the_output_without_git() {
        for engine in engines().await {
            let files =
                [("index.html", "hi"), ("a/b.css", "b"), (".git/HEAD", "x"), (".well-known/x", "w"), ("-x y", "odd")];
            let (exit, said, place) = build(&engine, SiteEngine::Static, &files).await;
            assert_eq!(exit, Exit::Code(0), "{said}");
            assert_eq!(said, "[build] static files\n[build] done", "{}", engine.name());
            for (path, content) in [files[0], files[1], files[3], files[4]] {
                assert_eq!(read(&place, path).as_deref(), Some(content), "{path}");
            }
            assert!(!place.workspace().site().join("_site/.git").exists());
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_script_runs_for_every_engine_with_what_a_site_may_know() {
        let package = r#"{"scripts": {
            "federalist": "exit 9",
            "pages": "mkdir _site && echo $OWNER/$REPOSITORY@$BRANCH > _site/index.html && env | grep -c SECRET || true"}}"#;
        for engine in engines().await {
            for kind in [SiteEngine::Static, SiteEngine::NodeJs] {
                let (exit, said, place) = build(&engine, kind, &[("package.json", package), ("x", "y")]).await;
                assert_eq!(exit, Exit::Code(0), "{}: {said}", engine.name());
                assert!(said.starts_with("[build] npm run pages\n"), "{said}");
                assert!(!said.contains("npm ci"), "{said}");
                assert_eq!(read(&place, "index.html").as_deref(), Some("acme/docs@main\n"));
                assert_eq!(read(&place, "x"), None);
            }
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn packages_are_installed_from_the_lockfile_without_the_site_s_variables() {
        let package = r#"{"name": "x", "version": "1.0.0", "scripts": {
            "preinstall": "env | cut -d= -f1 | sort > variables",
            "federalist": "mkdir _site && mv variables _site/"}}"#;
        let lock = r#"{"name": "x", "version": "1.0.0", "lockfileVersion": 3,
            "packages": {"": {"name": "x", "version": "1.0.0"}}}"#;
        let files = [("package.json", package), ("package-lock.json", lock)];
        for engine in engines().await {
            let (exit, said, place) = build(&engine, SiteEngine::NodeJs, &files).await;
            assert_eq!(exit, Exit::Code(0), "{}: {said}", engine.name());
            assert!(said.contains("[build] npm ci\n") && said.contains("[build] npm run federalist\n"), "{said}");
            let variables = read(&place, "variables").unwrap();
            assert!(variables.contains("HOME"), "{variables}");
            assert!(!variables.contains("BRANCH") && !variables.contains("OWNER"), "{variables}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn failures_say_what_is_wrong() {
        type Case<'a> = (SiteEngine, &'a [(&'a str, &'a str)], &'a str);
        let cases: [Case<'_>; 5] = [
            (SiteEngine::NodeJs, &[("index.html", "x")], "[build] nothing to run: package.json has no script"),
            (SiteEngine::NodeJs, &[("package.json", r#"{"scripts":{"build":"x"}}"#)], "[build] nothing to run"),
            (SiteEngine::NodeJs, &[("package.json", "{")], "[build] package.json cannot be read"),
            (
                SiteEngine::NodeJs,
                &[("package.json", r#"{"scripts":{"pages":"true"}}"#)],
                "[build] the build left no _site",
            ),
            (
                SiteEngine::Static,
                &[("package.json", r#"{"scripts":{"pages":"exit 5"}}"#)],
                "[build] npm run pages failed",
            ),
        ];
        for engine in engines().await {
            for (kind, files, message) in cases {
                let (exit, said, _place) = build(&engine, kind, files).await;
                assert!(matches!(exit, Exit::Code(code) if code != 0), "{}: {said}", engine.name());
                assert!(said.contains(message), "{}: {said}", engine.name());
            }
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn hugo_builds_into_the_output() {
        let files = [
            (
                "config.toml",
                "baseURL = 'https://configured.example/'\ntitle = 'T'\ndisableKinds = ['taxonomy', 'term']\n",
            ),
            ("layouts/index.html", "<p>{{ .Site.BaseURL }}</p>"),
        ];
        for engine in engines().await {
            let (exit, said, place) = build(&engine, SiteEngine::Hugo, &files).await;
            assert_eq!(exit, Exit::Code(0), "{}: {said}", engine.name());
            assert_eq!(read(&place, "index.html").as_deref(), Some("<p>https://configured.example/</p>"));
        }
    }
}
