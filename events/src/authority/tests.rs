//! The whole table: every role and every token × every command × an own organization, another one, and none.

use super::*;
use uuid::Uuid;

const COMMANDS: [Command; 33] = [
    Command::Read,
    Command::RequestBuild,
    Command::CancelBuild,
    Command::PointAlias,
    Command::PushSource,
    Command::Purge,
    Command::CreateSite,
    Command::ChangeSite,
    Command::DeleteSite,
    Command::RestoreSite,
    Command::LockSite,
    Command::ChangeReceivers,
    Command::RotateWebhookSecret,
    Command::ChangeBuildSecrets,
    Command::ShareSite,
    Command::CreateToken,
    Command::RevokeToken,
    Command::RenameOrganization,
    Command::ChangeMembers,
    Command::InvitePeople,
    Command::ChangeRoutes,
    Command::ChangeDomains,
    Command::CreateSignInLink,
    Command::ChangeIdentities,
    Command::CreateOrganization,
    Command::ChangePlatformRoles,
    Command::ErasePeople,
    Command::SuspendPeople,
    Command::SuspendOrganization,
    Command::LimitOrganization,
    Command::RouteHosts,
    Command::HandleParked,
    Command::CollectDeploys,
];

const ADA: UserId = UserId(Uuid::from_u128(1));
const OWN: OrganizationId = OrganizationId(Uuid::from_u128(2));
const OTHER: OrganizationId = OrganizationId(Uuid::from_u128(3));
const SITE: SiteId = SiteId(Uuid::from_u128(4));
const SISTER: SiteId = SiteId(Uuid::from_u128(5));
const FOREIGN: SiteId = SiteId(Uuid::from_u128(6));

fn person(platform: Option<PlatformRole>) -> Holder {
    Holder::person(ADA, platform)
}

fn token(holder: Holder, scope: Scope, organization: Option<OrganizationId>, site: Option<SiteId>) -> Holder {
    Holder { bounds: Bounds { scope, organization, site }, ..holder }
}

/// What each command comes to, in the order of [`COMMANDS`]: `+` may, `-` is forbidden, `s` waits for the end of
/// a suspension, `.` does not exist.
fn row(holder: &Holder, state: &State<'_>) -> String {
    let judged = COMMANDS.map(|command| match authorize(holder, command, state) {
        Ok(()) => '+',
        Err(Denial::Forbidden(rank)) if rank == command.takes() => '-',
        Err(Denial::Forbidden(_)) => '?',
        Err(Denial::Suspended) => 's',
        Err(Denial::Hidden) => '.',
    });
    judged.into_iter().collect()
}

