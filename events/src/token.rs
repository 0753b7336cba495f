//! An API token: a secret that has a part of its maker's authority, until it is revoked or its time is over.

use crate::event::TokenGrant;
use crate::ids::{Invalid, text};
use crate::{Aggregate, Event, Refusal, TokenEvent};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Longest name of a token.
pub const TOKEN_NAME_MAX: usize = 60;

/// What a token is called: letters, digits, `-` and `_`, at most [`TOKEN_NAME_MAX`]. Several may have the same name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^[A-Za-z0-9_-]{1,60}$"))]
pub struct TokenName(String);

text!(TokenName);

impl TryFrom<String> for TokenName {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if is_plain && (1..=TOKEN_NAME_MAX).contains(&text.len()) {
            Ok(Self(text))
        } else {
            Err(Invalid(format!(
                "`{text}` is not the name of a token (1 to {TOKEN_NAME_MAX} letters, digits, `-` and `_`)"
            )))
        }
    }
}

/// The state of a token.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Token {
    /// Nobody has made it.
    #[default]
    Unknown,
    /// It is good, unless its time is over.
    Valid(TokenGrant),
    /// It was revoked, for good.
    Revoked,
}

/// What may be asked of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Make it.
    Create(TokenGrant),
    /// End it.
    Revoke,
}

impl Aggregate for Token {
    const KIND: &'static str = "token";
    type Command = Command;
    type Fact = TokenEvent;

    fn narrow(event: &Event) -> Option<&TokenEvent> {
        if let Event::Token(fact) = event { Some(fact) } else { None }
    }

    fn decide(&self, command: &Command) -> Result<Vec<TokenEvent>, Refusal> {
        match (self, command) {
            (Self::Unknown, Command::Create(grant)) => Ok(vec![TokenEvent::Created(grant.clone())]),
            (Self::Valid(_) | Self::Revoked, Command::Create(_)) => Err(Refusal::TokenExists),
            (Self::Valid(_), Command::Revoke) => Ok(vec![TokenEvent::Revoked {}]),
            (Self::Revoked, Command::Revoke) => Ok(vec![]),
            (Self::Unknown, Command::Revoke) => Err(Refusal::TokenNotFound),
        }
    }

    fn evolve(self, fact: &TokenEvent) -> Self {
        match (self, fact) {
            (Self::Unknown, TokenEvent::Created(grant)) => Self::Valid(grant.clone()),
            (state, TokenEvent::Created(_)) => state,
            (Self::Unknown, TokenEvent::Revoked {}) => Self::Unknown,
            (Self::Valid(_) | Self::Revoked, TokenEvent::Revoked {}) => Self::Revoked,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::story::given;
    use crate::authority::Scope;
    use crate::{Digest, OrganizationId};
    use std::collections::BTreeSet;
    use uuid::Uuid;

    fn grant() -> TokenGrant {
        TokenGrant {
            name: "deploys".parse().unwrap(),
            scopes: BTreeSet::from([Scope::Deploy]),
            organization: Some(OrganizationId(Uuid::nil())),
            site: None,
            maker: None,
            digest: Digest::of(b"secret"),
            expires_at: None,
        }
    }

    #[test]
    fn a_token_is_made_once_and_revoked_for_good() {
        let (created, revoked) = (TokenEvent::Created(grant()), TokenEvent::Revoked {});
        given::<Token>([]).when(Command::Create(grant())).then([created.clone()]);
        given::<Token>([created.clone()]).when(Command::Create(grant())).refuses(Refusal::TokenExists);
        given::<Token>([created.clone()]).when(Command::Revoke).then([revoked.clone()]);
        given::<Token>([created.clone(), revoked.clone()]).when(Command::Revoke).then([]);
        given::<Token>([created, revoked]).when(Command::Create(grant())).refuses(Refusal::TokenExists);
        given::<Token>([]).when(Command::Revoke).refuses(Refusal::TokenNotFound);
    }

    #[test]
    fn a_name_fits_in_an_actor() {
        for good in ["ci", "ada_laptop-2", &"x".repeat(60)] {
            assert!(good.parse::<TokenName>().is_ok(), "{good}");
        }
        for bad in ["", "two words", "a/b", "é", &"x".repeat(61)] {
            assert!(bad.parse::<TokenName>().is_err(), "{bad}");
        }
    }
}
