//! `just kill`: plays every case, or those whose name has one of the arguments in it.

use std::process::ExitCode;

#[tokio::main(flavor = "multi_thread", worker_threads = 8)]
async fn main() -> ExitCode {
    let filters: Vec<String> = std::env::args().skip(1).collect();
    let tally = journeys::kill(&filters).await;
    println!("{} passed, {} failed", tally.passed, tally.failed);
    if tally.failed == 0 && tally.passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
