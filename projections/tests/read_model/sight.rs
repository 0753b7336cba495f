//! Every list is filtered by what whoever asks may know of.

use crate::database::{Database, facts};
use crate::fixture::{Story, commit, site_id};
use events::authority::Role;
use events::authority::Scope;
use events::event::{Invited, TokenGrant};
use events::{
    Digest, InvitationEvent, InvitationId, OrganizationEvent, OrganizationId, Recorded, RepositoryEvent, Sealed,
    TokenEvent, TokenId, UserId,
};
use projections::timeline::{About, Query};
use projections::{Model, Sight};
use uuid::Uuid;

const NORTH: OrganizationId = OrganizationId(Uuid::from_u128(1));
const SOUTH: OrganizationId = OrganizationId(Uuid::from_u128(2));

/// Two organizations with a site each, of the same repository, and a push that was built for both.
fn history() -> Vec<Recorded> {
    let mut story = Story::default();
    let mut history = vec![];
    for (id, name) in [(NORTH, "north"), (SOUTH, "south")] {
        history.push(story.tell(id, "token:ada", OrganizationEvent::Created { name: name.parse().unwrap() }));
    }
    history.extend([story.site_created_by(NORTH, "docs"), story.site_created_by(SOUTH, "blog")]);
    let push = RepositoryEvent::PushReceived {
        repository: "https://github.com/acme/docs".parse().unwrap(),
        branch: "main".parse().unwrap(),
        before: None,
        commit: commit(),
        summary: "Fix".to_owned(),
        delivery: "d-1".to_owned(),
        skip: false,
        paths: None,
        site: None,
        pull_request: None,
    };
    history.push(story.tell("github.com/acme/docs", "webhook:github", push));
    for name in ["docs", "blog"] {
        let build = story.next_build();
        history.push(story.queued(name, build, 5));
    }
    let user = UserId(Uuid::from_u128(7));
    history.push(story.tell(NORTH, "token:ada", OrganizationEvent::MemberAdded { user, role: Role::User }));
    history
}

async fn sequences(model: &Model, sight: &Sight, query: Query) -> Vec<u64> {
    let entries = model.events(&Query { limit: query.limit.max(10), ..query }, sight).await.unwrap();
    entries.into_iter().map(|entry| entry.sequence).collect()
}

#[tokio::test]
async fn an_organization_sees_its_own_sites_facts_and_the_pushes_that_began_their_stories() {
    let database = Database::new().await;
    let model = database.live();
    model.apply(&facts(&history())).await.unwrap();
    let members = |seen: &[OrganizationId]| Sight::Organizations { seen: seen.to_vec(), managed: vec![] };
    let (north, south) = (members(&[NORTH]), members(&[SOUTH]));
    for (sight, sites, organizations, told) in [
        (Sight::All, vec!["blog", "docs"], vec!["north", "south"], vec![1, 2, 3, 4, 5, 6, 7, 8]),
        (north.clone(), vec!["docs"], vec!["north"], vec![1, 3, 5, 6, 8]),
        (south, vec!["blog"], vec!["south"], vec![2, 4, 5, 7]),
        (members(&[NORTH, SOUTH]), vec!["blog", "docs"], vec!["north", "south"], (1..=8).collect()),
        (Sight::NOTHING, vec![], vec![], vec![]),
        (Sight::Site(site_id("docs")), vec!["docs"], vec![], vec![3, 5, 6]),
    ] {
        let listed = model.sites(&sight, "", 10, None).await.unwrap();
        assert_eq!(listed.iter().map(|site| site.name.as_str()).collect::<Vec<_>>(), sites, "{sight:?}");
        let owners = model.organizations(&sight, 10, None).await.unwrap();
        assert_eq!(owners.iter().map(|owner| owner.name.as_str()).collect::<Vec<_>>(), organizations, "{sight:?}");
        assert_eq!(sequences(&model, &sight, Query::default()).await, told, "{sight:?}");
    }
    let latest = model.latest_events(&Query { limit: 2, ..Query::default() }, &north).await.unwrap();
    assert_eq!(latest.iter().map(|entry| entry.sequence).collect::<Vec<_>>(), [8, 6]);
}

#[tokio::test]
async fn an_audit_asks_by_who_what_and_when() {
    let (database, history) = (Database::new().await, history());
    let model = database.live();
    model.apply(&facts(&history)).await.unwrap();
    let asked = async |about: About| sequences(&model, &Sight::All, Query { about, ..Query::default() }).await;
    let time = |sequence: usize| Some(history[sequence - 1].envelope.time);
    assert_eq!(asked(About { actor: Some("webhook:github".to_owned()), ..About::default() }).await, [5]);
    assert_eq!(asked(About { kind: Some("site.".to_owned()), ..About::default() }).await, [3, 4]);
    assert_eq!(asked(About { kind: Some("site.created.v1".to_owned()), ..About::default() }).await, [3, 4]);
    assert_eq!(asked(About { since: time(7), ..About::default() }).await, [7, 8]);
    assert_eq!(asked(About { until: time(3), ..About::default() }).await, [1, 2]);
}

/// An invitation that is withdrawn and a token that is revoked, of one organization.
fn people(story: &mut Story, organization: OrganizationId, number: u128) -> Vec<Recorded> {
    let invited = Invited {
        organization,
        role: Role::User,
        user: UserId(Uuid::from_u128(number)),
        email: Sealed::of(&[7; 50]),
        digest: Digest::of(b"link"),
        expires_at: time::OffsetDateTime::UNIX_EPOCH,
    };
    let grant = TokenGrant {
        name: "ci".parse().unwrap(),
        scopes: [Scope::Read].into(),
        organization: Some(organization),
        site: None,
        maker: None,
        digest: Digest::of(b"token"),
        expires_at: None,
    };
    let (invitation, token) = (InvitationId(Uuid::from_u128(number)), TokenId(Uuid::from_u128(number)));
    vec![
        story.tell(invitation, "token:ada", InvitationEvent::Created(invited)),
        story.tell(invitation, "token:ada", InvitationEvent::Withdrawn {}),
        story.tell(token, "token:ada", TokenEvent::Created(grant)),
        story.tell(token, "token:ada", TokenEvent::Revoked {}),
    ]
}

#[tokio::test]
async fn who_cares_for_an_organizations_people_sees_its_invitations_and_tokens_and_no_others() {
    let (database, mut story) = (Database::new().await, Story::default());
    let history = [people(&mut story, NORTH, 1), people(&mut story, SOUTH, 2)].concat();
    let model = database.live();
    model.apply(&facts(&history)).await.unwrap();
    let sight = |seen: &[OrganizationId], managed: &[OrganizationId]| Sight::Organizations {
        seen: seen.to_vec(),
        managed: managed.to_vec(),
    };
    for (sight, told) in [
        (sight(&[NORTH], &[NORTH]), vec![1, 2, 3, 4]),
        (sight(&[NORTH, SOUTH], &[SOUTH]), vec![5, 6, 7, 8]),
        (sight(&[NORTH, SOUTH], &[]), vec![]),
        (sight(&[NORTH, SOUTH], &[NORTH, SOUTH]).within(NORTH), vec![1, 2, 3, 4]),
        (Sight::Site(site_id("docs")), vec![]),
    ] {
        assert_eq!(sequences(&model, &sight, Query::default()).await, told, "{sight:?}");
    }
}
