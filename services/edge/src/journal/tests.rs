//! The table on disk: what is written of it, and what is read of that.

use super::*;
use events::{AliasEvent, BuildId, DeployId, Event, PromotionReason, SiteId};
use std::fs;
use tempfile::TempDir;
use uuid::Uuid;

fn promoted(site: u128, number: u128) -> Recorded {
    let (site, deploy) = (SiteId(Uuid::from_u128(site)), DeployId::of(BuildId(Uuid::from_u128(number))));
    let (alias, reason) = ("live".parse().unwrap(), PromotionReason::Built);
    let promoted = AliasEvent::Promoted { site, alias, deploy, number: 1, source_sequence: 1, previous: None, reason };
    let envelope = events::Envelope {
        id: Uuid::nil(),
        source: "/pagefold/web".to_owned(),
        subject: String::new(),
        time: time::OffsetDateTime::UNIX_EPOCH,
        correlation: Uuid::nil(),
        causation: None,
        actor: events::Actor::service("web"),
        traceparent: None,
        tracestate: None,
    };
    Recorded { sequence: 1, envelope, event: Event::Alias(promoted) }
}

/// An edge's disk, and the table it has now.
struct Disk {
    folder: TempDir,
    table: Table,
    sequence: u64,
}

impl Disk {
    fn with_sites(sites: u128) -> Self {
        let mut disk = Self { folder: tempfile::tempdir().unwrap(), table: Table::default(), sequence: 0 };
        (0..sites).for_each(|site| disk.promote(site, site));
        disk
    }

    fn promote(&mut self, site: u128, number: u128) {
        self.sequence += 1;
        assert!(self.table.apply(&promoted(site, number)));
    }

    fn journal(&self) -> Journal {
        Journal::new(self.folder.path())
    }

    fn text(&self) -> String {
        fs::read_to_string(self.journal().path).unwrap()
    }

    async fn keep(&self, journal: &Journal) {
        let position = Position { sequence: self.sequence, id: Uuid::nil() };
        let (unknown, state) = (BTreeMap::new(), Arc::new(self.table.clone()));
        journal.write(Kept { position, unknown, state }).await.unwrap();
    }

    async fn read(&self) -> Option<(u64, Routes)> {
        let kept = self.journal().read().await.unwrap()?;
        Some((kept.position.sequence, kept.state.routes().clone()))
    }
}

#[tokio::test]
async fn a_change_writes_what_has_changed_however_large_the_table_is() {
    for sites in [10, 20_000] {
        let mut disk = Disk::with_sites(sites);
        let journal = disk.journal();
        disk.keep(&journal).await;
        let whole = disk.text();
        disk.promote(3, 77);
        disk.keep(&journal).await;
        let text = disk.text();
        let change = text.strip_prefix(&whole).unwrap();
        assert!((1..500).contains(&change.len()), "at {sites} sites: {change}");
        assert_eq!(disk.read().await, Some((disk.sequence, disk.table.routes().clone())));
    }
}

#[tokio::test]
async fn changes_that_outgrow_the_table_begin_a_new_file() {
    let mut disk = Disk::with_sites(10);
    let journal = disk.journal();
    let mut largest = 0;
    for number in 0..1000 {
        disk.promote(3, number);
        disk.keep(&journal).await;
        largest = largest.max(disk.text().len());
    }
    assert!(largest > 10_000 && largest < 80_000, "{largest}");
    assert_eq!(disk.read().await, Some((disk.sequence, disk.table.routes().clone())));
}

#[tokio::test]
async fn a_line_that_broke_off_is_as_if_it_had_not_been_begun() {
    let mut disk = Disk::with_sites(10);
    let journal = disk.journal();
    disk.keep(&journal).await;
    let (before, whole) = (disk.read().await, disk.text().len());
    disk.promote(3, 77);
    disk.keep(&journal).await;
    let text = disk.text();
    for end in [whole, whole + 1, text.len() - 1] {
        fs::write(&journal.path, &text[..end]).unwrap();
        assert_eq!(disk.read().await, before, "{end}");
    }
    // Whoever comes next does not write behind what broke off.
    disk.keep(&disk.journal()).await;
    assert_eq!(disk.read().await, Some((disk.sequence, disk.table.routes().clone())));
}

#[tokio::test]
async fn what_is_no_table_of_this_version_is_not_used() {
    let disk = Disk::with_sites(10);
    assert_eq!(disk.read().await, None);
    disk.keep(&disk.journal()).await;
    let text = disk.text();
    for unusable in [text.replace("\"version\":5", "\"version\":9"), text[..20].to_owned(), String::new()] {
        fs::write(disk.journal().path, unusable).unwrap();
        assert_eq!(disk.read().await, None);
    }
}
