//! Links that let in whoever has them, and the passwords of closed sites.

use super::active::active;
use super::execute::commit;
use super::permit::{About, permit};
use crate::app::{App, Shared};
use crate::caller::Caller;
use crate::place::Place;
use crate::problem::Problem;
use doors::{SHARE, ShareToken};
use events::access::{self, Hosts, Mode, Passwords, SHARE_LINK_SECONDS_MAX};
use events::authority::Command;
use events::{Access, AliasName, Branch, LinkId, Refusal, ShareLink, Site, site};
use runtime::clock;
use secrecy::SecretString;
use std::time::Duration;

/// A share link to be made.
pub(crate) struct NewShareLink {
    /// How long it is good, in seconds.
    pub(crate) expires_in: u32,
    /// The branch that it leads to; everything that the site shows if none is named.
    pub(crate) branch: Option<Branch>,
}

/// A share link that was made: the only time that its address can be read.
pub(crate) struct Made {
    pub(crate) link: ShareLink,
    pub(crate) url: String,
}

/// Makes a link that lets in whoever has it.
pub(crate) async fn share(app: &Shared, place: &Place, new: NewShareLink, caller: Caller) -> Result<Made, Problem> {
    let id = app.site_id(place).await?;
    let cause = permit(app, &caller, Command::ShareSite, About::Site(id)).await?;
    let NewShareLink { expires_in, branch } = new;
    if !(1..=SHARE_LINK_SECONDS_MAX).contains(&expires_in) {
        let why = format!("`expires_in` is 1 to {SHARE_LINK_SECONDS_MAX} seconds");
        return Err(Problem::InvalidInput(why));
    }
    let present = active(app, id).await?;
    let alias = branch.map(|branch| present.settings.alias_of(&branch));
    let told = alias.as_ref().map(ToString::to_string).unwrap_or_default();
    let link = LinkId(caller.new_id(format_args!("share/{id}/{told}/{expires_in}")));
    let now = clock::now();
    let expires_at = now + Duration::from_secs(expires_in.into());
    let make = access::Command::Make { link: ShareLink { link, alias, expires_at }, now };
    commit(app, app.log.transaction(cause).with::<Site>(id, site::Command::Links(make))).await?;
    // Asked for again, it is as it was made first.
    let present = active(app, id).await?;
    let link = present.links.get(link).cloned().ok_or(Refusal::ShareLinkNotFound)?;
    let host = app.sites_url.alias(&present.name, link.alias.as_ref().unwrap_or(&AliasName::Live));
    let url = format!("{host}?{SHARE}={}", ShareToken::make(&app.doors, id, &link));
    Ok(Made { link, url })
}

/// Has a link let nobody in any more.
pub(crate) async fn revoke_share(app: &Shared, place: &Place, link: LinkId, caller: Caller) -> Result<(), Problem> {
    let id = app.site_id(place).await?;
    let cause = permit(app, &caller, Command::ShareSite, About::Site(id)).await?;
    let revoke = site::Command::Links(access::Command::Revoke(link));
    commit(app, app.log.transaction(cause).with::<Site>(id, revoke)).await.map(drop)
}

/// What is kept of passwords that are given, where the ones before are `present`. What opens by a password must have one.
pub(super) async fn hashed(
    app: &App,
    given: Vec<(Hosts, SecretString)>,
    present: &Passwords,
    access: Access,
) -> Result<Passwords, Problem> {
    let has = |hosts: &Hosts| present.contains_key(hosts) || given.iter().any(|(of, _)| of == hosts);
    if let Some(hosts) = Hosts::ALL.into_iter().find(|hosts| access.to(*hosts) == Mode::Password && !has(hosts)) {
        return Err(Problem::InvalidInput(format!("`access` needs a `password` for `{hosts}`")));
    }
    let mut hashes = Passwords::new();
    for (hosts, password) in given {
        let (key, before) = (app.doors.clone(), present.get(&hosts).cloned());
        let hashing = move || match before {
            // The same again is no other fact.
            Some(before) if doors::proves(&key, &password, &before) => Some(before),
            Some(_) | None => doors::hash(&key, &password),
        };
        let hash = tokio::task::spawn_blocking(hashing).await.ok().flatten();
        hashes.insert(hosts, hash.ok_or_else(|| Problem::Internal("a password could not be hashed".into()))?);
    }
    Ok(hashes)
}
