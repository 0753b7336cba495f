//! A domain: the name of a host that is somebody's outside, and the site that it shows. Each is an aggregate of its own, named by
//! the name, so that a name has one owner on the whole platform.
//!
//! Whoever adds a name has not proven anything yet. It is kept for their site while its records are looked at, so many times;
//! who is given up on holds it against nobody.

mod certificate;

use crate::event::Certified;
use crate::routing::HostName;
use crate::{Aggregate, DomainEvent, Event, Refusal, SiteId};
use std::time::Duration;
use time::OffsetDateTime;
use uuid::Uuid;

pub use certificate::{ORDERS_MAX, RENEWALS_MAX, pause as certificate_pause};

/// Most domains of one site.
pub const DOMAINS_MAX: usize = 50;
/// How often records are looked at before that is given up: for three days, as the pauses are.
pub const ATTEMPTS_MAX: u32 = 40;
/// The pause after the first look; each after it is half as long again.
const PAUSE_FIRST: Duration = Duration::from_secs(2);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(4 * 60 * 60);
/// What stands before a name where its proof is looked for.
const PROOF_LABEL: &str = "_pagefold";

/// Whose a name is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Domain {
    /// Nobody's.
    #[default]
    Free,
    /// A site's, at least for the moment.
    Claimed(Claim),
}

/// What a site has of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The site.
    pub site: SiteId,
    /// What a record of the name has to say.
    pub proof: Uuid,
    /// Another name of the site that this one only leads to.
    pub redirect_to: Option<HostName>,
    /// How far it has come.
    pub stage: Stage,
    /// Until when its last certificate is good, if it has had one.
    pub expires_at: Option<OffsetDateTime>,
}

/// How far a domain has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// Its records have to be looked at, and were so many times.
    Pending {
        /// How often they were.
        attempts: u32,
    },
    /// Its records say what they must.
    Verified,
    /// Somebody asked for a certificate so many times.
    Issuing {
        /// How often.
        attempts: u32,
    },
    /// It has a certificate.
    Active,
    /// It was given up before it was proven.
    Failed,
    /// It is proven, and a certificate was given up.
    Unissued,
}

/// What may be asked of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Show a site. Asked again by the same site it is changed, and looked at anew where it is not proven.
    Add {
        /// The site.
        site: SiteId,
        /// What a record of the name will have to say, unless the site has the name already.
        proof: Uuid,
        /// Another name of the site that this one only leads to.
        redirect_to: Option<HostName>,
    },
    /// Take in what was found when its records were looked at. What was found for a claim of before says nothing.
    Look {
        /// The site that it was looked for.
        site: SiteId,
        /// The proof that was looked for.
        proof: Uuid,
        /// What was wrong, if anything was.
        found: Result<(), String>,
    },
    /// Ask for a certificate.
    Order {
        /// The site that it is for.
        site: SiteId,
        /// What edges answer to the authority.
        responder: String,
    },
    /// Take in what the authority gave, or said.
    Receive {
        /// The site that it was asked for.
        site: SiteId,
        /// The certificate, or why there is none.
        given: Result<Box<Certified>, String>,
    },
    /// Be nobody's any more.
    Remove {
        /// The site whose it is.
        site: SiteId,
    },
}

/// How long to wait after `attempts` looks that found nothing.
#[must_use]
pub fn pause(attempts: u32) -> Duration {
    let longer = |pause: Duration, _| (pause * 3 / 2).min(PAUSE_MAX);
    (1..attempts.min(ATTEMPTS_MAX)).fold(PAUSE_FIRST, longer)
}

/// The name at which the proof of `name` is looked for.
#[must_use]
pub fn proof_name(name: &HostName) -> String {
    format!("{PROOF_LABEL}.{name}")
}

/// What the record there has to say.
#[must_use]
pub fn proof_text(proof: Uuid) -> String {
    format!("pagefold={}", proof.simple())
}

impl Domain {
    /// What a site has of the name, if one has.
    #[must_use]
    pub const fn claim(&self) -> Option<&Claim> {
        match self {
            Self::Free => None,
            Self::Claimed(claim) => Some(claim),
        }
    }

    /// The site that has proven that it has the name.
    #[must_use]
    pub fn owner(&self) -> Option<SiteId> {
        self.claim().filter(|claim| claim.stage.is_proven()).map(|claim| claim.site)
    }
}

impl Stage {
    /// Whether it is proven whose the name is.
    #[must_use]
    pub const fn is_proven(&self) -> bool {
        match self {
            Self::Pending { .. } | Self::Failed => false,
            Self::Verified | Self::Issuing { .. } | Self::Active | Self::Unissued => true,
        }
    }

    /// Whether somebody who asks for the name again wants it to be tried anew.
    const fn is_stuck(&self) -> bool {
        match self {
            Self::Pending { attempts } => *attempts > 0,
            Self::Issuing { attempts } => *attempts > 1,
            Self::Verified | Self::Active => false,
            Self::Failed | Self::Unissued => true,
        }
    }
}

