//! Passes: what a cookie says of how a host was opened, and until when. A pass is for one site on one host.

use crate::key::Key;
use events::{LinkId, PasswordHash, SiteId};

const PURPOSE: &str = "pass v1";
const PREFIX: &str = "pagefold-door-";

/// By what somebody got in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By<'a> {
    /// A share link. Who revokes it ends what it opened.
    Link(LinkId),
    /// The password with this hash. Who sets another ends what it opened.
    Password(&'a PasswordHash),
    /// A ticket, which web gives to members.
    Ticket,
}

/// A pass, as a cookie has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pass<'t> {
    /// Which share link it claims to come of.
    pub link: Option<LinkId>,
    /// When it ends, in seconds of Unix time.
    pub until: i64,
    proof: &'t str,
}

/// What the cookie of a site is called: several sites may be on one host, by its routes.
#[must_use]
pub fn cookie_name(site: SiteId) -> String {
    format!("{PREFIX}{}", site.0.simple())
}

/// Whether a cookie of this name is a pass, which no other server may see.
#[must_use]
pub fn is_ours(name: &str) -> bool {
    name.starts_with(PREFIX)
}

impl<'t> Pass<'t> {
    /// Makes the text of a pass.
    #[must_use]
    pub fn make(key: &Key, place: &Place<'_>, by: By<'_>, until: i64) -> String {
        let link = if let By::Link(link) = by { link.0.simple().to_string() } else { String::new() };
        format!("{until}.{link}.{}", signed(place, by, until, |parts| key.sign(PURPOSE, parts)))
    }

    /// Reads what such a text claims.
    #[must_use]
    pub fn read(text: &'t str) -> Option<Self> {
        let mut parts = text.splitn(3, '.');
        let (until, link, proof) = (parts.next()?.parse().ok()?, parts.next()?, parts.next()?);
        let link = if link.is_empty() { None } else { Some(link.parse().ok()?) };
        Some(Self { link, until, proof })
    }

    /// Whether it was given there for this, and its time is not over.
    #[must_use]
    pub fn opens(&self, key: &Key, place: &Place<'_>, by: By<'_>, now: i64) -> bool {
        let is_of = if let By::Link(link) = by { self.link == Some(link) } else { self.link.is_none() };
        is_of && now < self.until && signed(place, by, self.until, |parts| key.proves(PURPOSE, parts, self.proof))
    }
}

/// A site on one of its hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// The site.
    pub site: SiteId,
    /// The host, in lower case and without its port.
    pub host: &'a str,
}

fn signed<T>(place: &Place<'_>, by: By<'_>, until: i64, sign: impl FnOnce(&[&str]) -> T) -> T {
    let (site, until) = (place.site.to_string(), until.to_string());
    let (kind, what) = match by {
        By::Link(link) => ("link", link.to_string()),
        By::Password(hash) => ("password", hash.to_string()),
        By::Ticket => ("ticket", String::new()),
    };
    sign(&[kind, &what, &site, place.host, &until])
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_pass_opens_one_site_on_one_host_by_one_means_for_a_time() {
        let (key, link) = (Key::new([1; 32]), LinkId(Uuid::from_u128(7)));
        let place = Place { site: SiteId(Uuid::from_u128(1)), host: "plan--docs.example" };
        let (old, new) = (hash('a'), hash('b'));
        let means = [By::Link(link), By::Password(&old), By::Ticket];
        for by in means {
            let text = Pass::make(&key, &place, by, 100);
            let pass = Pass::read(&text).unwrap();
            assert!(pass.opens(&key, &place, by, 99), "{by:?}");
            assert!(!pass.opens(&key, &place, by, 100), "its time is over");
            let host = Place { host: "docs.example", ..place };
            let site = Place { site: SiteId(Uuid::from_u128(2)), ..place };
            assert!(!pass.opens(&key, &host, by, 99) && !pass.opens(&key, &site, by, 99));
            assert!(!pass.opens(&Key::new([2; 32]), &place, by, 99));
            let others = means.into_iter().chain([By::Link(LinkId(Uuid::from_u128(8))), By::Password(&new)]);
            for other in others.filter(|other| *other != by) {
                assert!(!pass.opens(&key, &place, other, 99), "{by:?} as {other:?}");
            }
            let longer = text.replacen("100", "999", 1);
            assert!(!Pass::read(&longer).unwrap().opens(&key, &place, by, 99), "{longer}");
        }
        for wrong in ["", "1", "1.", "x..y", "1.x.y"] {
            assert!(Pass::read(wrong).is_none(), "{wrong}");
        }
    }

    fn hash(letter: char) -> PasswordHash {
        format!("$argon2id$v=19${}", letter.to_string().repeat(40)).parse().unwrap()
    }
}
