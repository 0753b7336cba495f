//! Share links: the id of a link, and the signature over all that it is.

use crate::key::Key;
use events::{LinkId, ShareLink, SiteId};

const PURPOSE: &str = "share link v1";

/// What a share link has in its query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShareToken<'t> {
    /// Which link it claims to be.
    pub link: LinkId,
    proof: &'t str,
}

impl<'t> ShareToken<'t> {
    /// Makes the text of a link of a site. The same link has the same text, so asking again tells it again.
    #[must_use]
    pub fn make(key: &Key, site: SiteId, link: &ShareLink) -> String {
        format!("{}.{}", link.link.0.simple(), signed(link, site, |parts| key.sign(PURPOSE, parts)))
    }

    /// Reads what such a text claims.
    #[must_use]
    pub fn read(text: &'t str) -> Option<Self> {
        let (id, proof) = text.split_once('.')?;
        Some(Self { link: id.parse().ok()?, proof })
    }

    /// Whether it is this link of this site.
    #[must_use]
    pub fn is(&self, key: &Key, site: SiteId, link: &ShareLink) -> bool {
        self.link == link.link && signed(link, site, |parts| key.proves(PURPOSE, parts, self.proof))
    }
}

/// The link as it is signed: scope and end belong to it, so neither can become another.
fn signed<T>(link: &ShareLink, site: SiteId, sign: impl FnOnce(&[&str]) -> T) -> T {
    let (site, id, end) = (site.to_string(), link.link.to_string(), link.expires_at.unix_timestamp().to_string());
    let alias = link.alias.as_ref().map(ToString::to_string).unwrap_or_default();
    sign(&[&site, &id, &alias, &end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::{Duration, OffsetDateTime};
    use uuid::Uuid;

    #[test]
    fn a_link_is_itself_and_no_other() {
        let (key, site) = (Key::new([1; 32]), SiteId(Uuid::from_u128(1)));
        let link = ShareLink { link: LinkId(Uuid::from_u128(2)), alias: None, expires_at: OffsetDateTime::UNIX_EPOCH };
        let text = ShareToken::make(&key, site, &link);
        let token = ShareToken::read(&text).unwrap();
        assert!(token.is(&key, site, &link));
        let longer = ShareLink { expires_at: link.expires_at + Duration::hours(1), ..link.clone() };
        let elsewhere = ShareLink { alias: Some("preview/plan".parse().unwrap()), ..link.clone() };
        let another = ShareLink { link: LinkId(Uuid::from_u128(3)), ..link.clone() };
        for other in [longer, elsewhere, another] {
            assert!(!token.is(&key, site, &other), "{other:?}");
        }
        assert!(!token.is(&key, SiteId(Uuid::from_u128(9)), &link) && !token.is(&Key::new([2; 32]), site, &link));
        for wrong in ["", ".", "x.y", &text[..20]] {
            assert!(ShareToken::read(wrong).is_none_or(|token| !token.is(&key, site, &link)), "{wrong}");
        }
    }
}
