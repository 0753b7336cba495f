use super::{BUILD_MARK, OWN_MARK, Record, of_build, of_launcher};
use crate::lines::Lines;
use events::BuildId;
use proptest::prelude::*;
use runtime::build_log::{self, Writer};
use runtime::{Connection, streams};
use rustix::process::{Pid, Signal, kill_process};
use servers::nats::Server;
use std::time::Duration;
use tempfile::TempDir;

const BUILD: BuildId = BuildId(uuid::Uuid::from_u128(7));

struct World {
    connection: Connection,
    server: Server,
    _folder: TempDir,
}

impl World {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(folder.path(), 0).await.unwrap();
        let access = async |user: &str| Connection::open(&server.access(user).unwrap()).await.unwrap();
        streams::provision(&access("ctl").await, 1).await.unwrap();
        Self { connection: access("launcher").await, server, _folder: folder }
    }

    async fn text(&self) -> String {
        let chunks = build_log::read(&self.connection, BUILD).await.unwrap();
        chunks.iter().map(|chunk| String::from_utf8_lossy(&chunk.text).into_owned()).collect()
    }
}

#[tokio::test]
async fn what_the_launcher_says_last_is_kept_behind_the_longest_output() {
    let world = World::start().await;
    let writer = Writer::open(&world.connection, BUILD).await.unwrap();
    let (record, written) = Record::start(writer);
    record.say("checked out").await;
    let lines = record.lines();
    let (line, count) = ("x".repeat(8_000), 1_500);
    for _ in 0..count {
        lines.send(line.clone()).await.unwrap();
    }
    drop(lines);
    record.say("The build failed with exit code 1.").await;
    drop(record);
    written.await;
    let text = world.text().await;
    assert!(text.len() as u64 <= build_log::LOG_MAX, "{}", text.len());
    let kept = text.lines().filter(|text| text.strip_prefix(BUILD_MARK) == Some(&line)).count();
    let lost = count - kept;
    let expected = format!(
        "[pagefold] not kept: {lost} lines of the build, {} bytes\n[pagefold] The build failed with exit code 1.\n",
        lost * (BUILD_MARK.len() + line.len() + 1)
    );
    assert!(text.starts_with("[pagefold] checked out\n| xxx"));
    assert!(text.ends_with(&expected), "{:?} is not {expected:?}", &text[text.len() - 300..]);
    world.server.stop().await;
}

#[tokio::test]
async fn lines_stand_in_the_order_in_which_they_were_said() {
    let world = World::start().await;
    let writer = Writer::open(&world.connection, BUILD).await.unwrap();
    let (record, written) = Record::start(writer);
    let lines = record.lines();
    let mut expected = String::new();
    for number in 0..200 {
        lines.send(format!("[pagefold] {number}")).await.unwrap();
        record.say(format!("said {number}")).await;
        expected.push_str(&format!("| [pagefold] {number}\n[pagefold] said {number}\n"));
    }
    drop((lines, record));
    written.await;
    assert_eq!(world.text().await, expected);
    world.server.stop().await;
}

#[tokio::test]
async fn nobody_waits_for_a_log_that_is_silent() {
    let world = World::start().await;
    let writer = Writer::open(&world.connection, BUILD).await.unwrap();
    let (record, written) = Record::start(writer);
    record.say("begun").await;
    let log = Pid::from_raw(i32::try_from(world.server.pid().unwrap()).unwrap());
    kill_process(log.unwrap(), Signal::STOP).unwrap();
    // More than one message holds, in less time than one is tried to be sent.
    let line = "x".repeat(1_000);
    let said = async {
        for _ in 0..50 {
            record.say(&line).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(4), said).await.expect("lines are taken while the log is away");
    kill_process(log.unwrap(), Signal::CONT).unwrap();
    drop(record);
    written.await;
    let text = world.text().await;
    assert_eq!(text, format!("[pagefold] begun\n{}", format!("[pagefold] {line}\n").repeat(50)));
    world.server.stop().await;
}

#[test]
fn what_we_quote_is_marked_line_by_line() {
    let said: Vec<_> = of_launcher("it failed: fatal\nremote: | forged\r\u{1b}[1Gx\n").collect();
    assert_eq!(said, ["[pagefold] it failed: fatal", "[pagefold] remote: | forged", "[pagefold] x"]);
}

proptest! {
    #[test]
    fn no_output_begins_a_line_like_ours(chunks in proptest::collection::vec("(\\[pagefold\\] |\r|\n|\u{1b}|\\[[0-9]*[mGK]|\u{8}|\u{85}|\u{2028}|\\PC){0,12}", 0..4)) {
        let mut lines = Lines::default();
        let mut all: Vec<String> = chunks.iter().flat_map(|chunk| lines.push(chunk.as_bytes())).collect();
        all.extend(lines.finish());
        for line in all.iter().map(|line| of_build(line)) {
            prop_assert!(line.starts_with(BUILD_MARK) && !line.starts_with(OWN_MARK));
            // As a terminal shows it, colours aside: one line, from left to right.
            prop_assert!(!line.replace(['\t', '\u{1b}'], "").contains(char::is_control), "{:?}", line);
            prop_assert!(line.split('\u{1b}').skip(1).all(|after| after.starts_with('[')), "{:?}", line);
        }
    }
}
