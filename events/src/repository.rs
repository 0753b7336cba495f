//! A source repository, as far as its pushes tell. It belongs to no site: one push builds every site that uses it.

use crate::{Aggregate, Event, Refusal, RepositoryEvent};
use std::collections::BTreeSet;

/// What is remembered of a repository: the deliveries recorded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Repository {
    deliveries: BTreeSet<String>,
}

/// What a webhook asks to record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Record what a delivery says, unless the delivery is recorded.
    Record(RepositoryEvent),
}

const fn delivery(fact: &RepositoryEvent) -> &String {
    match fact {
        RepositoryEvent::PushReceived { delivery, .. } | RepositoryEvent::BranchDeleted { delivery, .. } => delivery,
    }
}

impl Aggregate for Repository {
    const KIND: &'static str = "repository";
    type Command = Command;
    type Fact = RepositoryEvent;

    fn narrow(event: &Event) -> Option<&RepositoryEvent> {
        if let Event::Repository(fact) = event { Some(fact) } else { None }
    }

    fn decide(&self, Command::Record(fact): &Command) -> Result<Vec<RepositoryEvent>, Refusal> {
        let known = self.deliveries.contains(delivery(fact));
        Ok(if known { vec![] } else { vec![fact.clone()] })
    }

    fn evolve(mut self, fact: &RepositoryEvent) -> Self {
        self.deliveries.insert(delivery(fact).clone());
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
    fn a_second_delivery_of_the_same_commit_is_a_fact_of_its_own() {
        given::<Repository>([push("1")]).when(Command::Record(push("2"))).then([push("2")]);
    }
}
