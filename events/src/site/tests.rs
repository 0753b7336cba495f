use super::*;
use crate::aggregate::story::given;
use crate::{Context, Sealed, SiteEngine};

fn settings() -> SiteSettings {
    SiteSettings {
        repository: "https://github.com/acme/docs".parse().unwrap(),
        branch: "main".parse().unwrap(),
        demo_branch: Some("next".parse().unwrap()),
        engine: SiteEngine::Static,
        building: crate::Building::default(),
        serving: crate::event::Serving::default(),
    }
}

fn corrected() -> SiteSettings {
    SiteSettings { repository: "https://github.com/acme/handbook".parse().unwrap(), ..settings() }
}

fn name(text: &str) -> SiteName {
    text.parse().unwrap()
}

fn new() -> New {
    New {
        name: name("docs"),
        organization: OrganizationId(Uuid::nil()),
        settings: settings(),
        passwords: Passwords::new(),
    }
}

fn created() -> SiteEvent {
    let New { name, organization, settings, .. } = new();
    SiteEvent::Created { name, organization, settings }
}

fn renamed(from: &str, to: &str) -> SiteEvent {
    SiteEvent::Renamed { name: name(to), previous: name(from) }
}

fn change(to: &str, settings: SiteSettings, seen: u64) -> Command {
    Command::Change(Change { name: name(to), settings, passwords: Passwords::new(), seen })
}

#[test]
fn a_new_id_makes_a_site_once() {
    given::<Site>([]).when(Command::Create(new())).then([created()]);
    given::<Site>([created()]).when(Command::Create(new())).refuses(Refusal::SiteExists);
}

#[test]
fn a_mistyped_repository_can_be_corrected() {
    given::<Site>([created()])
        .when(change("docs", corrected(), 1))
        .then([SiteEvent::SettingsChanged { settings: corrected() }]);
}

#[test]
fn a_change_to_what_is_so_already_states_nothing() {
    given::<Site>([created()]).when(change("docs", settings(), 1)).then([]);
}

#[test]
fn two_people_who_change_a_site_at_once_do_not_overwrite_each_other() {
    let history = [created(), SiteEvent::SettingsChanged { settings: corrected() }];
    given::<Site>(history).when(change("docs", settings(), 1)).refuses(Refusal::SiteChanged { seen: 1, version: 2 });
}

#[test]
fn a_renamed_site_keeps_its_former_hosts() {
    given::<Site>([created()]).when(change("guide", settings(), 1)).then([renamed("docs", "guide")]);
    let history = [created(), renamed("docs", "guide"), renamed("guide", "manual"), renamed("manual", "docs")];
    let Site::Active(active) = history.iter().fold(Site::default(), Site::evolve) else { panic!("it is active") };
    assert_eq!(active.hosts().map(SiteName::as_str).collect::<Vec<_>>(), ["docs", "guide", "manual"]);
    assert_eq!(active.version, 4);
}

#[test]
fn a_deleted_site_is_restored_as_it_was_until_it_is_erased() {
    let deleted = [created(), renamed("docs", "guide"), SiteEvent::Deleted {}];
    let restored = SiteEvent::Restored { name: name("guide"), former: [name("docs")].into() };
    let restore = Command::Restore { name: name("guide"), former: [name("docs")].into() };
    given::<Site>(deleted.clone()).when(restore.clone()).then([restored.clone()]);
    let Site::Active(active) = deleted.iter().chain([&restored]).fold(Site::default(), Site::evolve) else {
        panic!("it is active")
    };
    assert_eq!((active.name.as_str(), active.former.len(), active.settings), ("guide", 1, settings()));
    assert_eq!(active.version, 3, "whoever saw it before has not seen it now");
    given::<Site>([created()]).when(restore.clone()).then([]);
    given::<Site>([created()]).when(Command::Erase).then([]);
    given::<Site>(deleted.clone()).when(Command::Erase).then([SiteEvent::Erased {}]);
    let erased = deleted.into_iter().chain([SiteEvent::Erased {}]);
    given::<Site>(erased.clone()).when(restore.clone()).refuses(Refusal::SiteErased);
    given::<Site>(erased).when(Command::Create(new())).refuses(Refusal::SiteExists);
    given::<Site>([]).when(restore).refuses(Refusal::SiteNotFound);
}

#[test]
fn a_deleted_site_cannot_be_changed() {
    let history = [created(), SiteEvent::Deleted {}];
    given::<Site>(history.clone()).when(Command::Delete { seen: 1 }).then([]);
    given::<Site>(history.clone()).when(change("docs", settings(), 1)).refuses(Refusal::SiteNotFound);
    given::<Site>(history).when(Command::Create(new())).refuses(Refusal::SiteExists);
}

#[test]
fn a_site_is_deleted_only_by_whoever_knows_all_its_hosts() {
    let renamed = [created(), renamed("docs", "guide")];
    given::<Site>(renamed.clone())
        .when(Command::Delete { seen: 1 })
        .refuses(Refusal::SiteChanged { seen: 1, version: 2 });
    given::<Site>(renamed).when(Command::Delete { seen: 2 }).then([SiteEvent::Deleted {}]);
}

