//! Facts about domains: names of hosts that are other people's, and show a site here once it is proven that its people have them.

use crate::routing::HostName;
use crate::{Sealed, SiteId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

/// The life of a domain, which is of one site at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DomainEvent {
    /// The name is to show a site, when it is proven that the site's people have it.
    #[serde(rename = "added.v1")]
    Added {
        /// Which site.
        site: SiteId,
        /// What a record of the name has to say. By itself it is no secret.
        proof: Uuid,
        /// Another name of the site that this one only leads to; absent where it shows the site itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        redirect_to: Option<HostName>,
    },
    /// From now on it leads to another name of its site, or to none.
    #[serde(rename = "changed.v1")]
    Changed {
        /// The site.
        site: SiteId,
        /// The name that it leads to; absent where it shows the site itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        redirect_to: Option<HostName>,
    },
    /// Somebody wants its records to be looked at now, and as often as in the beginning.
    #[serde(rename = "check_requested.v1")]
    CheckRequested {
        /// The site.
        site: SiteId,
    },
    /// Its records did not say what they must.
    #[serde(rename = "check_failed.v1")]
    CheckFailed {
        /// The site.
        site: SiteId,
        /// Which look it was, from 1.
        attempt: u32,
        /// What was found instead.
        error: String,
    },
    /// Its records say what they must: it shows its site.
    #[serde(rename = "verified.v1")]
    Verified {
        /// The site.
        site: SiteId,
    },
    /// A certificate is asked for. From now on every edge answers for it where the authority looks.
    #[serde(rename = "certificate_ordered.v1")]
    CertificateOrdered {
        /// The site.
        site: SiteId,
        /// Which try it is, from 1.
        attempt: u32,
        /// What edges answer behind the token of a challenge: the thumbprint of the account's key (RFC 8555, 8.1).
        responder: String,
    },
    /// The name has a certificate, which every edge proves itself by.
    #[serde(rename = "certificate_issued.v1")]
    CertificateIssued(Certified),
    /// The authority gave none.
    #[serde(rename = "certificate_failed.v1")]
    CertificateFailed {
        /// The site.
        site: SiteId,
        /// Which try it was.
        attempt: u32,
        /// What the authority said.
        error: String,
    },
    /// Nobody looks any more before somebody asks for it.
    #[serde(rename = "failed.v1")]
    Failed {
        /// The site.
        site: SiteId,
        /// What was wrong in the end.
        error: String,
    },
    /// The name is nobody's any more.
    #[serde(rename = "removed.v1")]
    Removed {
        /// The site whose it was.
        site: SiteId,
    },
}

/// The certificate of a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Certified {
    /// The site.
    pub site: SiteId,
    /// The certificate and those between it and its authority, as PEM.
    pub chain: String,
    /// Its key as PEM, sealed with the key of edges.
    pub key: Sealed,
    /// Until when it is good.
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub expires_at: OffsetDateTime,
    /// When it is time for the next.
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub renew_at: OffsetDateTime,
}

impl DomainEvent {
    /// The site that it is about.
    #[must_use]
    pub const fn site(&self) -> SiteId {
        match self {
            Self::Added { site, .. }
            | Self::Changed { site, .. }
            | Self::CheckRequested { site }
            | Self::CheckFailed { site, .. }
            | Self::Verified { site }
            | Self::CertificateOrdered { site, .. }
            | Self::CertificateIssued(Certified { site, .. })
            | Self::CertificateFailed { site, .. }
            | Self::Failed { site, .. }
            | Self::Removed { site } => *site,
        }
    }
}
