//! Readers, as `wrk` plays them: each asks for the next file of a list when it has the one before.

use std::fs;
use std::path::{Path, PathBuf};
use tokio::process::Command;

const READERS: &str = "64";
/// One thread asks: it leaves a core to the server on the smallest of machines.
const THREADS: &str = "1";
const DURATION: &str = "5s";

/// Writes down what is asked for, and of which host.
pub(super) fn script(folder: &Path, files: &[PathBuf], host: &str) -> PathBuf {
    let paths: String = files.iter().map(|path| format!("  \"/{}\",\n", path.display())).collect();
    let text = format!(
        "local paths = {{\n{paths}}}
local next = 0
wrk.headers[\"Host\"] = \"{host}\"
function request()
  next = next % #paths + 1
  return wrk.format(\"GET\", paths[next])
end
"
    );
    let script = folder.join("readers.lua");
    fs::write(&script, text).unwrap();
    script
}

/// Answers per second. Every one must be a good one.
pub(super) async fn answers(url: &str, script: &Path) -> f64 {
    let mut command = Command::new("wrk");
    command
        .args(["--threads", THREADS, "--connections", READERS, "--duration", DURATION, "--script"])
        .arg(script)
        .arg(url);
    let output = command.kill_on_drop(true).output().await;
    let output = output.unwrap_or_else(|error| panic!("wrk: {error}; `sh deploy/bootstrap.sh bench` installs it"));
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && !said.contains("Non-2xx") && !said.contains("Socket errors"), "{said}");
    let rate = said.lines().find_map(|line| line.strip_prefix("Requests/sec:"));
    rate.unwrap_or_else(|| panic!("{said}")).trim().parse().unwrap()
}
