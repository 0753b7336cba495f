//! A site: a repository, how it is built, and which branches are published where. It is its id; its name is a claim on a
//! [`Host`](crate::Host), made and given up at the same moment as the site says so.

use crate::access::{self, Hosts, PasswordHash, Passwords, ShareLinks};
use crate::credential::{self, Credentials, DeployKey, SourceToken};
use crate::event::Purge;
use crate::variable::{self, Variable, VariableName, Variables};
use crate::{Aggregate, AliasName, Branch, Event, OrganizationId, Refusal, SiteEvent, SiteName, SiteSettings};
use std::collections::BTreeSet;
use std::time::Duration;
use uuid::Uuid;

/// Secrets of webhooks that are good at the same time: while one is replaced, senders have the one or the other.
const SALTS_MAX: usize = 2;

/// How long a deleted site can be restored.
pub const DELETED_KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The state of a site.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Site {
    /// Nobody has created it.
    #[default]
    Unknown,
    /// It can be built.
    Active(Active),
    /// It was deleted, and can be restored as it was.
    Deleted(Active),
    /// It was deleted for good. It was theirs.
    Erased(OrganizationId),
}

/// A site that can be built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Active {
    /// What it is called.
    pub name: SiteName,
    /// What it was called: hosts that are still its own and lead to the present one.
    pub former: BTreeSet<SiteName>,
    /// Who owns it.
    pub organization: OrganizationId,
    /// How it is built and published.
    pub settings: SiteSettings,
    /// How many facts have changed its name or its settings, from 1: who changes it can say which version they saw.
    pub version: u64,
    /// What its webhooks' secrets are made of: the newest, and the one before. None before the first was made.
    pub webhook_salts: Vec<Uuid>,
    /// Whether its webhook was tried since the newest of them was made.
    pub is_pinged: bool,
    /// What its builds are given.
    pub variables: Variables,
    /// What its repository is read by.
    pub credentials: Credentials,
    /// What its closed hosts open by.
    pub passwords: Passwords,
    /// The same for whoever was given one.
    pub links: ShareLinks,
}

/// What a site is created with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct New {
    /// What it shall be called. Its host must be claimed at the same moment.
    pub name: SiteName,
    /// Who owns it.
    pub organization: OrganizationId,
    /// How it is built and published.
    pub settings: SiteSettings,
    /// The passwords it begins with.
    pub passwords: Passwords,
}

/// What a site shall be from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its name. The host of a new one must be claimed at the same moment.
    pub name: SiteName,
    /// Its settings.
    pub settings: SiteSettings,
    /// The passwords that are set anew.
    pub passwords: Passwords,
    /// The version the caller saw; a site that has moved on refuses the change.
    pub seen: u64,
}

/// What may be asked of a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Create it.
    Create(New),
    /// Change its name or its settings.
    Change(Change),
    /// Delete it with everything it shows. Its hosts must be released at the same moment, so the caller has to know them
    /// all.
    Delete {
        /// The version the caller saw; a site that has moved on, and may have another host, refuses its end.
        seen: u64,
    },
    /// Bring it back after it was deleted. The hosts must be claimed at the same moment.
    Restore {
        /// What it shall be called.
        name: SiteName,
        /// Those of its former hosts that shall lead to it again.
        former: BTreeSet<SiteName>,
    },
    /// Give up what is kept of it since it was deleted.
    Erase,
    /// Make another secret for its webhooks.
    RotateWebhookSecret {
        /// What it is made of.
        salt: Uuid,
    },
    /// Take note that its webhook was tried, unless that is known.
    HearPing {
        /// What the secret that signed it is made of; none for that of the installation.
        salt: Option<Uuid>,
    },
    /// Give its builds a variable.
    SetVariable(VariableName, Variable),
    /// Give it to them no more.
    RemoveVariable(VariableName),
    /// Read its repository by something else.
    Credentials(credential::Command),
    /// Let somebody in by a link, or no more.
    Links(access::Command),
    /// Have what is kept of its pages outside the store asked for again.
    Purge(Purge),
}

impl SiteSettings {
    /// The alias that a build of `branch` moves.
    #[must_use]
    pub fn alias_of(&self, branch: &Branch) -> AliasName {
        if *branch == self.branch {
            AliasName::Live
        } else if Some(branch) == self.demo_branch.as_ref() {
            AliasName::Demo
        } else {
            AliasName::Preview(branch.clone())
        }
    }
}

impl Site {
    /// Whose it is, or was; none if nobody has created it.
    #[must_use]
    pub const fn organization(&self) -> Option<OrganizationId> {
        match self {
            Self::Unknown => None,
            Self::Active(active) | Self::Deleted(active) => Some(active.organization),
            Self::Erased(organization) => Some(*organization),
        }
    }
}

