//! A route: what one path of one host leads to. Each is an aggregate of its own, named by host and path, so that a path has
//! one route however many are added at once, and a decision costs the same however many routes a host has.

use crate::event::Routed;
use crate::routing::{HostName, RoutePath};
use crate::{Aggregate, Event, Refusal, RouteEvent, RouteId};

/// What a path leads to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Route {
    /// Nothing of its own.
    #[default]
    Free,
    /// To where this route leads.
    Taken(Box<Routed>),
}

/// What may be asked of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Lead there. Asked again for the same route, it is so already.
    Add(Routed),
    /// Lead there no more.
    Remove {
        /// Which route it is now.
        route: RouteId,
        /// What the path leads to instead; nothing of its own if absent.
        leave: Option<Routed>,
    },
}

/// The aggregate id of a path.
#[must_use]
pub fn route_id(host: &HostName, path: &RoutePath) -> String {
    format!("{host}{path}")
}

impl Route {
    /// The route that the path has.
    #[must_use]
    pub fn taken(&self) -> Option<&Routed> {
        match self {
            Self::Free => None,
            Self::Taken(routed) => Some(routed),
        }
    }
}

impl Routed {
    /// Whether `other` says the same of the same path, whichever route it is.
    #[must_use]
    pub fn says_what(&self, other: &Self) -> bool {
        (&self.host, &self.path, self.kind, &self.leads) == (&other.host, &other.path, other.kind, &other.leads)
    }
}

impl Aggregate for Route {
    const KIND: &'static str = "route";
    type Command = Command;
    type Fact = RouteEvent;

    fn narrow(event: &Event) -> Option<&RouteEvent> {
        if let Event::Route(fact) = event { Some(fact) } else { None }
    }

    fn decide(&self, command: &Command) -> Result<Vec<RouteEvent>, Refusal> {
        match (self, command) {
            (Self::Free, Command::Add(routed)) => Ok(vec![RouteEvent::Added(routed.clone())]),
            (Self::Taken(present), Command::Add(routed)) if present.route == routed.route => Ok(vec![]),
            (Self::Taken(present), Command::Add(_)) => Err(Refusal::RouteTaken { route: present.route }),
            (Self::Taken(present), Command::Remove { route, leave }) if present.route == *route => {
                let Routed { route, host, path, owner, .. } = (**present).clone();
                let removed = RouteEvent::Removed { route, host, path, owner };
                Ok(std::iter::once(removed).chain(leave.clone().map(RouteEvent::Added)).collect())
            }
            (Self::Free | Self::Taken(_), Command::Remove { .. }) => Err(Refusal::RouteNotFound),
        }
    }

    fn evolve(self, fact: &RouteEvent) -> Self {
        match fact {
            RouteEvent::Added(routed) => Self::Taken(Box::new(routed.clone())),
            RouteEvent::Removed { .. } => Self::Free,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::story::given;
    use crate::routing::{Leads, Reach};
    use uuid::Uuid;

    fn gone(id: u128) -> Routed {
        let (route, owner) = (RouteId(Uuid::from_u128(id)), None);
        let (host, path) = ("www.example".parse().unwrap(), "/a".parse().unwrap());
        Routed { route, host, path, kind: Reach::Exact, leads: Leads::Gone { page: None }, owner }
    }

    fn added(id: u128) -> RouteEvent {
        RouteEvent::Added(gone(id))
    }

    fn removed(id: u128) -> RouteEvent {
        let Routed { route, host, path, owner, .. } = gone(id);
        RouteEvent::Removed { route, host, path, owner }
    }

    fn remove(id: u128, leave: Option<u128>) -> Command {
        Command::Remove { route: RouteId(Uuid::from_u128(id)), leave: leave.map(gone) }
    }

    #[test]
    fn a_path_has_one_route() {
        let route = RouteId(Uuid::from_u128(1));
        given::<Route>([]).when(Command::Add(gone(1))).then([added(1)]);
        given::<Route>([added(1)]).when(Command::Add(gone(1))).then([]);
        given::<Route>([added(1)]).when(Command::Add(gone(2))).refuses(Refusal::RouteTaken { route });
        given::<Route>([added(1), removed(1)]).when(Command::Add(gone(2))).then([added(2)]);
    }

    #[test]
    fn a_route_that_goes_may_leave_another_in_the_same_moment() {
        given::<Route>([added(1)]).when(remove(1, None)).then([removed(1)]);
        given::<Route>([added(1)]).when(remove(1, Some(2))).then([removed(1), added(2)]);
    }

    #[test]
    fn only_the_route_that_is_there_can_go() {
        given::<Route>([]).when(remove(1, None)).refuses(Refusal::RouteNotFound);
        given::<Route>([added(2)]).when(remove(1, Some(3))).refuses(Refusal::RouteNotFound);
    }
}
