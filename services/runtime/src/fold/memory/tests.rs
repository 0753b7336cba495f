//! When a state is kept.

use super::*;
use events::{Actor, Envelope, EventId, SiteEvent};
use serde::Deserialize;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Count(u64);

impl State for Count {
    const NAME: &'static str = "count";
    const VERSION: u32 = 1;
    const SAVE_AFTER: Duration = Duration::from_secs(1);

    fn apply(&mut self, _: &Recorded) -> bool {
        self.0 += 1;
        true
    }
}

/// A home where everything takes so many bytes.
#[derive(Clone)]
struct Heavy(u64);

impl Home<Count> for Heavy {
    async fn read(&self) -> Result<Option<Kept<Count>>, BoxError> {
        Ok(None)
    }

    async fn write(&self, _: Kept<Count>) -> Result<u64, BoxError> {
        Ok(self.0)
    }
}

fn entry(sequence: u64) -> Entry {
    let envelope = Envelope {
        id: EventId::nil(),
        source: "/pagefold/web".to_owned(),
        subject: "docs".to_owned(),
        time: time::OffsetDateTime::UNIX_EPOCH,
        correlation: EventId::nil(),
        causation: None,
        actor: Actor::service("web"),
        traceparent: None,
        tracestate: None,
    };
    let fact = Ok(Recorded { sequence, envelope, event: SiteEvent::Deleted {}.into() });
    Entry { sequence, id: EventId::nil(), pending: 0, fact }
}

/// A fold that is level and takes in so many facts after it was kept last.
async fn kept_before(bytes: u64, facts: u64) -> Memory<Count, Heavy> {
    let mut memory = Memory::empty(Heavy(bytes));
    memory.take(vec![entry(1)]).await.unwrap();
    memory.level(true);
    memory.saved.bytes = memory.save().await.unwrap().unwrap();
    memory.take((2..2 + facts).map(entry).collect()).await.unwrap();
    memory
}

/// Whether it is kept as soon as a change shall be, and not only at the latest.
fn is_soon(memory: &Memory<Count, Heavy>) -> bool {
    let time = memory.time_to_save().unwrap();
    let (soon, latest) = (Instant::now() + Count::SAVE_AFTER, memory.saved.at + SAVE_AT_LATEST);
    assert!(time <= soon || time == latest);
    time <= soon
}

#[tokio::test]
async fn a_change_is_kept_soon_if_that_is_worth_what_it_costs_and_later_if_not() {
    assert!(is_soon(&kept_before(0, 1).await));
    assert!(is_soon(&kept_before(100 * SAVE_BYTES, 100).await));
    assert!(!is_soon(&kept_before(100 * SAVE_BYTES, 99).await));
}

#[tokio::test]
async fn nothing_is_kept_while_it_catches_up() {
    let mut memory = kept_before(0, 100_000).await;
    memory.level(false);
    assert_eq!(memory.time_to_save(), None);
}

#[tokio::test]
async fn what_cannot_be_kept_is_tried_again() {
    let mut memory = kept_before(100 * SAVE_BYTES, 1).await;
    memory.saving = Some(tokio::spawn(async { Err("full".into()) }));
    let kept = tokio::time::timeout(Duration::ZERO, memory.keep()).await;
    assert!(kept.is_err() && memory.saving.is_none() && memory.time_to_save().unwrap() <= Instant::now() + SAVE_AGAIN);
}
