//! A site: a repository, how it is built, and which branches are published where.

use crate::{
    Aggregate, AliasName, Branch, CommitId, Event, OrganizationName, Refusal, RepositoryUrl, SiteEngine, SiteEvent,
};

/// The state of a site.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Site {
    /// Nobody has created it.
    #[default]
    Unknown,
    /// It can be built.
    Active(Settings),
    /// It was deleted, for good.
    Deleted,
}

/// What a site was created with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Who owns it.
    pub organization: OrganizationName,
    /// Where its source is fetched from.
    pub repository: RepositoryUrl,
    /// The branch published as `live`.
    pub branch: Branch,
    /// The branch published as `demo`.
    pub demo_branch: Option<Branch>,
    /// How its source becomes pages.
    pub engine: SiteEngine,
}

/// What may be asked of a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Create it.
    Create(Settings),
    /// Build a branch without a push.
    RequestBuild {
        /// The branch; the live branch if absent.
        branch: Option<Branch>,
        /// The exact commit; the tip of the branch if absent.
        commit: Option<CommitId>,
    },
    /// Delete it with everything it shows.
    Delete,
}

impl Settings {
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

impl Aggregate for Site {
    const KIND: &'static str = "site";
    type Command = Command;
    type Fact = SiteEvent;

    fn narrow(event: &Event) -> Option<&SiteEvent> {
        if let Event::Site(fact) = event { Some(fact) } else { None }
    }

    fn decide(&self, command: &Command) -> Result<Vec<SiteEvent>, Refusal> {
        match (self, command) {
            (Self::Unknown, Command::Create(settings)) => {
                let Settings { organization, repository, branch, demo_branch, engine } = settings.clone();
                Ok(vec![SiteEvent::Created { organization, repository, branch, demo_branch, engine }])
            }
            (Self::Active(settings), Command::Create(wanted)) if settings == wanted => Ok(vec![]),
            (Self::Active(_), Command::Create(_)) => Err(Refusal::SiteExists),
            (Self::Deleted, Command::Create(_)) => Err(Refusal::SiteNameRetired),
            (Self::Active(settings), Command::RequestBuild { branch, commit }) => {
                let branch = branch.clone().unwrap_or_else(|| settings.branch.clone());
                Ok(vec![SiteEvent::BuildRequested { branch, commit: commit.clone() }])
            }
            (Self::Active(_), Command::Delete) => Ok(vec![SiteEvent::Deleted {}]),
            (Self::Deleted, Command::Delete) => Ok(vec![]),
            (Self::Unknown, Command::RequestBuild { .. } | Command::Delete)
            | (Self::Deleted, Command::RequestBuild { .. }) => Err(Refusal::SiteNotFound),
        }
    }

    fn evolve(self, fact: &SiteEvent) -> Self {
        match fact.clone() {
            SiteEvent::Created { organization, repository, branch, demo_branch, engine } => {
                Self::Active(Settings { organization, repository, branch, demo_branch, engine })
            }
            SiteEvent::BuildRequested { .. } => self,
            SiteEvent::Deleted {} => Self::Deleted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::story::given;

    fn settings() -> Settings {
        Settings {
            organization: "acme".parse().unwrap(),
            repository: "https://github.com/acme/docs".parse().unwrap(),
            branch: "main".parse().unwrap(),
            demo_branch: Some("next".parse().unwrap()),
            engine: SiteEngine::Static,
        }
    }

    fn created() -> SiteEvent {
        let Settings { organization, repository, branch, demo_branch, engine } = settings();
        SiteEvent::Created { organization, repository, branch, demo_branch, engine }
    }

    #[test]
    fn a_new_name_makes_a_site() {
        given::<Site>([]).when(Command::Create(settings())).then([created()]);
    }

    #[test]
    fn creating_the_same_site_twice_is_harmless() {
        given::<Site>([created()]).when(Command::Create(settings())).then([]);
    }

    #[test]
    fn a_name_in_use_is_refused_for_other_settings() {
        let other = Settings { engine: SiteEngine::Hugo, ..settings() };
        given::<Site>([created()]).when(Command::Create(other)).refuses(Refusal::SiteExists);
    }

    #[test]
    fn a_deleted_sites_name_is_never_given_out_again() {
        given::<Site>([created(), SiteEvent::Deleted {}])
            .when(Command::Create(settings()))
            .refuses(Refusal::SiteNameRetired);
    }

    #[test]
    fn a_requested_build_takes_the_live_branch_by_default() {
        given::<Site>([created()])
            .when(Command::RequestBuild { branch: None, commit: None })
            .then([SiteEvent::BuildRequested { branch: "main".parse().unwrap(), commit: None }]);
    }

    #[test]
    fn a_deleted_site_builds_nothing() {
        given::<Site>([created(), SiteEvent::Deleted {}])
            .when(Command::RequestBuild { branch: None, commit: None })
            .refuses(Refusal::SiteNotFound);
    }

    #[test]
    fn branches_find_their_alias() {
        let alias = |branch: &str| settings().alias_of(&branch.parse().unwrap()).to_string();
        assert_eq!([alias("main"), alias("next"), alias("fix/typo")], ["live", "demo", "preview/fix/typo"]);
    }
}