#[test]
fn that_a_webhook_works_is_said_once_for_each_secret() {
    let rotated = |salt| SiteEvent::WebhookSecretRotated { salt: Uuid::from_u128(salt) };
    let ping = |salt: Option<u128>| Command::HearPing { salt: salt.map(Uuid::from_u128) };
    let pinged = SiteEvent::WebhookPinged {};
    given::<Site>([created()]).when(ping(None)).then([pinged.clone()]);
    given::<Site>([created(), pinged.clone()]).when(ping(None)).then([]);
    given::<Site>([created(), pinged.clone(), rotated(1)]).when(ping(Some(1))).then([pinged.clone()]);
    given::<Site>([created(), rotated(1), rotated(2)]).when(ping(Some(1))).then([]);
    given::<Site>([created(), SiteEvent::Deleted {}]).when(ping(None)).refuses(Refusal::SiteNotFound);
}

#[test]
fn a_variable_is_set_when_it_is_another_and_removed_when_it_is_there() {
    let name: VariableName = "API_KEY".parse().unwrap();
    let variable = |byte: u8| Variable { value: Sealed::of(&[byte; 48]), contexts: [Context::Live].into() };
    let set = |byte: u8| {
        let Variable { value, contexts } = variable(byte);
        SiteEvent::VariableSet { name: name.clone(), value, contexts }
    };
    let removed = SiteEvent::VariableRemoved { name: name.clone() };
    let command = |byte: u8| Command::SetVariable(name.clone(), variable(byte));
    given::<Site>([created()]).when(command(1)).then([set(1)]);
    given::<Site>([created(), set(1)]).when(command(1)).then([]);
    given::<Site>([created(), set(1)]).when(command(2)).then([set(2)]);
    let remove = Command::RemoveVariable(name.clone());
    given::<Site>([created(), set(1)]).when(remove.clone()).then([removed.clone()]);
    given::<Site>([created(), set(1), removed]).when(remove.clone()).then([]);
    let reserved: VariableName = "PATH".parse().unwrap();
    let taken = Command::SetVariable(reserved.clone(), variable(1));
    given::<Site>([created()]).when(taken).refuses(Refusal::VariableReserved(reserved));
    for command in [command(1), remove] {
        given::<Site>([created(), SiteEvent::Deleted {}]).when(command).refuses(Refusal::SiteNotFound);
    }
}

fn key(byte: u8) -> DeployKey {
    let public_key = format!("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{}", "A".repeat(43));
    DeployKey { public_key: public_key.parse().unwrap(), private_key: Sealed::of(&[byte; 48]) }
}

fn key_made(byte: u8) -> SiteEvent {
    let DeployKey { public_key, private_key } = key(byte);
    SiteEvent::DeployKeyMade { public_key, private_key }
}

fn token_set() -> SiteEvent {
    SiteEvent::SourceTokenSet { username: None, token: Sealed::of(&[9; 48]) }
}

#[test]
fn a_deploy_key_is_made_replaced_and_removed() {
    let make = |byte: u8| Command::Credentials(credential::Command::MakeKey(key(byte)));
    let remove = || Command::Credentials(credential::Command::RemoveKey);
    given::<Site>([created()]).when(make(1)).then([key_made(1)]);
    given::<Site>([created(), key_made(1)]).when(make(1)).then([]);
    given::<Site>([created(), key_made(1)]).when(make(2)).then([key_made(2)]);
    given::<Site>([created(), key_made(1)]).when(remove()).then([SiteEvent::DeployKeyRemoved {}]);
    given::<Site>([created(), key_made(1), SiteEvent::DeployKeyRemoved {}]).when(remove()).then([]);
    given::<Site>([created(), SiteEvent::Deleted {}]).when(make(1)).refuses(Refusal::SiteNotFound);
}

#[test]
fn a_token_goes_when_the_repository_becomes_another_and_the_key_stays() {
    let set = || {
        let token = SourceToken { username: None, token: Sealed::of(&[9; 48]) };
        Command::Credentials(credential::Command::SetToken(token))
    };
    let (gone, moved) = (SiteEvent::SourceTokenRemoved {}, SiteEvent::SettingsChanged { settings: corrected() });
    given::<Site>([created()]).when(set()).then([token_set()]);
    given::<Site>([created(), token_set()]).when(set()).then([]);
    given::<Site>([created(), token_set(), key_made(1)])
        .when(change("docs", corrected(), 1))
        .then([moved.clone(), gone.clone()]);
    let engine = SiteSettings { engine: SiteEngine::Hugo, ..settings() };
    given::<Site>([created(), token_set()])
        .when(change("docs", engine.clone(), 1))
        .then([SiteEvent::SettingsChanged { settings: engine }]);
    given::<Site>([created(), token_set(), moved, gone]).when(set()).then([token_set()]);
    let ssh = SiteSettings { repository: "git@github.com:acme/docs".parse().unwrap(), ..settings() };
    given::<Site>([created(), SiteEvent::SettingsChanged { settings: ssh }])
        .when(set())
        .refuses(Refusal::SourceTokenNeedsHttps);
}

#[test]
fn a_site_is_purged_as_often_as_it_is_asked_for_while_it_is_there() {
    let purge = Purge { host: None, path: Some("/secret".parse().unwrap()) };
    let (ask, purged) = (|| Command::Purge(purge.clone()), || SiteEvent::Purged(purge.clone()));
    given::<Site>([created()]).when(ask()).then([purged()]);
    given::<Site>([created(), purged()]).when(ask()).then([purged()]);
    given::<Site>([]).when(ask()).refuses(Refusal::SiteNotFound);
    given::<Site>([created(), SiteEvent::Deleted {}]).when(ask()).refuses(Refusal::SiteNotFound);
}

#[test]
fn branches_find_their_alias() {
    let alias = |branch: &str| settings().alias_of(&branch.parse().unwrap()).to_string();
    assert_eq!([alias("main"), alias("next"), alias("fix/typo")], ["live", "demo", "preview/fix/typo"]);
}