impl Claim {
    /// Asked for by the site that has it.
    fn again(&self, redirect_to: Option<&HostName>) -> Vec<DomainEvent> {
        let site = self.site;
        let changes = self.redirect_to.as_ref() != redirect_to;
        let changed = changes.then(|| DomainEvent::Changed { site, redirect_to: redirect_to.cloned() });
        changed.into_iter().chain(self.stage.is_stuck().then_some(DomainEvent::CheckRequested { site })).collect()
    }

    fn looked(&self, found: &Result<(), String>) -> Vec<DomainEvent> {
        let (site, Stage::Pending { attempts }) = (self.site, &self.stage) else { return vec![] };
        let Err(error) = found else { return vec![DomainEvent::Verified { site }] };
        let attempt = attempts + 1;
        let failed = DomainEvent::CheckFailed { site, attempt, error: error.clone() };
        let given_up = (attempt >= ATTEMPTS_MAX).then(|| DomainEvent::Failed { site, error: error.clone() });
        std::iter::once(failed).chain(given_up).collect()
    }
}

impl Aggregate for Domain {
    const KIND: &'static str = "domain";
    type Command = Command;
    type Fact = DomainEvent;

    fn narrow(event: &Event) -> Option<&DomainEvent> {
        if let Event::Domain(fact) = event { Some(fact) } else { None }
    }

    fn decide(&self, command: &Command) -> Result<Vec<DomainEvent>, Refusal> {
        match (self, command) {
            (Self::Free, Command::Add { site, proof, redirect_to }) => {
                let (site, proof, redirect_to) = (*site, *proof, redirect_to.clone());
                Ok(vec![DomainEvent::Added { site, proof, redirect_to }])
            }
            (Self::Claimed(claim), Command::Add { site, redirect_to, .. }) if claim.site == *site => {
                Ok(claim.again(redirect_to.as_ref()))
            }
            (Self::Claimed(claim), Command::Add { site, proof, redirect_to }) if claim.stage == Stage::Failed => {
                let (site, proof, redirect_to) = (*site, *proof, redirect_to.clone());
                let removed = DomainEvent::Removed { site: claim.site };
                Ok(vec![removed, DomainEvent::Added { site, proof, redirect_to }])
            }
            (Self::Claimed(_), Command::Add { .. }) => Err(Refusal::DomainTaken),
            (Self::Claimed(claim), Command::Look { site, proof, found })
                if (claim.site, claim.proof) == (*site, *proof) =>
            {
                Ok(claim.looked(found))
            }
            (Self::Claimed(claim), Command::Order { site, responder }) if claim.site == *site => {
                Ok(claim.order(responder))
            }
            (Self::Claimed(claim), Command::Receive { site, given }) if claim.site == *site => {
                Ok(claim.received(given))
            }
            (Self::Free | Self::Claimed(_), Command::Look { .. } | Command::Order { .. } | Command::Receive { .. }) => {
                Ok(vec![])
            }
            (Self::Claimed(claim), Command::Remove { site }) if claim.site == *site => {
                Ok(vec![DomainEvent::Removed { site: *site }])
            }
            (Self::Free | Self::Claimed(_), Command::Remove { .. }) => Err(Refusal::DomainNotFound),
        }
    }

    fn evolve(self, fact: &DomainEvent) -> Self {
        if let DomainEvent::Added { site, proof, redirect_to } = fact {
            let (site, proof, redirect_to) = (*site, *proof, redirect_to.clone());
            let stage = Stage::Pending { attempts: 0 };
            return Self::Claimed(Claim { site, proof, redirect_to, stage, expires_at: None });
        }
        let Self::Claimed(claim) = self else { return self };
        let stage = match fact {
            DomainEvent::Added { .. } => claim.stage,
            DomainEvent::Removed { .. } => return Self::Free,
            DomainEvent::Changed { redirect_to, .. } => {
                return Self::Claimed(Claim { redirect_to: redirect_to.clone(), ..claim });
            }
            DomainEvent::CheckRequested { .. } if claim.stage.is_proven() => Stage::Verified,
            DomainEvent::CheckRequested { .. } => Stage::Pending { attempts: 0 },
            DomainEvent::CheckFailed { attempt, .. } => Stage::Pending { attempts: *attempt },
            DomainEvent::Verified { .. } => Stage::Verified,
            DomainEvent::CertificateOrdered { attempt, .. } | DomainEvent::CertificateFailed { attempt, .. } => {
                Stage::Issuing { attempts: *attempt }
            }
            DomainEvent::CertificateIssued(Certified { expires_at, .. }) => {
                return Self::Claimed(Claim { stage: Stage::Active, expires_at: Some(*expires_at), ..claim });
            }
            DomainEvent::Failed { .. } if claim.stage.is_proven() => Stage::Unissued,
            DomainEvent::Failed { .. } => Stage::Failed,
        };
        Self::Claimed(Claim { stage, ..claim })
    }
}

#[cfg(test)]
mod tests;
