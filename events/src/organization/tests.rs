use super::*;
use crate::aggregate::story::given;

fn name(text: &str) -> OrganizationName {
    text.parse().unwrap()
}

fn created() -> OrganizationEvent {
    OrganizationEvent::Created { name: name("acme") }
}

fn renamed(from: &str, to: &str) -> OrganizationEvent {
    OrganizationEvent::Renamed { name: name(to), previous: name(from) }
}

fn rename(to: &str, seen: u64) -> Command {
    Command::Rename { name: name(to), seen }
}

#[test]
fn an_organization_is_created_once() {
    let create = || Command::Create { name: name("acme") };
    given::<Organization>([]).when(create()).then([created()]);
    given::<Organization>([created()]).when(create()).then([]);
}

#[test]
fn an_organization_gets_another_name_and_the_same_again_states_nothing() {
    given::<Organization>([created()]).when(rename("apex", 1)).then([renamed("acme", "apex")]);
    given::<Organization>([created(), renamed("acme", "apex")]).when(rename("apex", 2)).then([]);
    given::<Organization>([created(), renamed("acme", "apex")]).when(rename("acme", 2)).then([renamed("apex", "acme")]);
}

#[test]
fn who_has_not_seen_the_present_name_does_not_change_it() {
    let history = [created(), renamed("acme", "apex")];
    given::<Organization>(history)
        .when(rename("summit", 1))
        .refuses(Refusal::OrganizationChanged { seen: 1, version: 2 });
}

#[test]
fn members_come_change_and_go() {
    let [ada, ben] = [1, 2].map(|number| UserId(uuid::Uuid::from_u128(number)));
    let added = |user, role| OrganizationEvent::MemberAdded { user, role };
    let set = |user, role| Command::SetMember { user, role };
    let promoted = OrganizationEvent::MemberRoleChanged { user: ben, role: Role::Manager, previous: Role::User };
    given::<Organization>([created()]).when(set(ada, Role::Manager)).then([added(ada, Role::Manager)]);
    let both = || [created(), added(ada, Role::Manager), added(ben, Role::User)];
    given::<Organization>(both()).when(set(ben, Role::User)).then([]);
    given::<Organization>(both()).when(set(ben, Role::Manager)).then([promoted]);
    given::<Organization>(both())
        .when(Command::RemoveMember { user: ben })
        .then([OrganizationEvent::MemberRemoved { user: ben, role: Role::User }]);
    given::<Organization>([created()]).when(Command::RemoveMember { user: ben }).then([]);
}

#[test]
fn whoever_has_members_keeps_a_manager() {
    let [ada, ben] = [1, 2].map(|number| UserId(uuid::Uuid::from_u128(number)));
    let added = |user, role| OrganizationEvent::MemberAdded { user, role };
    let both = || [created(), added(ada, Role::Manager), added(ben, Role::User)];
    let demote = Command::SetMember { user: ada, role: Role::User };
    given::<Organization>(both()).when(demote).refuses(Refusal::LastManager);
    given::<Organization>(both()).when(Command::RemoveMember { user: ada }).refuses(Refusal::LastManager);
    let forgotten = OrganizationEvent::MemberRemoved { user: ada, role: Role::Manager };
    given::<Organization>(both()).when(Command::ForgetMember { user: ada }).then([forgotten]);
    let alone = [created(), added(ada, Role::Manager)];
    let gone = OrganizationEvent::MemberRemoved { user: ada, role: Role::Manager };
    given::<Organization>(alone).when(Command::RemoveMember { user: ada }).then([gone]);
}

#[test]
fn what_nobody_created_has_no_name_to_change() {
    given::<Organization>([]).when(rename("apex", 0)).refuses(Refusal::OrganizationNotFound);
}

