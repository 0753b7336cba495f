//! What a build takes is counted while it runs.

use super::place::{DEADLINE, Place, sandboxes};
use launcher::sandbox::{Exit, Used};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Turns a processor for about two seconds, and holds 100 MB.
const WORK: &str =
    "node -e 'const held = Buffer.alloc(100e6, 1); const end = Date.now() + 2000; while (Date.now() < end);'";

async fn took(sandbox: &launcher::sandbox::Sandbox, script: &str) -> Used {
    let place = Place::new();
    let (lines, mut said) = mpsc::channel(8);
    let reading = tokio::spawn(async move { while said.recv().await.is_some() {} });
    let spec = place.shell(script);
    let ended = tokio::time::timeout(DEADLINE, sandbox.run(&spec, lines, CancellationToken::new())).await;
    let ended = ended.expect("the container ends").unwrap();
    reading.await.unwrap();
    assert_eq!(ended.exit, Exit::Code(0), "{}", sandbox.name());
    ended.used
}

#[tokio::test(flavor = "multi_thread")]
async fn processors_and_memory_are_counted_by_every_sandbox() {
    for sandbox in sandboxes().await {
        let Used { cpu_ms, memory_peak_bytes } = took(&sandbox, WORK).await;
        let (cpu_ms, memory) = (cpu_ms.expect("counted"), memory_peak_bytes.expect("counted"));
        // An engine is asked once in a while, and a busy machine gives no processor for itself.
        assert!((300..10_000).contains(&cpu_ms), "{}: {cpu_ms} ms", sandbox.name());
        assert!((100_000_000..1 << 30).contains(&memory), "{}: {memory} bytes", sandbox.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_does_little_takes_little_and_not_nothing() {
    for sandbox in sandboxes().await {
        let Used { memory_peak_bytes, .. } = took(&sandbox, "sleep 0.3").await;
        let memory = memory_peak_bytes.expect("counted");
        assert!((1..50_000_000).contains(&memory), "{}: {memory} bytes", sandbox.name());
    }
}
