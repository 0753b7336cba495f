//! What waits for whoever looks, and for nobody else.

use super::super::layout::moment;
use crate::people;
use crate::problem::Problem;
use crate::view::View;
use events::organization::NOTICE_DAYS;
use futures::{StreamExt, TryStreamExt, stream};
use maud::{Markup, html};
use projections::invitations::InvitationRow;
use projections::organizations::OrganizationRow;
use projections::sites::SiteRow;
use runtime::clock;
use std::collections::BTreeSet;
use time::Duration;

/// Rows of each kind.
const ROWS: u32 = 5;
/// Invitations that are looked through for the caller's own address, which is sealed in each.
const OPENED: u32 = 50;
/// Keys that are asked for at once.
const READERS: usize = 16;

/// Everything that waits; nothing if nothing does.
pub(super) async fn section(view: &View) -> Result<Option<Markup>, Problem> {
    let actor = &view.caller.actor;
    let invited = invitations(view).await?;
    let locked = view.model.sites_locked_by(actor, &view.sight, ROWS).await?;
    let silent = view.model.silent_sites_of(actor, &view.sight, ROWS).await?;
    let told = organizations(view).await?;
    if invited.is_empty() && locked.is_empty() && silent.is_empty() && told.is_empty() {
        return Ok(None);
    }
    Ok(Some(html! {
        ul.told {
            @for (invitation, organization) in &invited { li {
                p { "You are invited to " strong { (organization.name) } " as a " (invitation.role) "." }
                p.faint { "Open the link that you were sent; it is good until " (moment(invitation.expires_at)) "." }
            } }
            @for organization in &told { (governed(organization)) }
            @for site in &locked { (held(site)) }
            @for site in &silent { li {
                p { a href={ "/sites/" (site.name) } { (site.name) } " waits for its first ping" }
                p.faint { "Its repository has sent nothing yet: " a href={ "/sites/" (site.name) "/settings" } { "set up its webhook" } "." }
            } }
        }
    }))
}

/// Organizations of the caller that are suspended, or whose sites are deleted soon.
async fn organizations(view: &View) -> Result<Vec<OrganizationRow>, Problem> {
    let Some(user) = view.caller.holder.user else { return Ok(Vec::new()) };
    let ids: Vec<_> = view.model.memberships(user).await?.into_iter().map(|member| member.organization).collect();
    let soon = clock::now() + Duration::days(NOTICE_DAYS.into());
    Ok(view.model.organizations_to_mind(&ids, soon, ROWS).await?)
}

fn governed(organization: &OrganizationRow) -> Markup {
    html! { li {
        @if let Some(reason) = &organization.suspended {
            p { a href={ "/organizations/" (organization.name) } { (organization.name) } " is suspended" }
            p.faint { (reason) }
        } @else if let Some(at) = organization.clean_up_at {
            p { a href={ "/organizations/" (organization.name) } { (organization.name) } " is a sandbox: its sites are deleted on " (moment(at)) }
            p.faint { "Lock a site to keep it." }
        }
    } }
}

fn held(site: &SiteRow) -> Markup {
    html! {
        @if let Some(lock) = &site.lock { li {
            p { a href={ "/sites/" (site.name) "/settings#lock" } { (site.name) } " is locked by you" }
            p.faint { (lock.reason) " · since " (moment(lock.locked_at)) }
        } }
    }
}

/// The invitations to the caller's own address, to organizations that they do not belong to yet.
async fn invitations(view: &View) -> Result<Vec<(InvitationRow, OrganizationRow)>, Problem> {
    let Some(user) = view.caller.holder.user else { return Ok(Vec::new()) };
    let open = view.model.good_invitations(clock::now(), OPENED).await?;
    let Some(own) = people::named(view, user).await?.email.filter(|_| !open.is_empty()) else { return Ok(Vec::new()) };
    let memberships = view.model.memberships(user).await?;
    let belongs: BTreeSet<_> = memberships.into_iter().map(|member| member.organization).collect();
    let others = open.into_iter().filter(|invitation| !belongs.contains(&invitation.organization));
    let opened = stream::iter(others).map(async |invitation| {
        let address = people::sealed(view, invitation.user_id, &invitation.email).await?;
        if !address.is_some_and(|address| address.eq_ignore_ascii_case(&own)) {
            return Ok(None);
        }
        let organization = view.model.organization(invitation.organization).await?;
        Ok::<_, Problem>(organization.map(|organization| (invitation, organization)))
    });
    opened.buffered(READERS).try_filter_map(|found| async { Ok(found) }).try_collect().await
}
