//! Commands about sites. A site and the hosts it is called by are decided together, or a name could be taken without a
//! site, and a site be without its name.

use super::active::active;
use super::execute::commit;
use super::locks::lock_of;
use super::organizations;
use super::permit::{About, permit};
use super::shares::hashed;
use crate::app::Shared;
use crate::caller::Caller;
use crate::place::{self, Place};
use crate::problem::Problem;
use crate::repositories::Template;
use crate::seen::Seen;
use crate::settings::Wanted;
use events::access::{Hosts, Passwords};
use events::authority::Command;
use events::host::{self, Owner};
use events::site::{self, Active, Change};
use events::{
    Branch, Cause, Handle, Host, Organization, OrganizationId, OrganizationName, Refusal, Site, SiteId, SiteName,
    SiteSettings, handle, organization,
};
use projections::Sight;
use runtime::clock;
use secrecy::SecretString;
use uuid::Uuid;

/// Who owns an operator's site unless somebody is named.
const ORGANIZATION: &str = "default";
/// How often a change is made anew when others change the site at the same time.
const ROUNDS_MAX: usize = 5;

/// A site to be created.
pub(crate) struct NewSite {
    pub(crate) name: SiteName,
    /// Who shall own it; if none is named, whoever its creator belongs to.
    pub(crate) organization: Option<place::Owner>,
    source: Source,
    passwords: Vec<(Hosts, SecretString)>,
}

/// Where the source of a new site is.
enum Source {
    At(SiteSettings),
    /// In a repository that is made here.
    Here(Template, Wanted),
}

impl NewSite {
    pub(crate) fn of(wanted: &Wanted) -> Result<Self, Problem> {
        let source = match wanted.template {
            Some(template) => {
                wanted.of_template(template, SiteId(Uuid::nil()))?;
                Source::Here(template, wanted.clone())
            }
            None => Source::At(wanted.new_settings()?),
        };
        let (organization, passwords) = (wanted.organization.clone(), wanted.passwords());
        Ok(Self { name: wanted.new_name()?, organization, source, passwords })
    }

    fn id(&self, owner: &place::Owner, caller: &Caller) -> SiteId {
        let name = &self.name;
        SiteId(match &self.source {
            Source::At(SiteSettings { repository, branch, demo_branch, engine, building, serving }) => {
                let demo = demo_branch.as_ref().map(Branch::as_str).unwrap_or_default();
                let told = [building.told(), serving.told()].concat().join(" ");
                caller.new_id(format_args!("site/{owner}/{name} {repository} {branch} {demo} {engine:?}{told}"))
            }
            Source::Here(template, _) => caller.new_id(format_args!("site/{owner}/{name} from {}", template.word())),
        })
    }

    fn settings(&self, site: SiteId) -> Result<SiteSettings, Problem> {
        match &self.source {
            Source::At(settings) => Ok(settings.clone()),
            Source::Here(template, wanted) => wanted.of_template(*template, site),
        }
    }
}

/// What a new site is, and whose.
pub(crate) struct Created {
    pub(crate) site: SiteId,
    pub(crate) organization: Organizer,
    pub(crate) settings: SiteSettings,
}

/// Who will own a new site.
pub(crate) struct Organizer {
    pub(crate) id: OrganizationId,
    pub(crate) name: OrganizationName,
    /// Whether it begins with the site.
    is_new: bool,
}

pub(crate) async fn create_site(app: &Shared, new: &NewSite, caller: Caller) -> Result<Created, Problem> {
    match create_once(app, new, caller.clone()).await {
        // Its first sites are created at once: the one that brought the organization with it was faster.
        Err(Problem::Refused(Refusal::OrganizationExists)) => create_once(app, new, caller).await,
        // The same request was under way: it has created the site, or the name is another's.
        Err(Problem::Refused(Refusal::SiteExists)) if caller.has_key() => create_once(app, new, caller).await,
        created => created,
    }
}

async fn create_once(app: &Shared, new: &NewSite, caller: Caller) -> Result<Created, Problem> {
    let NewSite { name, organization, source, .. } = new;
    let named = match organization {
        Some(named) => named.clone(),
        None => own(app, &caller).await?,
    };
    if let Source::At(settings) = source {
        app.repositories.check(&settings.repository)?;
    }
    let organization = organizer(app, &named).await?;
    let owner = organization.id;
    let cause = organization.permit(app, &caller).await?;
    let site = new.id(&named, &caller);
    if caller.has_key() && matches!(app.log.load::<Site>(&site.to_string()).await?.state, Site::Active(_)) {
        return Ok(Created { site, organization, settings: new.settings(site)? });
    }
    let _room = if organization.is_new { None } else { super::limits::room(app, owner).await? };
    let settings = new.settings(site)?;
    let passwords = hashed(app, new.passwords.clone(), &Passwords::new(), settings.serving.access).await?;
    if let Source::Here(template, _) = source {
        // Before the site, which is built at once.
        app.own.create(site, *template, &super::files::author(app, &caller).await?).await?;
    }
    let command = site::New { name: name.clone(), organization: owner, settings: settings.clone(), passwords };
    let mut transaction = app
        .log
        .transaction(cause)
        .with::<Site>(site, site::Command::Create(command))
        .with::<Host>(name, host::Command::Claim(Owner { site, organization: owner }));
    if organization.is_new {
        transaction = transaction
            .with::<Organization>(owner, organization::Command::Create { name: organization.name.clone() })
            .with::<Handle>(&organization.name, handle::Command::Claim(owner));
    }
    commit(app, transaction).await?;
    Ok(Created { site, organization, settings })
}

