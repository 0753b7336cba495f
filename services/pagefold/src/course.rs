//! How a build went, in lines for people.

use ctl::print::cell;
use serde_json::Value;

const MIB: f64 = 1024.0 * 1024.0;

/// A build as the API tells it: where it stands and why, a line for each step, and what it took.
pub(crate) fn told(build: &Value) -> String {
    let mut lines = vec![["id", "state", "branch", "summary"].map(|name| cell(&build[name])).join("  ")];
    lines.extend((build["clear_cache"] == true).then(|| "the cache of the site was cleared before it".to_owned()));
    lines.extend(["reason", "hint"].iter().filter_map(|name| build[*name].as_str().map(str::to_owned)));
    lines.extend(build["steps"].as_array().into_iter().flatten().map(step));
    lines.extend(took(&build["resources"]));
    lines.join("\n")
}

fn step(step: &Value) -> String {
    let text = |name: &str| cell(&step[name]);
    format!("  {:<8} {} to {}, exit code {}", text("name"), text("started_at"), text("ended_at"), text("exit_code"))
}

fn took(resources: &Value) -> Option<String> {
    let mib = |name: &str| resources[name].as_f64().map(|bytes| format!("{:.1} MiB", bytes / MIB));
    let cpu = resources["cpu_seconds"].as_f64().map(|seconds| format!("{seconds:.1} s of processors"));
    let memory = mib("memory_peak_bytes").map(|most| format!("{most} of memory"));
    let disk = mib("disk_peak_bytes").map(|most| format!("{most} of disk"));
    let cache = mib("cache_bytes").map(|kept| format!("{kept} of cache restored"));
    let told: Vec<String> = [cpu, memory, disk, cache].into_iter().flatten().collect();
    (!told.is_empty()).then(|| format!("  took     {}", told.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::told;
    use serde_json::json;

    #[test]
    fn a_build_is_told_with_its_steps_and_what_it_took() {
        let build = json!({
            "id": "b", "state": "failure", "branch": "main", "summary": "Fix", "reason": "npm ci failed.", "hint": null,
            "steps": [{ "name": "setup", "started_at": "T1", "ended_at": "T2", "exit_code": 1 }],
            "clear_cache": true,
            "resources": { "cpu_seconds": 1.25, "memory_peak_bytes": 3_145_728, "disk_peak_bytes": null, "cache_bytes": 1_048_576 },
        });
        let expected = "b  failure  main  Fix\nthe cache of the site was cleared before it\nnpm ci failed.\n  setup    T1 to T2, exit code 1\n  \
                        took     1.2 s of processors, 3.0 MiB of memory, 1.0 MiB of cache restored";
        assert_eq!(told(&build), expected);
        assert_eq!(
            told(&json!({ "id": "b", "state": "queued", "branch": "main", "summary": "" })),
            "b  queued  main  "
        );
    }
}
