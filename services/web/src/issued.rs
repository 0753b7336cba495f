//! Tokens that were made here: `pf_<id>_<secret>`. The id finds what is known of it, the whole proves to be it by its digest.

use events::{Digest, TokenId};
use subtle::ConstantTimeEq;
use uuid::Uuid;

/// By which such a token is told from others, by people and by those who look for leaked ones.
const PREFIX: &str = "pf_";

/// A new token of this id: 244 random bits that nobody can find again.
pub(crate) fn new(id: TokenId) -> String {
    format!("{PREFIX}{}_{}{}", id.0.simple(), Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

/// Which token it claims to be.
pub(crate) fn id(presented: &str) -> Option<TokenId> {
    let (id, _) = presented.strip_prefix(PREFIX)?.split_once('_')?;
    (id.len() == 32).then(|| id.parse().ok().map(TokenId)).flatten()
}

/// Whether it is the one with this digest; takes the same time wherever a guess goes wrong.
pub(crate) fn is(presented: &str, digest: &Digest) -> bool {
    bool::from(Digest::of(presented.as_bytes()).as_bytes().ct_eq(digest.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_names_itself_and_no_other_has_its_digest() {
        let id_of = TokenId(Uuid::from_u128(7));
        let (one, other) = (new(id_of), new(id_of));
        assert_ne!(one, other);
        assert_eq!(id(&one), Some(id_of));
        let digest = Digest::of(one.as_bytes());
        assert!(is(&one, &digest) && !is(&other, &digest));
        for alien in ["", "pf_", "pf_x_y", "operator", &one[3..]] {
            assert_eq!(id(alien), None, "{alien}");
        }
    }
}
