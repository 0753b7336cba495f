use super::*;
use std::collections::BTreeMap;

fn every_refusal() -> Vec<Refusal> {
    let deploy: events::DeployId = "0123456789ab".parse().unwrap();
    let alias = events::AliasName::Live;
    vec![
        Refusal::SiteExists,
        Refusal::SiteNameRetired,
        Refusal::SiteChanged { seen: 1, version: 2 },
        Refusal::OrganizationExists,
        Refusal::OrganizationChanged { seen: 1, version: 2 },
        Refusal::OrganizationNotFound,
        Refusal::OrganizationSuspended { reason: "unpaid".to_owned() },
        Refusal::OrganizationFull { of: "sites", max: 3 },
        Refusal::CleanUpNotDue,
        Refusal::UserSuspended { reason: "left".to_owned() },
        Refusal::OwnSuspension,
        Refusal::LastManager,
        Refusal::MemberNotFound,
        Refusal::UserNotFound,
        Refusal::InvitationNotFound,
        Refusal::InvitationExists,
        Refusal::InvitationOver,
        Refusal::IdentityTaken,
        Refusal::IdentityNotFound,
        Refusal::TokenExists,
        Refusal::TokenNotFound,
        Refusal::ReceiverExists,
        Refusal::ReceiverNotFound,
        Refusal::ReceiverChanged { seen: 1, version: 2 },
        Refusal::TooManyReceivers,
        Refusal::NoticeNotFound,
        Refusal::RouteTaken { route: events::RouteId(uuid::Uuid::nil()) },
        Refusal::RouteNotFound,
        Refusal::DomainTaken,
        Refusal::DomainNotFound,
        Refusal::DomainReserved,
        Refusal::TooManyDomains,
        Refusal::ShareLinkNotFound,
        Refusal::TooManyShareLinks,
        Refusal::SiteNotFound,
        Refusal::SiteErased,
        Refusal::SourceTokenNeedsHttps,
        Refusal::VariableReserved("PATH".parse().unwrap()),
        Refusal::TooManyVariables,
        Refusal::BuildNotFound,
        Refusal::BuildEnded,
        Refusal::BuildNotDispatched,
        Refusal::AttemptSuperseded { attempt: 1, current: 2 },
        Refusal::BuildNotEnded,
        Refusal::DeployNotSynced,
        Refusal::DeployCollected,
        Refusal::DeployNotFound(deploy),
        Refusal::OlderBuild { alias: alias.clone(), number: 1 },
        Refusal::AliasMoved { alias: alias.clone(), current: None },
        Refusal::SiteLocked { reason: "audit".to_owned() },
        Refusal::AliasNotFound(alias),
    ]
}

fn every_problem() -> Vec<Problem> {
    let log = runtime::Error::Contended { subject: "events.site.docs".into() };
    let store = storage::Error::Unconditional { endpoint: String::new() };
    let mut all: Vec<Problem> = every_refusal().into_iter().map(Problem::Refused).collect();
    all.extend([
        Problem::InvalidInput(String::new()),
        Problem::RepositoryNotAllowed(NotAllowed::Never),
        Problem::ReceiverNotAllowed(NotAllowed::Never),
        Problem::BackendNotAllowed(Unreached::Own),
        Problem::MalformedPayload(String::new()),
        Problem::UnsupportedMediaType("application/json"),
        Problem::ImportRefused(1, String::new()),
        Problem::BodyTooLarge(1),
        Problem::BodyTooSlow,
        Problem::TooManyBodies,
        Problem::TooManyBodiesOfOne,
        Problem::SpoolUnavailable(std::io::ErrorKind::StorageFull.into()),
        Problem::TooManyGuesses(Duration::from_millis(5100)),
        Problem::BadHeader("X"),
        Problem::KeyReused,
        Problem::RequestUnderWay,
        Problem::BadSignature,
        Problem::DeliveryUnmatched,
        Problem::DeliveryRefused,
        Problem::RepositoryElsewhere,
        Problem::RepositoryFull,
        Problem::RepositoryUnavailable("away".into()),
        Problem::BranchNotFound("next".parse().unwrap()),
        Problem::BranchMoved("next".parse().unwrap()),
        Problem::MergeConflict("next".parse().unwrap()),
        Problem::FileNotFound,
        Problem::NoText(1),
        Problem::UploadMismatch,
        Problem::UploadIncomplete(1),
        Problem::Unauthorized,
        Problem::Forbidden(Rank::Read),
        Problem::LinkOver,
        Problem::TooManyRequests(Duration::from_secs(1)),
        Problem::SignInFailed,
        Problem::NotInvited,
        Problem::ProviderUnavailable("silent".into()),
        Problem::GithubNotConnected,
        Problem::GithubRefused(StatusCode::FORBIDDEN),
        Problem::GithubUnavailable("silent".into()),
        Problem::CrossSite,
        Problem::StaleForm,
        Problem::HostNotFound,
        Problem::NotFound,
        Problem::MethodNotAllowed,
        Problem::TooManyStreams,
        Problem::LogUnavailable(log),
        Problem::NewerFacts(runtime::Error::Newer { sequence: 1, type_name: String::new() }),
        Problem::ReadModelUnavailable(projections::Error::RebuildRunning),
        Problem::StoreUnavailable(store),
        Problem::Internal("unlucky".into()),
    ]);
    all
}

