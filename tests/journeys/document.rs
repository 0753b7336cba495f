//! What the API says of itself holds: a program makes up requests by its document, good ones and bad ones, and looks whether the answers
//! are what the document says. It knows nothing of us but that.

use journeys::{Platform, workspace};
use serde_json::json;
use tokio::process::Command;

/// Requests that are made up for each operation, beside those at the bounds of each field.
const EXAMPLES: &str = "6";
/// The same requests every time, as far as the answers allow.
const SEED: &str = "1";
/// What never ends by itself.
const STREAMS: &str = "live|/log$";

#[tokio::test]
async fn a_program_that_makes_requests_up_finds_nothing() {
    let platform = Platform::start().await;
    platform.site("docs", json!({})).await;
    let program = workspace().join(".tools/venv/bin/schemathesis");
    let config = workspace().join("tests/schemathesis.toml");
    let document = format!("{}/api/v1/openapi.json", platform.web());
    let mut command = Command::new(program);
    command.arg("--config-file").arg(config).args(["run", &document, "--no-color", "--workers", "1", "--seed", SEED]);
    command.args(["--phases", "coverage,fuzzing", "--max-examples", EXAMPLES, "--exclude-path-regex", STREAMS]);
    command.args(["-H", &format!("Authorization: Bearer {}", platform.token())]);
    // It remembers what it found in the folder it works in.
    let done = command.current_dir(platform.folder()).output().await.unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{said}\n{}", String::from_utf8_lossy(&done.stderr));
    assert!(said.contains("Tested:"), "nothing was tried: {said}");
}