impl Active {
    /// Every host it holds: its name, and what it was called before.
    pub fn hosts(&self) -> impl Iterator<Item = &SiteName> {
        std::iter::once(&self.name).chain(&self.former)
    }

    fn renamed(mut self, name: SiteName) -> Self {
        self.former.remove(&name);
        self.former.insert(std::mem::replace(&mut self.name, name));
        self
    }
}

impl Aggregate for Site {
    const KIND: &'static str = "site";
    type Command = Command;
    type Fact = SiteEvent;

    fn narrow(event: &Event) -> Option<&SiteEvent> {
        if let Event::Site(fact) = event { Some(fact) } else { None }
    }

    fn decide(&self, command: &Command) -> Result<Vec<SiteEvent>, Refusal> {
        match (self, command) {
            (Self::Unknown, Command::Create(new)) => {
                let New { name, organization, settings, passwords } = new.clone();
                let created = SiteEvent::Created { name, organization, settings };
                Ok(std::iter::once(created).chain(set(passwords)).collect())
            }
            (Self::Active(_) | Self::Deleted(_) | Self::Erased(_), Command::Create(_)) => Err(Refusal::SiteExists),
            (Self::Active(active), Command::Change(change)) => active.change(change),
            (Self::Active(active), Command::Delete { seen }) => {
                active.is_at(*seen)?;
                Ok(vec![SiteEvent::Deleted {}])
            }
            (Self::Active(active), Command::RotateWebhookSecret { salt }) => {
                let is_known = active.webhook_salts.contains(salt);
                Ok((!is_known).then_some(SiteEvent::WebhookSecretRotated { salt: *salt }).into_iter().collect())
            }
            (Self::Active(active), Command::SetVariable(name, variable)) => active.set_variable(name, variable),
            (Self::Active(active), Command::RemoveVariable(name)) => {
                let removed = SiteEvent::VariableRemoved { name: name.clone() };
                Ok(active.variables.contains_key(name).then_some(removed).into_iter().collect())
            }
            (Self::Active(active), Command::Credentials(command)) => {
                let fact = active.credentials.decide(command, &active.settings.repository)?;
                Ok(fact.into_iter().collect())
            }
            (Self::Active(active), Command::Links(command)) => Ok(active.links.decide(command)?.into_iter().collect()),
            // Asked for twice, it is done twice: the store may have changed between.
            (Self::Active(_), Command::Purge(purge)) => Ok(vec![SiteEvent::Purged(purge.clone())]),
            (Self::Active(active), Command::HearPing { salt }) => {
                // The secret that is being replaced says nothing of the one that replaces it.
                let is_newest = salt.is_none() || *salt == active.webhook_salts.first().copied();
                let is_news = is_newest && !active.is_pinged;
                Ok(is_news.then_some(SiteEvent::WebhookPinged {}).into_iter().collect())
            }
            (Self::Deleted(_), Command::Restore { name, former }) => {
                Ok(vec![SiteEvent::Restored { name: name.clone(), former: former.clone() }])
            }
            (Self::Deleted(_), Command::Erase) => Ok(vec![SiteEvent::Erased {}]),
            (Self::Active(_), Command::Restore { .. } | Command::Erase)
            | (Self::Erased(_), Command::Erase)
            | (Self::Deleted(_) | Self::Erased(_), Command::Delete { .. }) => Ok(vec![]),
            (Self::Erased(_), Command::Restore { .. }) => Err(Refusal::SiteErased),
            (
                Self::Unknown | Self::Deleted(_) | Self::Erased(_),
                Command::Change(_)
                | Command::RotateWebhookSecret { .. }
                | Command::HearPing { .. }
                | Command::SetVariable(..)
                | Command::RemoveVariable(_)
                | Command::Credentials(_)
                | Command::Links(_)
                | Command::Purge(_),
            )
            | (Self::Unknown, Command::Delete { .. } | Command::Restore { .. } | Command::Erase) => {
                Err(Refusal::SiteNotFound)
            }
        }
    }

