//! Which names are looked at, and when.

use super::*;
use events::event::Certified;
use events::{Actor, Envelope, Sealed};
use time::OffsetDateTime;
use uuid::Uuid;

const SITE: SiteId = SiteId(Uuid::from_u128(1));

/// A desk that is told facts, a minute after another.
#[derive(Default)]
struct Story {
    desk: Desk,
    sequence: u64,
}

impl Story {
    fn tell(&mut self, subject: &str, event: impl Into<Event>) -> i64 {
        self.sequence += 1;
        let at_s = i64::try_from(self.sequence).unwrap() * 60;
        let envelope = Envelope {
            id: Uuid::from_u128(self.sequence.into()),
            source: "/pagefold/test".to_owned(),
            subject: subject.to_owned(),
            time: OffsetDateTime::from_unix_timestamp(at_s).unwrap(),
            correlation: Uuid::nil(),
            causation: None,
            actor: Actor::service("test"),
            traceparent: None,
            tracestate: None,
        };
        self.desk.apply(&Recorded { sequence: self.sequence, envelope, event: event.into() });
        at_s
    }

    fn domain(&mut self, name: &str, fact: DomainEvent) -> i64 {
        self.tell(name, fact)
    }

    fn due(&self, now_s: i64) -> Vec<(String, Task, u64)> {
        self.desk.due(now_s, true).map(|job| (job.name.to_string(), job.task, job.fact)).collect()
    }
}

fn added() -> DomainEvent {
    DomainEvent::Added { site: SITE, proof: Uuid::nil(), redirect_to: None }
}

fn missed(attempt: u32) -> DomainEvent {
    DomainEvent::CheckFailed { site: SITE, attempt, error: "nothing there".to_owned() }
}

#[test]
fn a_name_is_looked_at_at_once_and_again_after_a_pause_that_grows() {
    let mut story = Story::default();
    let at_s = story.domain("www.example", added());
    assert_eq!(story.due(at_s), [("www.example".to_owned(), Task::Look, 1)]);
    let at_s = story.domain("www.example", missed(1));
    assert_eq!((story.due(at_s), story.desk.next_s(true)), (vec![], Some(at_s + 2)));
    assert_eq!(story.due(at_s + 2), [("www.example".to_owned(), Task::Look, 2)]);
    let at_s = story.domain("www.example", missed(7));
    assert_eq!(story.desk.next_s(true), Some(at_s + 22));
    assert_eq!(story.desk.waiting(), 1, "what was to be done before is forgotten");
}

#[test]
fn what_is_given_up_or_taken_away_is_left_alone_until_somebody_asks() {
    for last in
        [DomainEvent::Failed { site: SITE, error: "nothing there".to_owned() }, DomainEvent::Removed { site: SITE }]
    {
        let mut story = Story::default();
        story.domain("www.example", added());
        story.domain("www.example", last.clone());
        assert_eq!((story.due(i64::MAX), story.desk.next_s(true)), (vec![], None), "{last:?}");
        let at_s = story.domain("www.example", DomainEvent::CheckRequested { site: SITE });
        let is_there = !matches!(last, DomainEvent::Removed { .. });
        assert_eq!(story.due(at_s).len(), usize::from(is_there), "{last:?}");
    }
}

#[test]
fn a_certificate_is_had_for_what_is_proven_and_another_when_it_is_time() {
    let (mut story, name) = (Story::default(), "www.example");
    story.domain(name, added());
    let at_s = story.domain(name, DomainEvent::Verified { site: SITE });
    let certify = |fact| vec![(name.to_owned(), Task::Certify, fact)];
    assert_eq!(story.due(at_s), certify(2));
    assert_eq!((story.desk.due(i64::MAX, false).count(), story.desk.next_s(false)), (0, None), "nobody here could");
    assert_eq!(story.desk.waiting(), 0);
    let ordered = DomainEvent::CertificateOrdered { site: SITE, attempt: 1, responder: String::new() };
    let at_s = story.domain(name, ordered);
    assert_eq!((story.due(at_s + ORDER_MAX_S - 1), story.due(at_s + ORDER_MAX_S)), (vec![], certify(3)));
    let failed = DomainEvent::CertificateFailed { site: SITE, attempt: 2, error: "nothing there".to_owned() };
    let at_s = story.domain(name, failed);
    assert_eq!((story.due(at_s + 59), story.due(at_s + 60)), (vec![], certify(4)));
    let in_a_while = |seconds| OffsetDateTime::from_unix_timestamp(at_s + seconds).unwrap();
    story.domain(
        name,
        DomainEvent::CertificateIssued(Certified {
            site: SITE,
            chain: String::new(),
            key: Sealed::of(b"its key"),
            expires_at: in_a_while(9_000),
            renew_at: in_a_while(6_000),
        }),
    );
    assert_eq!((story.due(at_s + 5_999), story.due(at_s + 6_000)), (vec![], certify(5)));
    let failed = DomainEvent::Failed { site: SITE, error: "nothing there".to_owned() };
    story.domain(name, failed);
    let at_s = story.domain(name, DomainEvent::CheckRequested { site: SITE });
    assert_eq!(story.due(at_s), certify(7), "whose it is is proven still");
}

#[test]
fn the_names_of_a_site_that_is_no_more_are_given_up() {
    let mut story = Story::default();
    story.domain("a.example", added());
    story.domain("a.example", DomainEvent::Verified { site: SITE });
    story.domain("b.example", DomainEvent::Added { site: SiteId(Uuid::nil()), proof: Uuid::nil(), redirect_to: None });
    let at_s = story.tell(&SITE.to_string(), SiteEvent::Erased {});
    let released = story.due(at_s).into_iter().filter(|(_, task, _)| *task == Task::Release);
    assert_eq!(released.collect::<Vec<_>>(), [("a.example".to_owned(), Task::Release, 4)]);
}
