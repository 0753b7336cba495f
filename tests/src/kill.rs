//! Death at every fact of a push's story: something is killed exactly before or after the fact, comes back, and then all
//! must be as if nothing had happened.
//!
//! Most of a case is waiting, so a few are played at the same time, each on a platform of its own that is used again for
//! the next case unless one has failed on it.

mod case;
mod outage;
mod overlap;
mod proof;
mod reader;
mod stage;
mod table;

use case::Case;
use stage::Stage;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Instant;
use tokio::task::JoinError;

/// Cases that are played at the same time.
const TOGETHER: usize = 6;

/// Letters of a failure that its line shows.
const REASON_MAX: usize = 300;

/// How the cases went.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Cases after which all was as it should be.
    pub passed: usize,
    /// The others.
    pub failed: usize,
}

type Queue = Arc<Mutex<VecDeque<Case>>>;

/// Plays every case whose name has one of `filters` in it (all, if there is none), and prints a line for each.
///
/// # Panics
/// Never for a case that fails.
pub async fn kill(filters: &[String]) -> Tally {
    crate::folder::sweep();
    let wanted = |case: &Case| filters.is_empty() || filters.iter().any(|filter| case.to_string().contains(filter));
    let cases: VecDeque<Case> = case::all().into_iter().filter(wanted).collect();
    let players = TOGETHER.min(cases.len());
    let queue: Queue = Arc::new(Mutex::new(cases));
    let players: Vec<_> = (0..players).map(|_| tokio::spawn(play_all(Arc::clone(&queue)))).collect();
    let mut tally = Tally::default();
    for player in players {
        let Tally { passed, failed } = player.await.unwrap();
        tally = Tally { passed: tally.passed + passed, failed: tally.failed + failed };
    }
    tally
}

async fn play_all(queue: Queue) -> Tally {
    let (mut tally, mut stage) = (Tally::default(), None);
    loop {
        let Some(case) = queue.lock().unwrap().pop_front() else { break };
        let started = Instant::now();
        let played = tokio::spawn(play(case, stage.take())).await;
        let seconds = started.elapsed().as_secs_f32();
        match played {
            Ok(left) => {
                println!("passed  {case} ({seconds:.1} s)");
                (tally.passed, stage) = (tally.passed + 1, Some(left));
            }
            Err(error) => {
                println!("FAILED  {case} ({seconds:.1} s): {}", reason(error));
                tally.failed += 1;
            }
        }
    }
    // A platform says on its end whether it ended in order.
    if let Err(error) = tokio::task::spawn_blocking(move || drop(stage)).await {
        println!("FAILED  the end of a platform: {}", reason(error));
        tally.failed += 1;
    }
    tally
}

async fn play(case: Case, stage: Option<Stage>) -> Stage {
    let mut stage = match stage.filter(|stage| stage.fits(case.target())) {
        Some(stage) => stage,
        None => Stage::set(case.target()).await,
    };
    case.play(&mut stage).await;
    stage
}

/// The first line of what a failed case said.
fn reason(error: JoinError) -> String {
    let panic = error.into_panic();
    let said = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    said.and_then(|said| said.lines().next()).unwrap_or("it says nothing").chars().take(REASON_MAX).collect()
}
