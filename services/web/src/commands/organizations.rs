//! Commands about organizations. An organization and the handle it is called by are decided together, as a site and its hosts
//! are.

use super::execute::commit;
use super::permit::{About, permit};
use crate::app::Shared;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::seen::Seen;
use events::authority;
use events::organization::{self, Active};
use events::{Handle, Organization, OrganizationId, OrganizationName, Refusal, handle};

/// How often a change is made anew when others change the organization at the same time.
const ROUNDS_MAX: usize = 5;

/// What an organization shall be from now on.
pub(crate) struct Rename {
    /// Its name; the present one if absent.
    pub(crate) name: Option<OrganizationName>,
    /// The version the caller saw.
    pub(crate) seen: Seen,
}

/// Answers the id of the new organization.
pub(crate) async fn create_organization(
    app: &Shared,
    name: &OrganizationName,
    caller: Caller,
) -> Result<OrganizationId, Problem> {
    let cause = permit(app, &caller, authority::Command::CreateOrganization, About::Platform).await?;
    let id = OrganizationId(caller.new_id(format_args!("organization/{name}")));
    let transaction = app
        .log
        .transaction(cause)
        .with::<Organization>(id, organization::Command::Create { name: name.clone() })
        .with::<Handle>(name, handle::Command::Claim(id));
    commit(app, transaction).await?;
    Ok(id)
}

/// Gives an organization another name, if it still is at the version the caller saw. Answers what it is then.
pub(crate) async fn rename_organization(
    app: &Shared,
    id: OrganizationId,
    rename: &Rename,
    caller: Caller,
) -> Result<Active, Problem> {
    for _ in 1..ROUNDS_MAX {
        match rename_once(app, id, rename, caller.clone()).await {
            // Whoever did not say what they saw meets the organization as it is now.
            Err(Problem::Refused(Refusal::OrganizationChanged { .. })) if rename.seen.is_any() => {}
            renamed => return renamed,
        }
    }
    rename_once(app, id, rename, caller).await
}

async fn rename_once(app: &Shared, id: OrganizationId, rename: &Rename, caller: Caller) -> Result<Active, Problem> {
    let cause = permit(app, &caller, authority::Command::RenameOrganization, About::Organization(id)).await?;
    let Active { name: present, version, .. } = active(app, id).await?;
    let name = rename.name.as_ref().unwrap_or(&present);
    let command = organization::Command::Rename { name: name.clone(), seen: rename.seen.version(version) };
    let mut transaction = app.log.transaction(cause).with::<Organization>(id, command);
    if *name != present {
        transaction = transaction
            .with::<Handle>(name, handle::Command::Claim(id))
            .with::<Handle>(&present, handle::Command::Release(id));
    }
    commit(app, transaction).await?;
    active(app, id).await
}

/// The organization as the log knows it.
pub(super) async fn active(app: &Shared, id: OrganizationId) -> Result<Active, Problem> {
    match app.log.load::<Organization>(&id.to_string()).await?.state {
        Organization::Active(active) => Ok(active),
        Organization::Unknown => Err(Refusal::OrganizationNotFound.into()),
    }
}
