//! What a build says, how it ends, and what it leaves behind.

use super::place::{Place, output, processes, run, sandboxes, until};
use launcher::sandbox::Exit;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

#[tokio::test(flavor = "multi_thread")]
async fn the_exit_code_and_both_outputs_arrive_in_order() {
    for sandbox in sandboxes().await {
        let place = Place::new();
        let script =
            r#"echo one; echo two >&2; printf '\033[31m%s\n' "$GREETING"; echo four >&2; printf 'no end'; exit 7"#;
        let (exit, lines) = run(&sandbox, &place.shell(script)).await;
        assert_eq!(exit, Exit::Code(7), "{}", sandbox.name());
        assert_eq!(lines, ["one", "two", "\u{1b}[31mhello", "four", "no end"], "{}", sandbox.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_is_an_exit_code() {
    for sandbox in sandboxes().await {
        let place = Place::new();
        let (exit, _) = run(&sandbox, &place.shell("sh -c 'kill -TERM $$'")).await;
        assert_eq!(exit, Exit::Code(143), "{}", sandbox.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_build_leaves_running_dies_with_it() {
    for (sandbox, nap) in sandboxes().await.iter().zip(["86223", "86224"]) {
        output(sandbox, &format!("setsid sleep {nap} >/dev/null 2>&1 & echo left")).await;
        assert_eq!(processes(nap), 0, "{}", sandbox.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_after_a_lost_one_starts_clean() {
    for sandbox in sandboxes().await {
        let place = Place::new();
        let spec = place.shell("sleep 86423");
        let (lines, _unread) = mpsc::channel(1);
        let lost = sandbox.run(&spec, lines, CancellationToken::new());
        tokio::select! {
            _ = lost => panic!("the build ended"),
            () = until("the nap runs", || processes("86423") > 0) => {}
        }
        sandbox.sweep(&place.id).await.unwrap();
        until("the lost attempt is gone", || processes("86423") == 0).await;
        let (exit, lines) = run(&sandbox, &place.shell("echo again")).await;
        assert_eq!((exit, lines), (Exit::Code(0), vec!["again".to_owned()]), "{}", sandbox.name());
        sandbox.sweep(&place.id).await.unwrap();
    }
}
