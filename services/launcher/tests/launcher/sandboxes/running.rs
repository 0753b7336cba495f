//! What a build says, how it ends, and what it leaves behind.

use super::place::{Place, engines, output, processes, run, until};
use launcher::engine::Exit;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

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
async fn what_a_build_leaves_running_dies_with_it() {
    for (engine, nap) in engines().await.iter().zip(["86223", "86224"]) {
        output(engine, &format!("setsid sleep {nap} >/dev/null 2>&1 & echo left")).await;
        assert_eq!(processes(nap), 0, "{}", engine.name());
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