    fn evolve(self, fact: &SiteEvent) -> Self {
        match (self, fact.clone()) {
            (Self::Unknown, SiteEvent::Created { name, organization, settings }) => {
                let (former, webhook_salts, variables) = (BTreeSet::new(), Vec::new(), Variables::new());
                let (version, is_pinged) = (1, false);
                Self::Active(Active {
                    name,
                    former,
                    organization,
                    settings,
                    version,
                    webhook_salts,
                    is_pinged,
                    variables,
                    credentials: Credentials::default(),
                    passwords: Passwords::new(),
                    links: ShareLinks::default(),
                })
            }
            (Self::Active(active), SiteEvent::SettingsChanged { settings }) => {
                Self::Active(Active { settings, version: active.version + 1, ..active })
            }
            (Self::Active(active), SiteEvent::Renamed { name, .. }) => {
                Self::Active(Active { version: active.version + 1, ..active.renamed(name) })
            }
            (Self::Active(active), SiteEvent::WebhookSecretRotated { salt }) => {
                let webhook_salts = std::iter::once(salt).chain(active.webhook_salts).take(SALTS_MAX).collect();
                Self::Active(Active { webhook_salts, is_pinged: false, ..active })
            }
            (Self::Active(mut active), SiteEvent::VariableSet { name, value, contexts }) => {
                active.variables.insert(name, Variable { value, contexts });
                Self::Active(active)
            }
            (Self::Active(mut active), SiteEvent::VariableRemoved { name }) => {
                active.variables.remove(&name);
                Self::Active(active)
            }
            (Self::Active(active), SiteEvent::DeployKeyMade { public_key, private_key }) => {
                active.reading_by(|credentials| credentials.key = Some(DeployKey { public_key, private_key }))
            }
            (Self::Active(active), SiteEvent::DeployKeyRemoved {}) => {
                active.reading_by(|credentials| credentials.key = None)
            }
            (Self::Active(active), SiteEvent::SourceTokenSet { username, token }) => {
                active.reading_by(|credentials| credentials.token = Some(SourceToken { username, token }))
            }
            (Self::Active(active), SiteEvent::SourceTokenRemoved {}) => {
                active.reading_by(|credentials| credentials.token = None)
            }
            (Self::Active(mut active), SiteEvent::PasswordSet { hosts, hash }) => {
                active.passwords.insert(hosts, hash);
                Self::Active(active)
            }
            (Self::Active(active), SiteEvent::ShareLinkMade(link)) => active.sharing(|links| links.make(link)),
            (Self::Active(active), SiteEvent::ShareLinkRevoked { link }) => active.sharing(|links| links.revoke(link)),
            (Self::Active(active), SiteEvent::WebhookPinged {}) => Self::Active(Active { is_pinged: true, ..active }),
            (Self::Active(active), SiteEvent::Deleted {}) => Self::Deleted(active),
            (Self::Deleted(active), SiteEvent::Restored { name, former }) => {
                Self::Active(Active { name, former, version: active.version + 1, ..active })
            }
            (Self::Deleted(active), SiteEvent::Erased {}) => Self::Erased(active.organization),
            (
                state @ Self::Active(_),
                SiteEvent::Created { .. } | SiteEvent::Restored { .. } | SiteEvent::Erased {} | SiteEvent::Purged(_),
            )
            | (state @ (Self::Unknown | Self::Deleted(_) | Self::Erased(_)), _) => state,
        }
    }
}

impl Active {
    const fn is_at(&self, seen: u64) -> Result<(), Refusal> {
        if seen == self.version { Ok(()) } else { Err(Refusal::SiteChanged { seen, version: self.version }) }
    }

    fn change(&self, change: &Change) -> Result<Vec<SiteEvent>, Refusal> {
        self.is_at(change.seen)?;
        let settings = (change.settings != self.settings)
            .then(|| SiteEvent::SettingsChanged { settings: change.settings.clone() });
        let name = (change.name != self.name)
            .then(|| SiteEvent::Renamed { name: change.name.clone(), previous: self.name.clone() });
        let moves = change.settings.repository != self.settings.repository;
        // Whoever may name another repository need not be somebody who may know the token.
        let token = (moves && self.credentials.token.is_some()).then_some(SiteEvent::SourceTokenRemoved {});
        let anew = |(hosts, hash): &(Hosts, PasswordHash)| self.passwords.get(hosts) != Some(hash);
        let passwords = change.passwords.clone().into_iter().filter(anew).collect();
        // A password before what it opens: nobody is let in without.
        Ok(set(passwords).chain(settings).chain(name).chain(token).collect())
    }

    fn reading_by(mut self, change: impl FnOnce(&mut Credentials)) -> Site {
        change(&mut self.credentials);
        Site::Active(self)
    }

    fn sharing(mut self, change: impl FnOnce(&mut ShareLinks)) -> Site {
        change(&mut self.links);
        Site::Active(self)
    }

    fn set_variable(&self, name: &VariableName, variable: &Variable) -> Result<Vec<SiteEvent>, Refusal> {
        variable::admit(&self.variables, name)?;
        let Variable { value, contexts } = variable.clone();
        let set = SiteEvent::VariableSet { name: name.clone(), value, contexts };
        Ok((self.variables.get(name) != Some(variable)).then_some(set).into_iter().collect())
    }
}

fn set(passwords: Passwords) -> impl Iterator<Item = SiteEvent> {
    passwords.into_iter().map(|(hosts, hash)| SiteEvent::PasswordSet { hosts, hash })
}

#[cfg(test)]
mod tests;
