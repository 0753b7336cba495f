//! What keeps builds from taking the disk from others. A group's weight can be written wherever the kernel has the file, and
//! counts only where the disk is shared by a scheduler that looks at it.

use super::cgroups::Cgroups;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// How a build stands back at a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Share {
    /// It has the share of its group's weight.
    Weight,
    /// It is served when nobody else wants the disk, and not never, as its processes' class says.
    Class,
    /// As everybody does: nothing here looks at weights or classes.
    Equal,
    /// Nobody can tell: the folder is on no disk of this machine's kernel.
    Unknown,
}

impl Share {
    /// How it is at the disk of a folder, for builds in groups like these. Blocks.
    pub(super) fn at(folder: &Path, groups: &Cgroups) -> Self {
        let Some(device) = fs::metadata(folder).ok().map(|found| found.dev()) else { return Self::Unknown };
        let number = format!("{}:{}", rustix::fs::major(device), rustix::fs::minor(device));
        let Some(scheduler) = scheduler(&number) else { return Self::Unknown };
        let costs = groups.root_of("io").and_then(|root| fs::read_to_string(root.join("io.cost.qos")).ok());
        Self::by(&scheduler, groups.hold("io"), costs.is_some_and(|costs| are_weighed(&costs, &number)))
    }

    /// By what the kernel says of a disk: its schedulers, the chosen one in brackets; whether groups have weights; and whether
    /// the disk's costs are weighed.
    fn by(schedulers: &str, has_weight: bool, costs: bool) -> Self {
        let chosen = schedulers.split_once('[').and_then(|(_, rest)| rest.split(']').next()).unwrap_or_default();
        match chosen {
            "bfq" if has_weight => Self::Weight,
            _ if has_weight && costs => Self::Weight,
            "bfq" | "mq-deadline" => Self::Class,
            _ => Self::Equal,
        }
    }

    /// For a log.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Weight => "by weight",
            Self::Class => "by class: the disk's scheduler knows no weights",
            Self::Equal => "not at all: the disk's scheduler knows neither weights nor classes",
            Self::Unknown => "unknown: the disk is not this machine's",
        }
    }
}

/// The schedulers of a disk, or of the disk that a part of one belongs to.
fn scheduler(number: &str) -> Option<String> {
    let device = PathBuf::from("/sys/dev/block").join(number).canonicalize().ok()?;
    let queues = [device.join("queue/scheduler"), device.parent()?.join("queue/scheduler")];
    queues.iter().find_map(|queue| fs::read_to_string(queue).ok())
}

/// Whether `io.cost.qos` says that a disk's costs are weighed.
fn are_weighed(costs: &str, number: &str) -> bool {
    let mut lines = costs.lines().filter_map(|line| line.split_once(' '));
    lines.any(|(disk, settings)| disk == number && settings.split(' ').any(|setting| setting == "enable=1"))
}

#[cfg(test)]
mod tests {
    use super::{Share, are_weighed};

    #[test]
    fn a_weight_counts_only_where_something_looks_at_it() {
        for (schedulers, has_weight, costs, share) in [
            ("none mq-deadline kyber [bfq] ", true, false, Share::Weight),
            ("none mq-deadline kyber [bfq] ", false, false, Share::Class),
            ("none [mq-deadline] kyber bfq ", true, false, Share::Class),
            ("none [mq-deadline] kyber bfq ", true, true, Share::Weight),
            ("[none] mq-deadline kyber bfq", true, true, Share::Weight),
            ("[none] mq-deadline kyber bfq", true, false, Share::Equal),
            ("none mq-deadline [kyber]", false, true, Share::Equal),
            ("", true, false, Share::Equal),
        ] {
            assert_eq!(Share::by(schedulers, has_weight, costs), share, "{schedulers} {has_weight} {costs}");
        }
    }

    #[test]
    fn costs_are_told_disk_by_disk() {
        let costs = "253:0 enable=0 ctrl=auto rpct=0.00\n8:0 enable=1 ctrl=user rpct=95.00\n";
        assert!(are_weighed(costs, "8:0"));
        assert!(!are_weighed(costs, "253:0") && !are_weighed(costs, "8:1") && !are_weighed("", "8:0"));
    }
}
