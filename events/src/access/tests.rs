use super::*;
use crate::aggregate::story::given;
use crate::site::{self, New};
use crate::{OrganizationId, Site};
use time::Duration;
use uuid::Uuid;

const NOON: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

fn link(id: u128, seconds: i64) -> ShareLink {
    ShareLink { link: LinkId(Uuid::from_u128(id)), alias: None, expires_at: NOON + Duration::seconds(seconds) }
}

fn made(id: u128, seconds: i64) -> SiteEvent {
    SiteEvent::ShareLinkMade(link(id, seconds))
}

fn make(id: u128) -> site::Command {
    site::Command::Links(Command::Make { link: link(id, 60), now: NOON })
}

fn revoke(id: u128) -> site::Command {
    site::Command::Links(Command::Revoke(LinkId(Uuid::from_u128(id))))
}

fn created() -> SiteEvent {
    let settings = crate::SiteSettings {
        repository: "https://github.com/acme/docs".parse().unwrap(),
        branch: "main".parse().unwrap(),
        demo_branch: None,
        engine: crate::SiteEngine::Static,
        building: crate::Building::default(),
        serving: crate::event::Serving::default(),
    };
    SiteEvent::Created { name: "docs".parse().unwrap(), organization: OrganizationId(Uuid::nil()), settings }
}

fn hash(letter: char) -> PasswordHash {
    format!("$argon2id$v=19${}", letter.to_string().repeat(40)).parse().unwrap()
}

#[test]
fn a_link_is_made_once_and_revoked_for_good() {
    let revoked = SiteEvent::ShareLinkRevoked { link: LinkId(Uuid::from_u128(1)) };
    given::<Site>([created()]).when(make(1)).then([made(1, 60)]);
    given::<Site>([created(), made(1, 60)]).when(make(1)).then([]);
    given::<Site>([created(), made(1, 60)]).when(revoke(1)).then([revoked.clone()]);
    given::<Site>([created(), made(1, 60), revoked.clone()]).when(revoke(1)).then([]);
    given::<Site>([created(), made(1, 60), revoked]).when(make(1)).refuses(Refusal::ShareLinkNotFound);
    given::<Site>([created()]).when(revoke(2)).refuses(Refusal::ShareLinkNotFound);
    given::<Site>([]).when(make(1)).refuses(Refusal::SiteNotFound);
    given::<Site>([created(), SiteEvent::Deleted {}]).when(make(1)).refuses(Refusal::SiteNotFound);
}

#[test]
fn only_links_whose_time_is_not_over_count() {
    let most = SHARE_LINKS_MAX as u128;
    let full = |seconds| std::iter::once(created()).chain((1..=most).map(move |id| made(id, seconds)));
    given::<Site>(full(60)).when(make(most + 1)).refuses(Refusal::TooManyShareLinks);
    given::<Site>(full(-60)).when(make(most + 1)).then([made(most + 1, 60)]);
}

#[test]
fn a_password_is_set_before_what_it_opens() {
    let SiteEvent::Created { name, organization, mut settings } = created() else { return };
    let passwords = Passwords::from([(Hosts::Live, hash('a'))]);
    let set = SiteEvent::PasswordSet { hosts: Hosts::Live, hash: hash('a') };
    let new = New { name: name.clone(), organization, settings: settings.clone(), passwords: passwords.clone() };
    given::<Site>([]).when(site::Command::Create(new)).then([created(), set.clone()]);
    settings.serving.access.live = Mode::Password;
    let change = site::Change { name, settings: settings.clone(), passwords, seen: 1 };
    let changed = SiteEvent::SettingsChanged { settings };
    given::<Site>([created()]).when(site::Command::Change(change.clone())).then([set.clone(), changed.clone()]);
    let again = site::Change { seen: 2, ..change };
    given::<Site>([created(), set, changed]).when(site::Command::Change(again)).then([]);
}

#[test]
fn a_link_leads_to_what_it_was_made_for() {
    let plan: AliasName = "preview/plan".parse().unwrap();
    let to = |alias: Option<AliasName>| ShareLink { alias, ..link(1, 60) };
    for (alias, of, covered) in [
        (None, AliasName::Live, true),
        (None, plan.clone(), true),
        (Some(plan.clone()), plan.clone(), true),
        (Some(plan.clone()), AliasName::Live, false),
        (Some(AliasName::Live), plan, false),
    ] {
        assert_eq!(to(alias.clone()).covers(&of), covered, "{alias:?} {of}");
    }
}

#[test]
fn a_mode_is_one_word_wherever_it_is_said() {
    for mode in Mode::ALL {
        assert_eq!(mode.to_string().parse::<Mode>().unwrap(), mode);
        assert_eq!(serde_json::to_value(mode).unwrap(), mode.to_string());
    }
    assert!("open".parse::<Mode>().unwrap_err().to_string().contains("members"));
    for hosts in Hosts::ALL {
        assert_eq!(serde_json::to_value(hosts).unwrap(), hosts.to_string());
    }
}

#[test]
fn a_hash_is_never_printed_and_is_no_password() {
    assert_eq!(format!("{:?}", hash('a')), "PasswordHash");
    for bad in [
        "",
        "secret",
        "$argon2id$short",
        "$argon2i$v=19$aaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "$argon2id$v=19$aaaaaaaaaaaa\naaaaaaaaaaaaaaaa",
    ] {
        assert!(bad.parse::<PasswordHash>().is_err(), "{bad:?}");
    }
}
