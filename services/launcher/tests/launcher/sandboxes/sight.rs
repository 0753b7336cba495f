//! What a build sees of this machine, and what of it can be written.

use super::place::{Place, bubblewrap, output, run, run_noted, sandboxes, uid};
use launcher::sandbox::{Config, Exit, Kind, Sandbox};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_our_environment_is_seen() {
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some(), "the test has an environment to hide");
    for sandbox in sandboxes().await {
        let seen = output(&sandbox, "env; cat /proc/1/environ | tr '\\0' '\\n'").await;
        let names: Vec<_> = seen.lines().filter_map(|line| line.split('=').next()).collect();
        assert!(names.contains(&"GREETING"));
        // The launcher's name says nothing, and is how its next life finds what this one left.
        let known = ["GREETING", "HOME", "PATH", "PWD", "OLDPWD", "SHLVL", "_", launcher::installation::MARK];
        // An image may have variables of its own.
        let ours = |name: &&&str| match sandbox {
            Sandbox::Bubblewrap(_) => !known.contains(*name),
            Sandbox::Docker(_) => name.starts_with("CARGO") || name.starts_with("RUST"),
        };
        let unknown: Vec<_> = names.iter().filter(ours).collect();
        assert!(unknown.is_empty(), "{}: {unknown:?}", sandbox.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn named_variables_are_passed_on() {
    let config = Config {
        kind: Kind::Bubblewrap,
        env_passthrough: vec!["CARGO_PKG_NAME".to_owned(), "NOT_THERE".to_owned()],
        ..Config::default()
    };
    let sandbox = Sandbox::detect(&config).await.unwrap();
    let seen = output(&sandbox, "echo $CARGO_PKG_NAME ${NOT_THERE-none} ${CARGO_MANIFEST_DIR-none}").await;
    assert_eq!(seen, "launcher none none");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_this_machine_are_out_of_sight() {
    let secret = tempfile::Builder::new().prefix("pagefold-secret").tempdir_in("/var/tmp").unwrap();
    for sandbox in sandboxes().await {
        let script = format!(
            "for path in /etc/shadow {} {} {} /root/.cargo /etc/ssl/private /run/docker.sock /var/run/docker.sock; do
                 cat $path >/dev/null 2>&1 && echo read $path; ls $path/* 2>/dev/null; done; ls -A /home; id -u",
            secret.path().display(),
            env!("CARGO_MANIFEST_DIR"),
            std::env::var("HOME").unwrap(),
        );
        let seen = output(&sandbox, &script).await;
        let mut lines = seen.lines();
        assert_eq!(lines.next(), Some("build"), "{}: {seen}", sandbox.name());
        assert_ne!(lines.next(), Some("0"), "{}", sandbox.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_workspace_the_home_and_tmp_can_be_written() {
    for sandbox in sandboxes().await {
        let place = Place::new();
        let script = "pwd; echo page > index.html; echo x > ~/y; echo x > /tmp/y; mkdir _site
            for folder in / /usr /usr/bin /etc /var /run /dev /home; do echo x > $folder/pagefold-x && echo wrote $folder; done 2>/dev/null
            grep CapEff /proc/self/status; grep NoNewPrivs /proc/self/status";
        let (exit, lines) = run(&sandbox, &place.shell(script)).await;
        assert_eq!(exit, Exit::Code(0));
        let expected = ["/site", "CapEff:\t0000000000000000", "NoNewPrivs:\t1"];
        assert_eq!(lines, expected, "{}", sandbox.name());
        let page = place.workspace().site().join("index.html");
        assert_eq!(fs::read_to_string(&page).unwrap(), "page\n");
        let owner = if uid("/proc/self") == 0 { Config::default().identity.uid } else { uid("/proc/self") };
        assert_eq!(uid(page), owner, "{}", sandbox.name());
        place.workspace().remove().unwrap();
        assert!(!place.folder.path().join("workspace").exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_network_there_is_only_loopback() {
    for sandbox in sandboxes().await {
        let seen = output(&sandbox, "tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '").await;
        assert_eq!(seen, "lo", "{}", sandbox.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_folder_is_no_obstacle_and_the_log_says_so() {
    let sandbox = bubblewrap().await;
    let place = Place::new();
    fs::set_permissions(place.folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let (exit, lines) = run_noted(&sandbox, &place.shell("echo page > index.html")).await;
    assert_eq!(exit, Exit::Code(0), "{lines:?}");
    let noted = lines.iter().any(|line| line.starts_with("[sandbox] the folder of builds is closed"));
    assert_eq!(noted, uid("/proc/self") == 0);
}
