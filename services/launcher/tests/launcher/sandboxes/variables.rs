//! What a site gives its builds: in their environment, and nowhere else.

use super::place::{Place, run, sandboxes};
use launcher::sandbox::Exit;
use launcher::spec::ContainerSpec;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const SECRET: &str = "s3cr3t-value-0123456789";

/// Whether any process of this machine has the value in its command line while `until` is not set.
fn is_on_a_command_line(until: &AtomicBool) -> bool {
    let mut seen = false;
    while !until.load(Ordering::Relaxed) {
        let all = fs::read_dir("/proc").unwrap().flatten();
        let lines = all.filter_map(|entry| fs::read_to_string(entry.path().join("cmdline")).ok());
        seen |= lines.into_iter().any(|line| line.contains(SECRET));
    }
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_has_its_variables_and_neither_its_output_nor_a_command_line_has() {
    let script = "printf %s \"$API_KEY\" | wc -c; echo \"BRANCH=$BRANCH\"; echo \"key $API_KEY\"; printf s3cr3t-; sleep 0.3; \
        echo value-0123456789; printf 's3cr3t-'";
    for sandbox in sandboxes().await {
        let place = Place::new();
        let variables = [("API_KEY", SECRET), ("BRANCH", "not-the-branch")].into_iter().collect();
        let mut spec = ContainerSpec { variables, ..place.shell(script) };
        spec.env.insert("BRANCH".to_owned(), "main".to_owned());
        let over = Arc::new(AtomicBool::new(false));
        let looking = std::thread::spawn({
            let over = Arc::clone(&over);
            move || is_on_a_command_line(&over)
        });
        let (exit, lines) = run(&sandbox, &spec).await;
        over.store(true, Ordering::Relaxed);
        assert_eq!(exit, Exit::Code(0), "{lines:?}");
        let expected = ["23", "BRANCH=main", "key [masked API_KEY]", "[masked API_KEY]", "s3cr3t-"];
        assert_eq!(lines, expected, "{}", sandbox.name());
        assert!(!looking.join().unwrap(), "{}", sandbox.name());
    }
}
