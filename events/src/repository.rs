//! A source repository, as far as its pushes tell. It belongs to no site: one push builds every site that uses it.

use crate::{Aggregate, Event, Refusal, RepositoryEvent};
use std::collections::VecDeque;
use std::time::Duration;
use uuid::Uuid;

/// How long a delivery is remembered. GitHub offers to send one again for three days.
pub const DELIVERIES_KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Deliveries remembered of one repository at most, whatever comes in that time: the newest.
pub const DELIVERIES_MAX: usize = 500;

/// What is remembered of a repository: the deliveries recorded lately. One that comes again after that is stated again, with
/// the same id, and whoever hears it finds the build that it led to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Repository {
    /// Digests of their ids, oldest first.
    deliveries: VecDeque<Uuid>,
}

/// What a webhook asks to record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Record what a delivery says, unless the delivery is recorded.
    Record(RepositoryEvent),
}

fn delivery(fact: &RepositoryEvent) -> Uuid {
    let (RepositoryEvent::PushReceived { delivery, .. } | RepositoryEvent::BranchDeleted { delivery, .. }) = fact;
    Uuid::new_v5(&Uuid::NAMESPACE_OID, delivery.as_bytes())
}

impl Aggregate for Repository {
    const KIND: &'static str = "repository";
    const REMEMBERS: Option<Duration> = Some(DELIVERIES_KEPT);
    type Command = Command;
    type Fact = RepositoryEvent;

    fn narrow(event: &Event) -> Option<&RepositoryEvent> {
        if let Event::Repository(fact) = event { Some(fact) } else { None }
    }

    fn decide(&self, Command::Record(fact): &Command) -> Result<Vec<RepositoryEvent>, Refusal> {
        let known = self.deliveries.contains(&delivery(fact));
        Ok(if known { vec![] } else { vec![fact.clone()] })
    }

    fn evolve(mut self, fact: &RepositoryEvent) -> Self {
        self.deliveries.push_back(delivery(fact));
        if self.deliveries.len() > DELIVERIES_MAX {
            self.deliveries.pop_front();
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::story::given;

    fn push(delivery: &str) -> RepositoryEvent {
        RepositoryEvent::PushReceived {
            repository: "https://github.com/acme/docs".parse().unwrap(),
            branch: "main".parse().unwrap(),
            before: None,
            commit: "a".repeat(40).parse().unwrap(),
            summary: "first".to_owned(),
            delivery: delivery.to_owned(),
        }
    }

    #[test]
    fn a_delivery_is_recorded_once() {
        given::<Repository>([]).when(Command::Record(push("1"))).then([push("1")]);
        given::<Repository>([push("1")]).when(Command::Record(push("1"))).then([]);
    }

    #[test]
    fn as_many_deliveries_are_remembered_as_it_says_and_no_more() {
        let pushes: Vec<_> = (0..=DELIVERIES_MAX).map(|number| push(&number.to_string())).collect();
        let oldest = given::<Repository>(pushes.clone()).when(Command::Record(pushes[0].clone()));
        oldest.then([pushes[0].clone()]);
        given::<Repository>(pushes.clone()).when(Command::Record(pushes[1].clone())).then([]);
    }

    #[test]
    fn a_second_delivery_of_the_same_commit_is_a_fact_of_its_own() {
        given::<Repository>([push("1")]).when(Command::Record(push("2"))).then([push("2")]);
    }
}
