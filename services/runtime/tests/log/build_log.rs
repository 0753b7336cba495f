//! A build's log: bytes by offset, from the stream.

use crate::world::{World, within};
use bytes::Bytes;
use events::BuildId;
use futures::StreamExt;
use runtime::build_log::{CHUNK_MAX, Chunk, LOG_MAX, Writer, follow, read};

fn text(chunks: &[Chunk]) -> Vec<u8> {
    assert!(chunks.windows(2).all(|pair| pair[0].end() == pair[1].offset), "no gap, no byte twice");
    chunks.iter().flat_map(|chunk| chunk.text.to_vec()).collect()
}

fn build() -> BuildId {
    BuildId(uuid::Uuid::from_u128(7))
}

#[tokio::test]
async fn a_second_attempt_goes_on_where_the_first_stopped() {
    let world = World::start().await;
    let launcher = world.connection("launcher").await;
    for (attempt, expected) in [("first", 14), ("second", 29)] {
        let mut writer = Writer::open(&launcher, build()).await.unwrap();
        writer.line(attempt);
        writer.flush().await.unwrap();
        writer.line("attempt");
        writer.flush().await.unwrap();
        writer.flush().await.unwrap();
        assert_eq!(writer.offset(), expected);
    }
    let chunks = read(&launcher, build()).await.unwrap();
    assert_eq!(text(&chunks), b"first\nattempt\nsecond\nattempt\n");
}

#[tokio::test]
async fn a_reader_resumes_at_any_byte_and_hears_what_comes_even_after_a_crash() {
    let mut world = World::start().await;
    let (launcher, web) = (world.connection("launcher").await, world.connection("web").await);
    let mut writer = Writer::open(&launcher, build()).await.unwrap();
    writer.line("hello");
    writer.flush().await.unwrap();
    let mut chunks = follow(&web, build(), 2).await.unwrap();
    assert_eq!(within(chunks.next()).await, Some(Chunk { offset: 2, text: Bytes::from_static(b"llo\n") }));
    world.kill().await;
    world.revive().await;
    writer.line("again");
    within(async { while writer.flush().await.is_err() {} }).await;
    assert_eq!(within(chunks.next()).await, Some(Chunk { offset: 6, text: Bytes::from_static(b"again\n") }));
}

#[tokio::test]
async fn lines_written_while_the_server_is_silent_are_kept_in_order() {
    let world = World::start().await;
    let launcher = world.connection("launcher").await;
    let mut writer = Writer::open(&launcher, build()).await.unwrap();
    writer.line("before");
    world.signal("-STOP");
    writer.flush().await.unwrap_err();
    // The first line is on its way, and will be stored by an attempt nobody heard the end of.
    writer.line("meanwhile");
    world.signal("-CONT");
    within(async { while writer.flush().await.is_err() {} }).await;
    assert_eq!(text(&read(&launcher, build()).await.unwrap()), b"before\nmeanwhile\n");
}

#[tokio::test]
async fn a_line_of_any_length_is_kept_whole() {
    let world = World::start().await;
    let launcher = world.connection("launcher").await;
    let mut writer = Writer::open(&launcher, build()).await.unwrap();
    writer.line("short");
    writer.line(&"x".repeat(2 << 20));
    writer.flush().await.unwrap();
    let chunks = read(&launcher, build()).await.unwrap();
    assert!(chunks.iter().all(|chunk| chunk.text.len() <= CHUNK_MAX));
    assert_eq!(text(&chunks).len(), 6 + (2 << 20) + 1);
}

#[tokio::test]
async fn a_log_that_is_too_long_says_how_much_is_lost_and_how_it_ended() {
    let world = World::start().await;
    let launcher = world.connection("launcher").await;
    let mut writer = Writer::open(&launcher, build()).await.unwrap();
    let line = "x".repeat((1 << 20) - 1);
    for _ in 0..20 {
        writer.line(&line);
    }
    writer.own_line("[pagefold] done");
    writer.flush().await.unwrap();
    let kept = text(&read(&launcher, build()).await.unwrap());
    assert!(kept.len() as u64 <= LOG_MAX, "{}", kept.len());
    let lost = format!("[pagefold] not kept: 13 lines of the build, {} bytes\n[pagefold] done\n", 13 << 20);
    assert!(kept.ends_with(lost.as_bytes()), "{:?}", String::from_utf8_lossy(&kept[kept.len() - 200..]));
    assert_eq!(writer.offset(), kept.len() as u64);
}

#[tokio::test]
async fn a_second_attempt_at_a_full_log_still_says_how_it_ended() {
    let world = World::start().await;
    let launcher = world.connection("launcher").await;
    let line = "x".repeat((1 << 20) - 1);
    for attempt in ["first", "second"] {
        let mut writer = Writer::open(&launcher, build()).await.unwrap();
        for _ in 0..9 {
            writer.line(&line);
        }
        writer.own_line(attempt);
        writer.flush().await.unwrap();
    }
    let kept = text(&read(&launcher, build()).await.unwrap());
    assert!(kept.len() as u64 <= LOG_MAX && kept.ends_with(b"\nsecond\n"), "{}", kept.len());
    assert!(kept.windows(6).any(|window| window == b"first\n"));
}
