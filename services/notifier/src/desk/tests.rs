use super::*;
use events::event::Noticed;
use events::receiver::Kind;
use events::{Actor, AliasEvent, AliasName, BuildEvent, Envelope, NoticeId, Sealed};
use time::OffsetDateTime;
use uuid::Uuid;

const SITE: SiteId = SiteId(Uuid::from_u128(1));
const ONE: ReceiverId = ReceiverId(Uuid::from_u128(2));
const OTHER: ReceiverId = ReceiverId(Uuid::from_u128(3));

#[derive(Default)]
struct Story {
    desk: Desk,
    sequence: u64,
}

impl Story {
    fn tell(&mut self, subject: impl ToString, event: impl Into<Event>) -> u64 {
        self.sequence += 1;
        let envelope = Envelope {
            id: Uuid::from_u128(u128::from(self.sequence)),
            source: "/pagefold/test".to_owned(),
            subject: subject.to_string(),
            time: OffsetDateTime::UNIX_EPOCH,
            correlation: Uuid::nil(),
            causation: None,
            actor: Actor::service("test"),
            traceparent: None,
            tracestate: None,
        };
        self.desk.apply(&Recorded { sequence: self.sequence, envelope, event: event.into() });
        self.sequence
    }

    fn receiver(&mut self, receiver: ReceiverId, wants: &[Occasion]) {
        self.tell(SITE, ReceiverEvent::Created(reception(receiver, wants)));
    }

    fn started(&mut self) -> u64 {
        self.tell(Uuid::nil(), BuildEvent::Started { site: SITE, attempt: 1, worker: "launcher-1".to_owned() })
    }

    fn delivered(&mut self, receiver: ReceiverId, sequence: u64) {
        let noticed = Noticed {
            site: SITE,
            receiver,
            sequence,
            occasion: Occasion::BuildStarted,
            tries: 1,
            status: None,
            reason: String::new(),
            duration_ms: 1,
        };
        self.tell(NoticeId(Uuid::nil()), NoticeEvent::Delivered(noticed));
    }

    /// Who is told of which fact next.
    fn due(&self) -> Vec<(ReceiverId, u64)> {
        self.desk.due().map(|job| (job.receiver, job.fact)).collect()
    }
}

fn reception(receiver: ReceiverId, wants: &[Occasion]) -> Reception {
    Reception {
        receiver,
        kind: Kind::Webhook,
        name: "Team".parse().unwrap(),
        wants: wants.iter().copied().collect(),
        address: Sealed::of(&[7; 50]),
        secret: None,
    }
}

#[test]
fn a_receiver_is_told_what_it_wants_in_order_and_nothing_from_before_it_was_there() {
    let mut story = Story::default();
    story.started();
    story.receiver(ONE, &[Occasion::BuildStarted]);
    story.receiver(OTHER, &[Occasion::Locked]);
    assert_eq!(story.due(), []);
    let (first, second) = (story.started(), story.started());
    assert_eq!((story.due(), story.desk.waiting()), (vec![(ONE, first)], 2));
    let lock = AliasEvent::Locked { site: SITE, alias: AliasName::Live, reason: "audit".to_owned() };
    let locked = story.tell("docs/live", lock);
    assert_eq!(story.due(), [(ONE, first), (OTHER, locked)]);
    story.delivered(ONE, first);
    assert_eq!(story.due(), [(ONE, second), (OTHER, locked)]);
    story.delivered(OTHER, locked);
    story.delivered(ONE, second);
    assert_eq!((story.due(), story.desk.waiting()), (vec![], 0));
}

#[test]
fn what_is_asked_for_once_more_waits_behind_what_waits_already() {
    let mut story = Story::default();
    story.receiver(ONE, &[Occasion::BuildStarted]);
    let first = story.started();
    story.delivered(ONE, first);
    let second = story.started();
    story.tell(NoticeId(Uuid::nil()), NoticeEvent::Requested { site: SITE, receiver: ONE, sequence: first });
    assert_eq!(story.due(), [(ONE, second)]);
    story.delivered(ONE, second);
    assert_eq!(story.due(), [(ONE, first)]);
    story.delivered(ONE, first);
    assert_eq!(story.due(), []);
}

#[test]
fn a_receiver_that_changes_wants_other_things_from_then_on_and_one_that_is_removed_nothing() {
    let mut story = Story::default();
    story.receiver(ONE, &[Occasion::BuildStarted]);
    let first = story.started();
    story.tell(SITE, ReceiverEvent::Changed(reception(ONE, &[Occasion::Locked])));
    story.started();
    assert_eq!((story.due(), story.desk.waiting()), (vec![(ONE, first)], 1));
    let tested = story.tell(SITE, ReceiverEvent::Tested { receiver: ONE });
    story.delivered(ONE, first);
    assert_eq!(story.due(), [(ONE, tested)]);
    story.tell(SITE, ReceiverEvent::Removed { receiver: ONE });
    assert_eq!(story.due(), []);
}

#[test]
fn a_snapshot_is_read_as_it_was_written() {
    let mut story = Story::default();
    story.receiver(ONE, &[Occasion::BuildStarted]);
    let first = story.started();
    let written = serde_json::to_string(&story.desk).unwrap();
    let read: Desk = serde_json::from_str(&written).unwrap();
    let due: Vec<u64> = read.due().map(|job| job.fact).collect();
    assert_eq!(due, [first]);
}