/// The organization of whoever names none.
async fn own(app: &Shared, caller: &Caller) -> Result<place::Owner, Problem> {
    match app.sight(&caller.holder).await? {
        Sight::All => Ok(ORGANIZATION.parse()?),
        Sight::Organizations { seen, .. } if seen.len() == 1 => {
            Ok(seen.first().copied().map(Place::Id).ok_or(Problem::NotFound)?)
        }
        Sight::Organizations { .. } | Sight::Site(_) => {
            Err(Problem::InvalidInput("`organization` must say whose site it shall be".to_owned()))
        }
    }
}

impl Organizer {
    /// Whoever may not begin an organization meets none where there is none.
    async fn permit(&self, app: &Shared, caller: &Caller) -> Result<Cause, Problem> {
        if !self.is_new {
            return permit(app, caller, Command::CreateSite, About::Organization(self.id)).await;
        }
        let permitted = permit(app, caller, Command::CreateOrganization, About::Platform).await;
        permitted.map_err(|problem| {
            if let Problem::Forbidden(_) = problem { Refusal::OrganizationNotFound.into() } else { problem }
        })
    }
}

/// The organization that is called so or has this id; a new one if the name is nobody's.
async fn organizer(app: &Shared, wanted: &place::Owner) -> Result<Organizer, Problem> {
    match wanted {
        Place::Id(id) => Ok(Organizer { id: *id, name: organizations::active(app, *id).await?.name, is_new: false }),
        Place::Name(name) => {
            let (id, is_new) = match app.log.load::<Handle>(name.as_str()).await?.state {
                Handle::Claimed(owner) => (owner, false),
                Handle::Free => (OrganizationId(clock::new_id()), true),
            };
            Ok(Organizer { id, name: name.clone(), is_new })
        }
    }
}

/// What a site shall be from now on.
pub(crate) struct Edit {
    pub(crate) wanted: Wanted,
    /// The version the caller saw.
    pub(crate) seen: Seen,
}

/// Changes a site, if it still is at the version the caller saw. Answers what it is then.
pub(crate) async fn change_site(app: &Shared, id: SiteId, edit: &Edit, caller: Caller) -> Result<Active, Problem> {
    if edit.wanted.organization.is_some() {
        return Err(Problem::InvalidInput(
            "`organization` is given at a site's creation and cannot be changed".to_owned(),
        ));
    }
    for _ in 1..ROUNDS_MAX {
        match change_once(app, id, edit, caller.clone()).await {
            // Whoever did not say what they saw meets the site as it is now.
            Err(Problem::Refused(Refusal::SiteChanged { .. })) if edit.seen.is_any() => {}
            changed => return changed,
        }
    }
    change_once(app, id, edit, caller).await
}

async fn change_once(app: &Shared, id: SiteId, edit: &Edit, caller: Caller) -> Result<Active, Problem> {
    let Edit { wanted, seen } = edit;
    let active = active(app, id).await?;
    let name = wanted.name.clone().unwrap_or_else(|| active.name.clone());
    let settings = wanted.onto(active.settings.clone())?;
    if wanted.template.is_some() {
        return Err(Problem::InvalidInput("`template` is given at a site's creation".to_owned()));
    }
    if settings.repository != active.settings.repository {
        if settings.repository.own_site().is_some_and(|own| own != id) {
            return Err(Problem::InvalidInput("the repository is another site's".to_owned()));
        }
        app.repositories.check(&settings.repository)?;
    }
    let cause = permit(app, &caller, Command::ChangeSite, About::Site(id)).await?;
    let owner = Owner { site: id, organization: active.organization };
    let renamed = name != active.name;
    let passwords = hashed(app, wanted.passwords(), &active.passwords, settings.serving.access).await?;
    let change = Change { name: name.clone(), settings, passwords, seen: seen.version(active.version) };
    let transaction = app.log.transaction(cause).with::<Site>(id, site::Command::Change(change));
    let transaction = if renamed { transaction.with::<Host>(name, host::Command::Claim(owner)) } else { transaction };
    commit(app, transaction).await?;
    super::active::active(app, id).await
}

/// What the site is called, as the log knows it.
pub(crate) async fn name_of(app: &Shared, place: &Place) -> Result<SiteName, Problem> {
    Ok(active(app, app.site_id(place).await?).await?.name)
}

/// Deletes a site, if it still is at the version the caller saw. Answers whether there was anything to delete.
pub(crate) async fn delete_site(app: &Shared, place: &Place, seen: &Seen, caller: Caller) -> Result<bool, Problem> {
    let id = app.site_id(place).await?;
    for _ in 1..ROUNDS_MAX {
        match delete_once(app, id, seen, caller.clone()).await {
            // It was renamed meanwhile, and has a host that would be kept for ever.
            Err(Problem::Refused(Refusal::SiteChanged { .. })) if seen.is_any() => {}
            deleted => return deleted,
        }
    }
    delete_once(app, id, seen, caller).await
}

async fn delete_once(app: &Shared, id: SiteId, seen: &Seen, caller: Caller) -> Result<bool, Problem> {
    let cause = permit(app, &caller, Command::DeleteSite, About::Site(id)).await?;
    let active = match app.log.load::<Site>(&id.to_string()).await?.state {
        Site::Active(active) => active,
        Site::Deleted(_) | Site::Erased(_) => return Ok(false),
        Site::Unknown => return Err(Refusal::SiteNotFound.into()),
    };
    if let Some(reason) = lock_of(app, id).await? {
        return Err(Refusal::SiteLocked { reason }.into());
    }
    let owner = Owner { site: id, organization: active.organization };
    let delete = site::Command::Delete { seen: seen.version(active.version) };
    let mut transaction = app.log.transaction(cause).with::<Site>(id, delete);
    for name in active.hosts() {
        transaction = transaction.with::<Host>(name, host::Command::Release(owner));
    }
    commit(app, transaction).await
}
