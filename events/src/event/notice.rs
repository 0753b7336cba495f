//! Facts about who is told what happens to a site, and whether they were.

use crate::telling::{Kind, Occasion, ReceiverName};
use crate::{ReceiverId, Sealed, SiteId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The life of a site's receivers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ReceiverEvent {
    /// From now on somebody is told what happens to the site.
    #[serde(rename = "created.v1")]
    Created(Reception),
    /// From now on they are told so.
    #[serde(rename = "changed.v1")]
    Changed(Reception),
    /// Somebody wants to see a notice arrive.
    #[serde(rename = "tested.v1")]
    Tested {
        /// Which receiver.
        receiver: ReceiverId,
    },
    /// They are told nothing any more.
    #[serde(rename = "removed.v1")]
    Removed {
        /// Which receiver.
        receiver: ReceiverId,
    },
}

/// Who is told, of what, and how. All of it, what is unchanged too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reception {
    /// The receiver.
    pub receiver: ReceiverId,
    /// How it is told.
    pub kind: Kind,
    /// What its people call it.
    pub name: ReceiverName,
    /// What it is told of.
    pub wants: BTreeSet<Occasion>,
    /// Where it is told, sealed with the site's key: addresses of mail are personal, and some URLs are secrets.
    pub address: Sealed,
    /// What notices are signed with or let in by, sealed in the same way; absent where nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<Sealed>,
}

/// The life of a notice: one receiver, one fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum NoticeEvent {
    /// The receiver was told.
    #[serde(rename = "delivered.v1")]
    Delivered(Noticed),
    /// The receiver could not be told, and is not tried any more.
    #[serde(rename = "failed.v1")]
    Failed(Noticed),
    /// Somebody wants the receiver to be told once more.
    #[serde(rename = "requested.v1")]
    Requested {
        /// The site.
        site: SiteId,
        /// Who is told.
        receiver: ReceiverId,
        /// The place in the log of the fact it is told of.
        sequence: u64,
    },
}

/// What became of a notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Noticed {
    /// The site.
    pub site: SiteId,
    /// Who was told.
    pub receiver: ReceiverId,
    /// The place in the log of the fact it was told of.
    pub sequence: u64,
    /// What kind of fact that is.
    pub occasion: Occasion,
    /// How often it was tried.
    pub tries: u32,
    /// What an HTTP server answered last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why it failed, for people; empty if it was delivered.
    pub reason: String,
    /// From the first try to the end, in milliseconds.
    pub duration_ms: u64,
}
