//! `just bench`: measures every group of rows but the long ones, or those that are named by group or row.
//!
//! Each figure is measured beside its reference in the same run, in turns, and the median counts. Figures are for this
//! machine and for ratios; nothing here is a test.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a measurement that fails has nothing to say")]

mod append;
mod edge_static;
mod folds;
mod growth;
mod log;
mod platform;
mod process;
mod read_model;
mod replay;
mod static_build;
mod sync;
mod tree;

use futures::FutureExt;
use futures::future::LocalBoxFuture;
use journeys::bench::{Report, Row, progress};
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;

/// As the executable has.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Rows that are measured together.
struct Group {
    name: &'static str,
    rows: &'static [&'static str],
    /// Whether it takes so long that it is measured only when it is named.
    is_long: bool,
    measure: fn() -> LocalBoxFuture<'static, Vec<Row>>,
}

const FLAGS: &[&str] = &["--bench", "--all"];

const GROUPS: &[Group] = &[
    Group { name: "append", rows: append::ROWS, is_long: false, measure: || Box::pin(append::measure()) },
    Group { name: "folds", rows: folds::ROWS, is_long: false, measure: || Box::pin(folds::measure()) },
    Group { name: "sync", rows: sync::ROWS, is_long: false, measure: || Box::pin(sync::measure()) },
    Group { name: "platform", rows: platform::ROWS, is_long: false, measure: || Box::pin(platform::measure()) },
    Group { name: "edge", rows: edge_static::ROWS, is_long: false, measure: || Box::pin(edge_static::measure()) },
    Group {
        name: "static_build",
        rows: static_build::ROWS,
        is_long: false,
        measure: || Box::pin(static_build::measure()),
    },
    Group { name: "replay", rows: replay::ROWS, is_long: false, measure: || Box::pin(replay::measure()) },
    Group { name: "growth", rows: growth::ROWS, is_long: true, measure: || Box::pin(growth::measure()) },
];

impl Group {
    fn is_meant(&self, names: &[String]) -> bool {
        if names.is_empty() { !self.is_long } else { names.iter().any(|name| self.answers_to(name)) }
    }

    fn answers_to(&self, name: &str) -> bool {
        self.name == name || self.rows.contains(&name)
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    if sync::asked().await {
        return ExitCode::SUCCESS;
    }
    // Cargo tells every benchmark that it is one, and some rows are measured only when all are wanted.
    let names: Vec<String> = std::env::args().skip(1).filter(|argument| !FLAGS.contains(&&**argument)).collect();
    if let Some(name) = names.iter().find(|name| !GROUPS.iter().any(|group| group.answers_to(name))) {
        let known: Vec<&str> = GROUPS.iter().map(|group| group.name).collect();
        eprintln!("there is no group or row `{name}`; groups: {}", known.join(", "));
        return ExitCode::from(64);
    }
    progress(format_args!("load of the machine before it begins: {}", load()));
    let (mut report, mut failed) = (Report::default(), false);
    for group in GROUPS.iter().filter(|group| group.is_meant(&names)) {
        progress(format_args!("{}: {}", group.name, group.rows.join(", ")));
        match AssertUnwindSafe((group.measure)()).catch_unwind().await {
            Ok(rows) => report.add(rows),
            Err(_panic) => {
                eprintln!("{} could not be measured", group.name);
                failed = true;
            }
        }
    }
    println!("{report}\n{}", Report::path().display());
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// How many processes want to run, and on how many cores: a machine that does something else measures that.
fn load() -> String {
    let average = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let now = average.split(' ').next().unwrap_or("unknown").to_owned();
    format!("{now} on {} cores", std::thread::available_parallelism().map_or(1, usize::from))
}