#[test]
fn a_suspended_organization_says_why_until_it_is_reinstated() {
    let suspended = |reason: &str| OrganizationEvent::Suspended { reason: reason.to_owned() };
    let suspend = |reason: &str| Command::Suspend { reason: reason.to_owned() };
    given::<Organization>([created()]).when(suspend("unpaid")).then([suspended("unpaid")]);
    given::<Organization>([created(), suspended("unpaid")]).when(suspend("unpaid")).then([]);
    given::<Organization>([created(), suspended("unpaid")]).when(suspend("audit")).then([suspended("audit")]);
    given::<Organization>([created(), suspended("unpaid")])
        .when(Command::Reinstate)
        .then([OrganizationEvent::Reinstated {}]);
    given::<Organization>([created()]).when(Command::Reinstate).then([]);
}

#[test]
fn who_is_a_member_stays_one_when_the_limit_comes_and_nobody_joins() {
    let [ada, ben] = [1, 2].map(|number| UserId(uuid::Uuid::from_u128(number)));
    let limits = OrganizationLimits { members: Some(1), ..OrganizationLimits::default() };
    let history = || {
        let ada = OrganizationEvent::MemberAdded { user: ada, role: Role::Manager };
        [created(), ada, OrganizationEvent::LimitsChanged { limits }]
    };
    given::<Organization>([created()]).when(Command::Limit(limits)).then([OrganizationEvent::LimitsChanged { limits }]);
    given::<Organization>(history()).when(Command::Limit(limits)).then([]);
    let join = |user| Command::SetMember { user, role: Role::Manager };
    given::<Organization>(history()).when(join(ada)).then([]);
    given::<Organization>(history()).when(join(ben)).refuses(Refusal::OrganizationFull { of: "members", max: 1 });
}

#[test]
fn nobody_loses_the_sites_of_a_sandbox_without_a_notice() {
    use OrganizationEvent::{CleanUpAnnounced, CleanedUp, SandboxBegun, SandboxEnded};
    let day = |number: i64| OffsetDateTime::UNIX_EPOCH + Duration::days(number);
    let begun = |days, until| SandboxBegun(Sandbox { days, clean_up_at: day(until) });
    let sandbox = || [created(), begun(90, 90)];
    given::<Organization>([created()]).when(Command::BeginSandbox { days: 90, now: day(0) }).then([begun(90, 90)]);
    given::<Organization>(sandbox()).when(Command::BeginSandbox { days: 90, now: day(50) }).then([]);
    given::<Organization>(sandbox()).when(Command::BeginSandbox { days: 30, now: day(50) }).then([begun(30, 80)]);
    let announce = |number| Command::AnnounceCleanUp { now: day(number) };
    let clean_up = |number| Command::CleanUp { now: day(number) };
    let announced = |until| CleanUpAnnounced { clean_up_at: day(until) };
    given::<Organization>(sandbox()).when(announce(82)).refuses(Refusal::CleanUpNotDue);
    given::<Organization>(sandbox()).when(announce(83)).then([announced(90)]);
    // Whoever was told late has as long as any other.
    given::<Organization>(sandbox()).when(announce(100)).then([announced(107)]);
    given::<Organization>(sandbox()).when(clean_up(100)).refuses(Refusal::CleanUpNotDue);
    let told = || [created(), begun(90, 90), announced(107)];
    given::<Organization>(told()).when(announce(101)).then([]);
    given::<Organization>(told()).when(clean_up(106)).refuses(Refusal::CleanUpNotDue);
    given::<Organization>(told()).when(clean_up(108)).then([CleanedUp { clean_up_at: day(198) }]);
    given::<Organization>(told()).when(Command::EndSandbox).then([SandboxEnded {}]);
    let over = [created(), begun(90, 90), announced(107), SandboxEnded {}];
    given::<Organization>(over).when(clean_up(108)).refuses(Refusal::CleanUpNotDue);
    // One that is deleted more often than the notice is long is told at once.
    given::<Organization>([created(), begun(2, 2)]).when(announce(0)).then([announced(2)]);
    given::<Organization>([created()]).when(announce(0)).refuses(Refusal::CleanUpNotDue);
}
