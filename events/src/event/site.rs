//! Facts about sites, and what they are called.

use super::serving::Serving;
use crate::access::{Hosts, PasswordHash, ShareLink};
use crate::building::Building;
use crate::credential::{PublicKey, Username};
use crate::routing::{HostName, RoutePath};
use crate::variable::{Context, VariableName};
use crate::{Branch, LinkId, OrganizationId, RepositoryUrl, Sealed, SiteId, SiteName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use uuid::Uuid;

/// The life of a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SiteEvent {
    /// A site was created from a repository.
    #[serde(rename = "created.v1")]
    Created {
        /// What it is called; its host is claimed at the same moment.
        name: SiteName,
        /// Who owns it; builds are shared fairly between organizations.
        organization: OrganizationId,
        /// How it is built and published.
        settings: SiteSettings,
    },
    /// From now on it is built and published by these settings. Builds that were queued before keep theirs.
    #[serde(rename = "settings_changed.v1")]
    #[cfg_attr(feature = "older", serde(skip_deserializing))]
    SettingsChanged {
        /// All settings, the unchanged among them.
        settings: SiteSettings,
    },
    /// The site has another name. Its former host stays its own and leads to the new one.
    #[serde(rename = "renamed.v1")]
    #[cfg_attr(feature = "older", serde(skip_deserializing))]
    Renamed {
        /// What it is called now.
        name: SiteName,
        /// What it was called.
        previous: SiteName,
    },
    /// From now on its webhooks may be signed with another secret; the one before is still good, the one before that is not.
    #[serde(rename = "webhook_secret_rotated.v1")]
    WebhookSecretRotated {
        /// What the secret is made of, together with a key that only the installation has. By itself it is no secret.
        salt: Uuid,
    },
    /// Its repository's host has tried the webhook, and it reached us: said once for each secret.
    #[serde(rename = "webhook_pinged.v1")]
    WebhookPinged {},
    /// From now on its builds have this variable.
    #[serde(rename = "variable_set.v1")]
    VariableSet {
        /// What it is called.
        name: VariableName,
        /// Its value, sealed with the key of the site's builds.
        value: Sealed,
        /// Which builds have it.
        #[schemars(length(min = 1))]
        contexts: BTreeSet<Context>,
    },
    /// Its builds have this variable no more.
    #[serde(rename = "variable_removed.v1")]
    VariableRemoved {
        /// What it was called.
        name: VariableName,
    },
    /// A key pair was made for it, by which its repository can be read over SSH. It replaces the one before.
    #[serde(rename = "deploy_key_made.v1")]
    DeployKeyMade {
        /// The half that the repository is given.
        public_key: PublicKey,
        /// The other half in OpenSSH's format, sealed with the key of the site's builds.
        private_key: Sealed,
    },
    /// Its repository is not read by its key any more.
    #[serde(rename = "deploy_key_removed.v1")]
    DeployKeyRemoved {},
    /// Its repository, as it is named now, is read over HTTPS by this token from now on.
    #[serde(rename = "source_token_set.v1")]
    SourceTokenSet {
        /// Whose the token is; what hosts take for every token if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        username: Option<Username>,
        /// The token, sealed with the key of the site's builds.
        token: Sealed,
    },
    /// Its repository is not read by the token any more. Said too when the repository becomes another.
    #[serde(rename = "source_token_removed.v1")]
    SourceTokenRemoved {},
    /// From now on these hosts open by this password and by no other, if they open by one.
    #[serde(rename = "password_set.v1")]
    PasswordSet {
        /// Which hosts.
        hosts: Hosts,
        /// What only the password makes.
        hash: PasswordHash,
    },
    /// A link was made that lets in whoever has it, however closed the site is.
    #[serde(rename = "share_link_made.v1")]
    ShareLinkMade(ShareLink),
    /// A share link lets nobody in any more, nor does what was opened with it stay open.
    #[serde(rename = "share_link_revoked.v1")]
    ShareLinkRevoked {
        /// Which one.
        link: LinkId,
    },
    /// Whatever is kept of its pages outside the store is asked for again there, and shown on until that has answered.
    #[serde(rename = "purged.v1")]
    Purged(Purge),
    /// The site was deleted; its hosts are released at the same moment. What it showed is kept until it is erased.
    #[serde(rename = "deleted.v1")]
    Deleted {},
    /// A deleted site is there again, with all that it had; its hosts are claimed at the same moment.
    #[serde(rename = "restored.v1")]
    Restored {
        /// What it is called: as before, or otherwise if that is another's by now.
        name: SiteName,
        /// Its former hosts that nobody has claimed since: they lead to it again.
        former: BTreeSet<SiteName>,
    },
    /// What was kept of a deleted site is gone: nothing brings it back.
    #[serde(rename = "erased.v1")]
    Erased {},
}

/// Which pages of a site are asked for again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Purge {
    /// What this host shows; what every host of the site shows if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<HostName>,
    /// What answers this path; every page if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<RoutePath>,
}

/// Who a host below the sites' domain belongs to. A site's name is such a claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum HostEvent {
    /// From now on the host shows this site.
    #[serde(rename = "claimed.v1")]
    Claimed {
        /// Which site.
        site: SiteId,
        /// Who owns the site.
        organization: OrganizationId,
    },
    /// The host shows nothing any more. It is kept for its organization, so that nobody else takes over old links.
    #[serde(rename = "released.v1")]
    Released {
        /// The site it showed.
        site: SiteId,
        /// Who may claim it again.
        organization: OrganizationId,
    },
}

/// How a site is built and published: what its people may change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SiteSettings {
    /// Where its source is fetched from.
    pub repository: RepositoryUrl,
    /// The branch published as `live`.
    pub branch: Branch,
    /// The branch published as `demo`, if there is one.
    pub demo_branch: Option<Branch>,
    /// How its source becomes pages.
    pub engine: SiteEngine,
    /// When and how it is built beyond that; as most sites are if absent.
    #[serde(default, skip_serializing_if = "Building::is_default")]
    pub building: Building,
    /// How it answers its readers; as most sites do if absent.
    #[serde(default, skip_serializing_if = "Serving::is_default")]
    pub serving: Serving,
}

/// How source becomes pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum SiteEngine {
    /// The files as they are.
    #[serde(rename = "static")]
    Static,
    /// The npm script `pages`, else `federalist`.
    #[serde(rename = "node.js")]
    NodeJs,
    /// The Hugo site generator.
    #[serde(rename = "hugo")]
    Hugo,
    /// The Jekyll site generator, with the gems of its Gemfile where there is one.
    #[serde(rename = "jekyll")]
    Jekyll,
    /// Whichever its files speak for, found out anew by every build.
    #[serde(rename = "auto")]
    Auto,
}
