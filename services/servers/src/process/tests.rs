use super::{Kind, Process, Silence, last_lines, tied};
use crate::private;
use rustix::process::Signal;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// Told by the kernel that its parent is dead, it says so; asked to end, it does.
const OBEDIENT: &str = "trap 'echo orphaned >&2' HUP; trap 'echo asked >&2; exit 0' TERM; echo up >&2; \
                        while :; do sleep 0.02; done";
/// It takes no notice of being asked.
const STUBBORN: &str = "trap '' TERM; echo up >&2; while :; do sleep 0.02; done";

static KIND: Kind = Kind {
    name: "a test's",
    ask_every: Duration::from_millis(5),
    end: Signal::TERM,
    end_max: Duration::from_millis(300),
    end_now: Signal::KILL,
};

fn output(folder: &TempDir) -> PathBuf {
    folder.path().join("output")
}

/// A process of which nothing is known but that it was begun.
fn begun(folder: &TempDir, script: &str) -> Process {
    let mut command = tied(Path::new("setpriv"), "HUP", Path::new("sh"));
    command.args(["-c", script]);
    Process::spawn(&KIND, command, private::empty(&output(folder)).unwrap()).unwrap()
}

/// Asks it until it has said `line`.
async fn says(process: &Process, folder: &TempDir, line: &str) -> Result<(), Silence<bool>> {
    let ask = async || if last_lines(&output(folder), 9).contains(&line.to_owned()) { Ok(()) } else { Err(false) };
    process.answer(ask, |is_final| *is_final, |_| {}).await
}

fn is_there(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

#[tokio::test]
async fn one_outlives_the_thread_that_began_it_and_ends_when_it_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let (process, thread) = std::thread::scope(|scope| {
        let begin = || (begun(&folder, OBEDIENT), std::fs::read_link("/proc/thread-self").unwrap());
        scope.spawn(begin).join().unwrap()
    });
    says(&process, &folder, "up").await.unwrap();
    // A thread that is joined is not gone yet; with it would go the parent.
    while Path::new("/proc").join(&thread).exists() {
        std::thread::yield_now();
    }
    let pid = process.pid().unwrap();
    assert!(process.end().await, "it ends in time");
    assert_eq!(last_lines(&output(&folder), 9), ["up", "asked"]);
    assert!(!is_there(pid));
}

#[tokio::test]
async fn one_that_does_not_end_when_it_is_asked_is_made_to() {
    let folder = tempfile::tempdir().unwrap();
    let process = begun(&folder, STUBBORN);
    says(&process, &folder, "up").await.unwrap();
    let pid = process.pid().unwrap();
    assert!(!process.end().await);
    assert!(!is_there(pid));
}

#[tokio::test]
async fn one_that_has_ended_or_has_said_its_last_word_is_waited_for_no_longer() {
    let folder = tempfile::tempdir().unwrap();
    let ended = begun(&folder, "echo one >&2; echo two >&2; exit 1");
    assert!(matches!(says(&ended, &folder, "up").await, Err(Silence::Ended)));
    assert_eq!((ended.pid(), last_lines(&output(&folder), 1)), (None, vec!["two".to_owned()]));
    let alive = begun(&folder, STUBBORN);
    let answer = alive.answer(async || Err::<(), _>(true), |is_final| *is_final, |_| {}).await;
    assert!(matches!(answer, Err(Silence::Final(true))));
}

#[test]
fn what_cannot_be_run_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = Command::new(folder.path().join("nothing"));
    let error = Process::spawn(&KIND, nothing, private::empty(&output(&folder)).unwrap()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
}
