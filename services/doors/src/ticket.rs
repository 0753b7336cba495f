//! Tickets: with one, web sends a member back to the host that they came from. A ticket is good for a minute, for one host, and once at
//! each edge.

use crate::TICKET_SECONDS;
use crate::key::Key;
use crate::pass::Place;
use uuid::Uuid;

const PURPOSE: &str = "ticket v1";

/// A ticket, as a query has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket<'t> {
    /// By which an edge knows it again.
    pub nonce: Uuid,
    until: i64,
    proof: &'t str,
}

impl<'t> Ticket<'t> {
    /// Makes the text of a ticket.
    #[must_use]
    pub fn make(key: &Key, place: &Place<'_>, now: i64) -> String {
        let (nonce, until) = (Uuid::new_v4(), now + TICKET_SECONDS);
        format!("{until}.{}.{}", nonce.simple(), signed(place, nonce, until, |parts| key.sign(PURPOSE, parts)))
    }

    /// Reads what such a text claims.
    #[must_use]
    pub fn read(text: &'t str) -> Option<Self> {
        let mut parts = text.splitn(3, '.');
        let (until, nonce, proof) = (parts.next()?.parse().ok()?, parts.next()?, parts.next()?);
        Some(Self { nonce: nonce.parse().ok()?, until, proof })
    }

    /// Whether it was given for that site on that host, and its time is not over.
    #[must_use]
    pub fn opens(&self, key: &Key, place: &Place<'_>, now: i64) -> bool {
        now < self.until && signed(place, self.nonce, self.until, |parts| key.proves(PURPOSE, parts, self.proof))
    }
}

fn signed<T>(place: &Place<'_>, nonce: Uuid, until: i64, sign: impl FnOnce(&[&str]) -> T) -> T {
    sign(&[&place.site.to_string(), place.host, &nonce.to_string(), &until.to_string()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::SiteId;

    #[test]
    fn a_ticket_is_for_one_host_and_a_minute() {
        let key = Key::new([1; 32]);
        let place = Place { site: SiteId(Uuid::from_u128(1)), host: "docs.example" };
        let (text, again) = (Ticket::make(&key, &place, 1_000), Ticket::make(&key, &place, 1_000));
        assert_ne!(text, again);
        let ticket = Ticket::read(&text).unwrap();
        assert!(ticket.opens(&key, &place, 1_059) && !ticket.opens(&key, &place, 1_060));
        let evil = Place { host: "evil.example", ..place };
        assert!(!ticket.opens(&key, &evil, 1_000) && !ticket.opens(&Key::new([2; 32]), &place, 1_000));
    }
}
