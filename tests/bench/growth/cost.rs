//! What the processes of a fleet have cost since they were started.

use crate::process::kibibytes;
use journeys::{Fleet, Part, Service};
use std::fs;

/// Every part that has a process of its own, in the order of the rows.
const PARTS: [Part; 9] = [
    Part::Service(Service::Web),
    Part::Service(Service::Scheduler),
    Part::Service(Service::Launcher),
    Part::Service(Service::Syncer),
    Part::Service(Service::Projector),
    Part::Service(Service::Edge),
    Part::Service(Service::Notifier),
    Part::Nats(0),
    Part::Postgres,
];
/// The kernel counts time of processors in hundredths of a second.
const TICK_MS: f64 = 10.0;

/// What all parts have cost but launcher and syncer: what these do for a push has the size of what is built, and would hide
/// what grows with the past.
pub(super) struct Cost(Vec<(String, Spent)>);

/// Bytes written, and time of processors.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Spent {
    pub(super) kibibytes: f64,
    pub(super) milliseconds: f64,
}

impl Cost {
    pub(super) fn of(fleet: &Fleet) -> Self {
        let builds = [Part::Service(Service::Launcher), Part::Service(Service::Syncer)];
        let parts = PARTS.into_iter().filter(|part| !builds.contains(part));
        Self(parts.map(|part| (format!("{part:?}"), spent(tree(fleet.pid(part).unwrap())))).collect())
    }

    /// What each of so many pushes has cost since then.
    pub(super) fn since(&self, before: &Self, pushes: usize) -> Spent {
        let mut sum = Spent::default();
        for ((name, now), (_, then)) in self.0.iter().zip(&before.0) {
            let part = Spent {
                kibibytes: (now.kibibytes - then.kibibytes) / pushes as f64,
                milliseconds: (now.milliseconds - then.milliseconds) / pushes as f64,
            };
            journeys::bench::progress(format_args!("{name}: {part}"));
            sum.kibibytes += part.kibibytes;
            sum.milliseconds += part.milliseconds;
        }
        sum
    }
}

impl std::fmt::Display for Spent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.0} KiB, {:.1} ms", self.kibibytes, self.milliseconds)
    }
}

/// The memory of each part, in MiB. What the processes of Postgres share is counted once.
pub(super) fn memory(fleet: &Fleet) -> Vec<f64> {
    let of = |pid: u32| {
        let own = |pid: &u32| kibibytes(*pid, "RssAnon:").unwrap_or(0);
        let first = kibibytes(pid, "VmRSS:").unwrap_or(0);
        (first + tree(pid).iter().skip(1).map(own).sum::<u64>()) as f64 / 1024.0
    };
    PARTS.into_iter().map(|part| of(fleet.pid(part).unwrap())).collect()
}

/// A process and what it has started, itself first.
fn tree(pid: u32) -> Vec<u32> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let children = children.split_whitespace().filter_map(|child| child.parse().ok());
    std::iter::once(pid).chain(children.flat_map(tree)).collect()
}

fn spent(processes: Vec<u32>) -> Spent {
    let of = |pid| Spent { kibibytes: written(pid).unwrap_or(0.0), milliseconds: run(pid).unwrap_or(0.0) };
    processes.into_iter().map(of).fold(Spent::default(), |sum, one| Spent {
        kibibytes: sum.kibibytes + one.kibibytes,
        milliseconds: sum.milliseconds + one.milliseconds,
    })
}

/// What it and the children that it has buried have written.
fn written(pid: u32) -> Option<f64> {
    let io = fs::read_to_string(format!("/proc/{pid}/io")).ok()?;
    let bytes: f64 = io.lines().find_map(|line| line.strip_prefix("write_bytes: "))?.parse().ok()?;
    Some(bytes / 1024.0)
}

/// How long it and the children that it has buried have run: fields 14 to 17.
fn run(pid: u32) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields = stat.rsplit(") ").next()?.split(' ').skip(11).take(4);
    Some(fields.filter_map(|field| field.parse::<f64>().ok()).sum::<f64>() * TICK_MS)
}
