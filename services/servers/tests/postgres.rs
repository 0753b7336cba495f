//! The private Postgres: made once, taken up again after an end of any kind, gone with its program.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use projections::Store;
use secrecy::ExposeSecret;
use servers::postgres::{Config, Error, Role, Server};
use std::os::unix::fs::PermissionsExt;
use tempfile::TempDir;

/// A directory that the server's user can enter.
fn directory() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    directory
}

/// A server below `directory` that does not wait for the disk.
fn config(directory: &TempDir) -> Config {
    let settings = vec![("fsync".to_owned(), "off".to_owned())];
    Config { settings, ..Config::new(directory.path().join("postgres")) }
}

#[tokio::test]
async fn what_was_written_is_there_after_an_orderly_stop_and_after_a_crash() {
    let directory = directory();
    let config = config(&directory);
    let first = Server::start(&config).await.unwrap();
    let url = first.url(Role::Owner);
    Store::connect(&url, 1).await.unwrap().prepare(Some(Role::Reader.name())).await.unwrap();
    first.stop().await.unwrap();
    assert!(Store::connect(&url, 1).await.is_err(), "the server is gone");

    let second = Server::start(&config).await.unwrap();
    let reader = Store::connect(&second.url(Role::Reader), 1).await.unwrap();
    assert_eq!(reader.live().position().await.unwrap(), 0);
    kill(&directory);
    let third = Server::start(&config).await.unwrap();
    let reader = Store::connect(&third.url(Role::Reader), 1).await.unwrap();
    assert_eq!(reader.live().position().await.unwrap(), 0);
    drop(second);
}

/// Ends the server so that it can clear nothing away, and leaves its lock naming a process that is no server.
fn kill(directory: &TempDir) {
    let lock = directory.path().join("postgres/cluster/postmaster.pid");
    let text = std::fs::read_to_string(&lock).unwrap();
    let pid = text.lines().next().unwrap().parse().ok().and_then(rustix::process::Pid::from_raw).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    while std::fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).is_ok_and(|line| !line.is_empty()) {
        std::thread::yield_now();
    }
    std::fs::write(&lock, text.replacen(&pid.as_raw_nonzero().to_string(), "1", 1)).unwrap();
}

#[tokio::test]
async fn passwords_are_private_and_none_is_shared() {
    let directory = directory();
    let server = Server::start(&config(&directory)).await.unwrap();
    let roles = [Role::Owner, Role::Reader, Role::Administrator];
    let mut passwords: Vec<String> = Vec::new();
    for role in roles {
        let path = directory.path().join("postgres/passwords").join(role.name());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let password = std::fs::read_to_string(&path).unwrap();
        assert!(server.url(role).expose_secret().contains(&password));
        assert!(!format!("{server:?}").contains(&password));
        passwords.push(password);
        Store::connect(&server.url(role), 1).await.unwrap();
    }
    passwords.sort();
    passwords.dedup();
    assert_eq!(passwords.len(), roles.len());
    let wrong = server.url(Role::Reader).expose_secret().replace(&passwords[0], "x").replace(&passwords[1], "x");
    let wrong = wrong.replace(&passwords[2], "x").into();
    assert!(Store::connect(&wrong, 1).await.is_err());
}

#[tokio::test]
async fn nobody_else_can_stand_where_the_server_listens() {
    let directory = directory();
    let server = Server::start(&config(&directory)).await.unwrap();
    let socket = directory.path().join("postgres/socket");
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o700);
    assert!(!server.url(Role::Owner).expose_secret().contains("127.0.0.1"));
    let inodes = sockets_of(server.pid().unwrap());
    let tcp = ["/proc/net/tcp", "/proc/net/tcp6"].map(|table| std::fs::read_to_string(table).unwrap_or_default());
    let listens = |line: &&str| line.split_whitespace().nth(9).is_some_and(|inode| inodes.contains(&inode.to_owned()));
    assert_eq!(tcp.iter().flat_map(|table| table.lines()).find(listens), None, "it has no port");
    let settings = std::fs::read_to_string(directory.path().join("postgres/cluster/pg_hba.conf")).unwrap();
    let methods =
        settings.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_whitespace().last());
    assert!(methods.clone().count() > 0 && methods.clone().all(|method| method == "scram-sha-256"), "{settings}");
}

fn sockets_of(pid: u32) -> Vec<String> {
    let open = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten();
    let links = open.filter_map(|entry| std::fs::read_link(entry.path()).ok());
    links.filter_map(|link| Some(link.to_str()?.strip_prefix("socket:[")?.trim_end_matches(']').to_owned())).collect()
}

#[tokio::test]
async fn a_name_too_long_for_a_socket_is_said_with_the_remedy() {
    let directory = directory();
    let deep = directory.path().join("d".repeat(120));
    let refused = Server::start(&Config::new(deep)).await.unwrap_err();
    assert!(matches!(&refused, Error::TooLong { .. }) && refused.to_string().contains("shorter"), "{refused}");
}

#[tokio::test]
async fn a_directory_the_servers_user_cannot_enter_is_named_with_the_remedy() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let directory = directory();
    std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    let refused = Server::start(&config(&directory)).await.unwrap_err().to_string();
    assert!(refused.contains(directory.path().to_str().unwrap()) && refused.contains("choose"), "{refused}");
    let nobody = Config { user_if_root: "no-such-user".to_owned(), ..config(&directory) };
    assert!(matches!(Server::start(&nobody).await, Err(Error::NoUser(_))));
}
