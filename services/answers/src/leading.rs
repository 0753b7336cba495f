//! Which route a request has, if its host has any. Pure.
//!
//! All routes of all hosts are one persistent map, so that a change copies a small part of it, whoever reads the table meanwhile.
//! A lookup asks for the whole path, and then upwards only where the host has a route that is of more than its path.

use crate::resolve::spelled;
use events::event::Routed;
use events::routing::{Leads, Reach, RoutePath};
use events::{RouteEvent, RouteId};
use runtime::fold::Map;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

/// What paths of hosts lead to. A copy is cheap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Leading {
    /// By host and path, as readers mean them.
    routes: Map<Place, Led>,
    /// What each host that has any has.
    hosts: Map<Place, Depths>,
}

/// What of it is another than before.
pub type Changes = BTreeMap<Place, Option<Led>>;

/// A host, or a host and a path.
type Place = Box<str>;

/// A route without what it is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Led {
    /// Its identity.
    pub route: RouteId,
    kind: Reach,
    /// Where it leads.
    pub leads: Leads,
}

/// How many routes a host has, and how many of these are of all below a path of so many segments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Depths {
    routes: usize,
    prefixes: BTreeMap<usize, usize>,
}

/// The route of a request.
#[derive(Debug, PartialEq, Eq)]
pub struct Found<'t, 'p> {
    /// It.
    pub led: &'t Led,
    /// What the path has beyond the route's, from the slash between them.
    pub below: &'p str,
}

impl Leading {
    /// Takes in a fact.
    pub fn apply(&mut self, fact: &RouteEvent) {
        match fact {
            RouteEvent::Added(Routed { route, host, path, kind, leads, .. }) => {
                let led = Led { route: *route, kind: *kind, leads: leads.clone() };
                self.put(place(host.as_str(), path), Some(led));
            }
            RouteEvent::Removed { host, path, .. } => self.put(place(host.as_str(), path), None),
        }
    }

    /// Whether a host has any.
    #[must_use]
    pub fn has(&self, host: &str) -> bool {
        self.hosts.get(host).is_some()
    }

    /// The route of `path` on `host`: its own, or that of the longest path above it that has one for all below. The host is in lower
    /// case; the path is decoded, begins with a slash and has no two in a row.
    #[must_use]
    pub fn find<'p>(&self, host: &str, path: &'p str) -> Option<Found<'_, 'p>> {
        let depths = self.hosts.get(host)?;
        let whole = path.trim_end_matches('/');
        let mut key = String::with_capacity(host.len() + path.len().max(1));
        key.push_str(host);
        key.push_str(if whole.is_empty() { "/" } else { whole });
        if let Some(led) = self.routes.get(key.as_str()) {
            return Some(Found { led, below: "" });
        }
        let mut left = depth(whole);
        for prefix in depths.prefixes.range(..left).rev().map(|(prefix, _)| *prefix) {
            while left > prefix {
                key.truncate(key.rfind('/')?);
                left -= 1;
            }
            let cut = key.len() - host.len();
            if cut == 0 {
                key.push('/');
            }
            if let Some(led) = self.routes.get(key.as_str()).filter(|led| led.kind == Reach::Prefix) {
                return Some(Found { led, below: &path[cut..] });
            }
        }
        None
    }

    /// What makes this of `earlier`, at the cost of what has changed between them.
    #[must_use]
    pub fn changes_since(&self, earlier: &Self) -> Changes {
        self.routes.changes_since(&earlier.routes).map(|(place, led)| (place.clone(), led.cloned())).collect()
    }

    /// What [`Self::changes_since`] was asked of, made of the earlier one.
    pub fn change(&mut self, changes: Changes) {
        changes.into_iter().for_each(|(place, led)| self.put(place, led));
    }

    fn put(&mut self, place: Place, led: Option<Led>) {
        let before = match &led {
            Some(led) => {
                let before = self.routes.get(&place).map(|before| before.kind);
                self.routes.insert(place.clone(), led.clone());
                before
            }
            None => self.routes.remove(&place).map(|before| before.kind),
        };
        let after = led.map(|led| led.kind);
        if before != after {
            self.count(&place, before, after);
        }
    }

    /// Counts a place of one kind less, and of another more.
    fn count(&mut self, place: &str, before: Option<Reach>, after: Option<Reach>) {
        let (host, path) = place.split_at(place.find('/').unwrap_or(place.len()));
        let (host, depth) = (Place::from(host), depth(path.trim_end_matches('/')));
        let depths = self.hosts.get_or_insert_with(&host, Depths::default);
        depths.routes = depths.routes + usize::from(after.is_some()) - usize::from(before.is_some());
        let prefixes = depths.prefixes.entry(depth).or_default();
        *prefixes = *prefixes + usize::from(after == Some(Reach::Prefix)) - usize::from(before == Some(Reach::Prefix));
        if *prefixes == 0 {
            depths.prefixes.remove(&depth);
        }
        if depths.routes == 0 {
            self.hosts.remove(&host);
        }
    }
}

/// The paths whose routes may be those of `path`, which is decoded: itself and all above it, the longest first.
#[must_use]
pub fn at_or_above(path: &str) -> Vec<RoutePath> {
    let whole = spelled(path.trim_end_matches('/'));
    let ends = whole.match_indices('/').map(|(end, _)| end).chain([whole.len()]);
    let above = ends.map(|end| if end == 0 { "/" } else { &whole[..end] });
    let mut paths: Vec<RoutePath> = above.filter_map(|path| path.parse().ok()).collect();
    paths.dedup();
    paths.reverse();
    paths
}

/// How many segments a path has that does not end with a slash.
fn depth(path: &str) -> usize {
    path.bytes().filter(|byte| *byte == b'/').count()
}

fn place(host: &str, path: &RoutePath) -> Place {
    format!("{host}{}", path.decoded()).into()
}

impl Serialize for Leading {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.routes.serialize(to)
    }
}

impl<'d> Deserialize<'d> for Leading {
    fn deserialize<D: Deserializer<'d>>(from: D) -> Result<Self, D::Error> {
        let mut leading = Self::default();
        for (place, led) in BTreeMap::<Place, Led>::deserialize(from)? {
            leading.put(place, Some(led));
        }
        Ok(leading)
    }
}

#[cfg(test)]
mod tests;