#[test]
fn every_command_of_everybody_everywhere() {
    let none = Members::new();
    let as_role = |role| Members::from([(ADA, role)]);
    let (user, manager) = (as_role(Role::User), as_role(Role::Manager));
    let (admin, support) = (person(Some(PlatformRole::Admin)), person(Some(PlatformRole::Support)));
    let (ada, site_token) = (person(None), |scope| token(person(None), scope, Some(OWN), Some(SITE)));
    // Columns: the site, its organization, a sister site, another organization's site, that organization, the platform, their own.
    #[rustfmt::skip]
    let table = [
        ("a stranger", ada, &none,
            [".................................", ".................................", ".................................", ".................................", ".................................", "---------------------------------", "+++++++++++++++++++++++++++++++++"]),
        ("a user", ada, &user,
            ["++++++++++++++++-----------------", "++++++++++++++++-----------------", "++++++++++++++++-----------------", ".................................", ".................................", "---------------------------------", "+++++++++++++++++++++++++++++++++"]),
        ("a manager", ada, &manager,
            ["++++++++++++++++++++++-----------", "++++++++++++++++++++++-----------", "++++++++++++++++++++++-----------", ".................................", ".................................", "---------------------------------", "+++++++++++++++++++++++++++++++++"]),
        ("support", support, &none,
            ["+--------------------------------", "+--------------------------------", "+--------------------------------", "+--------------------------------", "+--------------------------------", "+--------------------------------", "+++++++++++++++++++++++++++++++++"]),
        ("support who is a user", support, &user,
            ["++++++++++++++++-----------------", "++++++++++++++++-----------------", "++++++++++++++++-----------------", "+--------------------------------", "+--------------------------------", "+--------------------------------", "+++++++++++++++++++++++++++++++++"]),
        ("an admin", admin, &none,
            ["+++++++++++++++++++++++++++++++++", "+++++++++++++++++++++++++++++++++", "+++++++++++++++++++++++++++++++++", "+++++++++++++++++++++++++++++++++", "+++++++++++++++++++++++++++++++++", "+++++++++++++++++++++++++++++++++", "+++++++++++++++++++++++++++++++++"]),
        ("the operator", Holder::OPERATOR, &none,
            ["+++++++++++++++++++++++++++++++++", "+++++++++++++++++++++++++++++++++", "+++++++++++++++++++++++++++++++++", "+++++++++++++++++++++++++++++++++", "+++++++++++++++++++++++++++++++++", "+++++++++++++++++++++++++++++++++", "+++++++++++++++++++++++++++++++++"]),
        ("an admin's token to read", token(admin, Scope::Read, None, None), &none,
            ["+--------------------------------", "+--------------------------------", "+--------------------------------", "+--------------------------------", "+--------------------------------", "+--------------------------------", "+--------------------------------"]),
        ("an admin's token to deploy", token(admin, Scope::Deploy, None, None), &none,
            ["++++++---------------------------", "++++++---------------------------", "++++++---------------------------", "++++++---------------------------", "++++++---------------------------", "++++++---------------------------", "++++++---------------------------"]),
        ("an admin's token for one organization", token(admin, Scope::Manage, Some(OWN), None), &none,
            ["+++++++++++++++++++++++++++++++++", "+++++++++++++++++++++++++++++++++", "+++++++++++++++++++++++++++++++++", ".................................", ".................................", "---------------------------------", "---------------------------------"]),
        ("a manager's token to deploy", token(ada, Scope::Deploy, None, None), &manager,
            ["++++++---------------------------", "++++++---------------------------", "++++++---------------------------", ".................................", ".................................", "---------------------------------", "++++++---------------------------"]),
        ("a user's token to manage", token(ada, Scope::Manage, Some(OWN), None), &user,
            ["++++++++++++++++-----------------", "++++++++++++++++-----------------", "++++++++++++++++-----------------", ".................................", ".................................", "---------------------------------", "---------------------------------"]),
        ("the token of one who has left", token(ada, Scope::Manage, Some(OWN), None), &none,
            [".................................", ".................................", ".................................", ".................................", ".................................", "---------------------------------", "---------------------------------"]),
        ("a site's token to read", site_token(Scope::Read), &manager,
            ["+--------------------------------", ".................................", ".................................", ".................................", ".................................", "---------------------------------", "---------------------------------"]),
        ("a site's token to deploy", site_token(Scope::Deploy), &manager,
            ["++++++---------------------------", ".................................", ".................................", ".................................", ".................................", "---------------------------------", "---------------------------------"]),
        ("a site's token to manage", site_token(Scope::Manage), &manager,
            ["++++++++++++++++++++++-----------", ".................................", ".................................", ".................................", ".................................", "---------------------------------", "---------------------------------"]),
    ];
    for (who, holder, members, expected) in table {
        for is_suspended in [false, true] {
            let own = Standing { members: members.clone(), is_suspended };
            let other = Standing { members: none.clone(), is_suspended };
            let states = [
                State::Site(SITE, OWN, &own),
                State::Organization(OWN, &own),
                State::Site(SISTER, OWN, &own),
                State::Site(FOREIGN, OTHER, &other),
                State::Organization(OTHER, &other),
                State::Platform,
                State::Own,
            ];
            let expected = std::array::from_fn(|place| {
                let of_organization = place < 5;
                if is_suspended && of_organization {
                    suspended(expected[place], &holder)
                } else {
                    expected[place].to_owned()
                }
            });
            assert_eq!(states.map(|state| row(&holder, &state)), expected, "{who}, suspended: {is_suspended}");
        }
    }
}

/// The same while the organization is suspended: who might change something waits, unless they are an admin.
fn suspended(expected: &str, holder: &Holder) -> String {
    if holder.platform == Some(PlatformRole::Admin) {
        return expected.to_owned();
    }
    let judged = COMMANDS.iter().zip(expected.chars());
    judged.map(|(command, judged)| if judged == '+' && *command != Command::Read { 's' } else { judged }).collect()
}

#[test]
fn a_denial_says_what_it_takes() {
    let members = Members::from([(ADA, Role::User)]);
    let standing = Standing { members, is_suspended: false };
    let denied = authorize(&person(None), Command::ChangeMembers, &State::Organization(OWN, &standing)).unwrap_err();
    assert_eq!(denied.to_string(), "this takes the role `manager` of the organization, and a token's scope `manage`");
}
