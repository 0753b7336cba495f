//! Who asks, once that is known.

use crate::request_key::Key;
use events::authority::Holder;
use events::{Actor, TokenId, UserId};
use runtime::clock;
use serde::{Deserialize, Serialize};
use std::fmt::Display;
use uuid::Uuid;

/// Somebody who has shown that they are who they are.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Who {
    /// The holder of the token of this name in the configuration.
    Operator(String),
    /// The holder of a token that was made.
    Token(TokenId),
    /// A person.
    User(UserId),
}

/// Who asked, once it is known.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) who: Who,
    pub(crate) actor: Actor,
    pub(crate) holder: Holder,
    /// By which they may ask for the same again.
    key: Option<Key>,
}

impl Caller {
    pub(crate) const fn new(who: Who, actor: Actor, holder: Holder) -> Self {
        Self { who, actor, holder, key: None }
    }

    pub(crate) fn with_key(self, key: Option<Key>) -> Self {
        Self { key, ..self }
    }

    pub(crate) const fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// What a request to this address is called, if it has a key.
    pub(crate) fn request(&self, address: &str) -> Option<Uuid> {
        self.key.as_ref().map(|key| key.id(&self.actor, format_args!("once {address}")))
    }

    /// An id for what a request creates; `request` tells all that was asked for. With a key it is the same each time.
    pub(crate) fn new_id(&self, request: impl Display) -> Uuid {
        self.key.as_ref().map_or_else(clock::new_id, |key| key.id(&self.actor, request))
    }
}