/// Every code there is, and the status of its answers.
const CODES: &[(&str, u16)] = &[
    ("alias_moved", 409),
    ("alias_not_found", 404),
    ("attempt_superseded", 409),
    ("backend_not_allowed", 422),
    ("bad_header", 400),
    ("bad_signature", 401),
    ("body_too_large", 413),
    ("body_too_slow", 408),
    ("branch_moved", 409),
    ("branch_not_found", 404),
    ("build_ended", 409),
    ("build_not_dispatched", 409),
    ("build_not_ended", 409),
    ("build_not_found", 404),
    ("clean_up_not_due", 409),
    ("cross_site", 403),
    ("delivery_refused", 409),
    ("delivery_unmatched", 409),
    ("deploy_collected", 410),
    ("deploy_not_found", 404),
    ("deploy_not_synced", 409),
    ("domain_not_found", 404),
    ("domain_reserved", 422),
    ("domain_taken", 409),
    ("file_not_found", 404),
    ("forbidden", 403),
    ("github_not_connected", 409),
    ("github_refused", 409),
    ("github_unavailable", 503),
    ("host_not_found", 404),
    ("idempotency_key_reused", 422),
    ("identity_not_found", 404),
    ("identity_taken", 409),
    ("import_refused", 422),
    ("internal", 500),
    ("invalid_input", 422),
    ("invitation_exists", 409),
    ("invitation_not_found", 404),
    ("invitation_over", 410),
    ("last_manager", 409),
    ("link_over", 410),
    ("log_unavailable", 503),
    ("malformed_payload", 400),
    ("member_not_found", 404),
    ("merge_conflict", 409),
    ("method_not_allowed", 405),
    ("newer_facts", 503),
    ("no_text", 422),
    ("not_found", 404),
    ("not_invited", 403),
    ("notice_not_found", 404),
    ("older_build", 409),
    ("organization_changed", 412),
    ("organization_exists", 409),
    ("organization_full", 409),
    ("organization_not_found", 404),
    ("organization_suspended", 403),
    ("own_suspension", 409),
    ("provider_unavailable", 503),
    ("read_model_unavailable", 503),
    ("receiver_changed", 412),
    ("receiver_exists", 409),
    ("receiver_not_allowed", 422),
    ("receiver_not_found", 404),
    ("repository_elsewhere", 409),
    ("repository_full", 507),
    ("repository_not_allowed", 422),
    ("repository_unavailable", 503),
    ("request_under_way", 409),
    ("route_not_found", 404),
    ("route_taken", 409),
    ("share_link_not_found", 404),
    ("sign_in_failed", 400),
    ("site_changed", 412),
    ("site_erased", 410),
    ("site_exists", 409),
    ("site_locked", 409),
    ("site_name_retired", 409),
    ("site_not_found", 404),
    ("source_token_needs_https", 422),
    ("spool_unavailable", 503),
    ("stale_form", 403),
    ("store_unavailable", 503),
    ("token_exists", 409),
    ("token_not_found", 404),
    ("too_many_bodies", 503),
    ("too_many_bodies_of_one", 429),
    ("too_many_domains", 409),
    ("too_many_guesses", 429),
    ("too_many_receivers", 409),
    ("too_many_requests", 429),
    ("too_many_share_links", 409),
    ("too_many_streams", 503),
    ("too_many_variables", 409),
    ("unauthorized", 401),
    ("unsupported_media_type", 415),
    ("upload_incomplete", 409),
    ("upload_mismatch", 422),
    ("user_not_found", 404),
    ("user_suspended", 403),
    ("variable_reserved", 422),
];

/// The status of each code.
pub(crate) fn statuses() -> BTreeMap<&'static str, u16> {
    CODES.iter().copied().collect()
}

#[test]
fn every_problem_has_its_code_and_status() {
    let table: BTreeMap<&str, u16> =
        every_problem().iter().map(|problem| (problem.kind().0, problem.kind().1.as_u16())).collect();
    assert_eq!(table, BTreeMap::from_iter(CODES.iter().copied()));
    assert_eq!(table.len(), every_problem().len(), "a code means one thing");
}

#[test]
fn every_code_is_explained() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/problems.md");
    let text = std::fs::read_to_string(path).unwrap();
    let headings = text.lines().filter_map(|line| line.strip_prefix("## "));
    let explained: Vec<&str> = headings.map(|heading| heading.trim_matches('`')).collect();
    let mut codes: Vec<&str> = every_problem().iter().map(|problem| problem.kind().0).collect();
    codes.sort();
    assert_eq!(explained, codes, "one section per code, in alphabetical order");
}

#[test]
fn a_problem_says_when_to_ask_again_and_how_to_prove_oneself() {
    let busy = Problem::TooManyStreams.into_response();
    assert_eq!(busy.headers()[header::RETRY_AFTER], "5");
    let guessed = Problem::TooManyGuesses(Duration::from_millis(5100)).into_response();
    assert_eq!(guessed.headers()[header::RETRY_AFTER], "6");
    assert_eq!(busy.headers()[header::CONTENT_TYPE], "application/problem+json");
    assert_eq!(Problem::Unauthorized.into_response().headers()[header::WWW_AUTHENTICATE], "Bearer");
    assert!(!Problem::BadSignature.into_response().headers().contains_key(header::WWW_AUTHENTICATE));
}
