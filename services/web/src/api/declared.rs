//! Which problems an operation may be answered with: by what it takes, by what its path names, and by what it does.

use std::collections::{BTreeMap, BTreeSet};
use utoipa::openapi::path::{HttpMethod, Operation, ParameterIn};
use utoipa::openapi::{ContentBuilder, ObjectBuilder, Ref, RefOr, Response, schema};

/// A status and codes that go with it.
type Codes = (u16, &'static [&'static str]);

/// Whatever is asked.
const ANY: &[Codes] = &[
    (401, &["unauthorized"]),
    (403, &["forbidden", "user_suspended"]),
    (429, &["too_many_guesses", "too_many_requests"]),
    (500, &["internal"]),
    (503, &["log_unavailable", "newer_facts", "read_model_unavailable"]),
];
/// What has parameters.
const PARAMETERS: &[Codes] = &[(422, &["invalid_input"])];
/// What has a part of its path for a parameter: a text that can be none is nobody's.
const PLACE: &[Codes] = &[(404, &["not_found"])];
/// What reads headers of its own.
const HEADERS: &[Codes] = &[(400, &["bad_header"])];
/// What has a body.
const BODY: &[Codes] = &[
    (400, &["malformed_payload"]),
    (408, &["body_too_slow"]),
    (413, &["body_too_large"]),
    (415, &["unsupported_media_type"]),
    (422, &["invalid_input"]),
    (429, &["too_many_bodies_of_one"]),
    (503, &["spool_unavailable", "too_many_bodies"]),
];
/// What changes something.
const COMMAND: &[Codes] = &[(403, &["organization_suspended"])];
/// What may be asked with a key.
const ONCE: &[Codes] = &[(409, &["request_under_way"]), (422, &["idempotency_key_reused"])];
/// What reads the store of files.
const STORE: &[Codes] = &[(503, &["store_unavailable"])];

/// What reads the files of a deploy.
const KEPT: &[Codes] = &[(410, &["deploy_collected"]), (503, &["store_unavailable"])];

/// What a part of a path names, and how it is said that it is not there.
const NAMED: &[(&str, &str)] = &[
    ("/builds/{id}", "build_not_found"),
    ("/deliveries/{id}", "not_found"),
    ("/deliveries/{notice}", "notice_not_found"),
    ("/deploys/{id}", "deploy_not_found"),
    ("/domains/{name}", "domain_not_found"),
    ("/events/{sequence}", "not_found"),
    ("/identities/{id}", "identity_not_found"),
    ("/invitations/{id}", "invitation_not_found"),
    ("/members/{user}", "member_not_found"),
    ("/organizations/{organization}", "organization_not_found"),
    ("/parked/{id}", "not_found"),
    ("/receivers/{id}", "receiver_not_found"),
    ("/routes/{id}", "route_not_found"),
    ("/sessions/{id}", "not_found"),
    ("/share-links/{id}", "share_link_not_found"),
    ("/sites/{site}", "site_not_found"),
    ("/tokens/{id}", "token_not_found"),
    ("/users/{id}", "user_not_found"),
];

/// What an operation has of its own.
const OWN: &[(&str, &[Codes])] = &[
    (
        "aliases_point",
        &[
            (404, &["deploy_not_found"]),
            (410, &["deploy_collected"]),
            (409, &["alias_moved", "deploy_not_synced", "site_locked"]),
        ],
    ),
    ("aliases_remove", &[(404, &["alias_not_found"])]),
    ("builds_cancel", &[(409, &["build_ended"])]),
    ("sites_delete", &[(409, &["site_locked"]), (412, &["site_changed"])]),
    ("sites_set_token", &[(422, &["source_token_needs_https"])]),
    ("domains_add", &[(409, &["domain_taken", "too_many_domains"]), (422, &["domain_reserved"])]),
    ("events_live", &[(404, &["site_not_found"]), (503, &["too_many_streams"])]),
    ("events_list", &[(404, &["site_not_found"])]),
    ("platform_collect", &[(404, &["site_not_found"]), (503, &["store_unavailable"])]),
    ("audit_list", &[(404, &["site_not_found"])]),
    ("audit_export", &[(404, &["site_not_found"])]),
    ("hosts_purge", &[(404, &["host_not_found", "site_not_found"])]),
    ("hosts_explain", &[(404, &["host_not_found"]), (503, &["store_unavailable"])]),
    ("files_compare", KEPT),
    ("files_list", KEPT),
    (
        "files_text",
        &[(404, &["file_not_found"]), (410, &["deploy_collected"]), (422, &["no_text"]), (503, &["store_unavailable"])],
    ),
    ("github_install", &[(409, &["github_not_connected", "github_refused"]), (503, &["github_unavailable"])]),
    ("github_repositories", &[(409, &["github_not_connected", "github_refused"]), (503, &["github_unavailable"])]),
    ("lock_lock", &[(409, &["site_locked"])]),
    ("builds_read", &[(503, &["store_unavailable", "too_many_streams"])]),
    ("me_link", &[(404, &["user_not_found"]), (410, &["link_over"])]),
    ("members_invite", &[(409, &["invitation_exists", "organization_full"])]),
    ("members_remove", &[(409, &["last_manager"])]),
    ("members_set", &[(404, &["user_not_found"]), (409, &["last_manager", "organization_full"])]),
    ("members_withdraw", &[(410, &["invitation_over"])]),
    ("notices_test", &[(409, &["receiver_exists"])]),
    ("organizations_change", &[(409, &["organization_exists"]), (412, &["organization_changed"])]),
    ("organizations_create", &[(409, &["organization_exists"])]),
    (
        "receivers_change",
        &[(409, &["receiver_exists"]), (412, &["receiver_changed"]), (422, &["receiver_not_allowed"])],
    ),
    ("receivers_create", &[(409, &["receiver_exists", "too_many_receivers"]), (422, &["receiver_not_allowed"])]),
    (
        "routes_add",
        &[
            (404, &["organization_not_found", "site_not_found"]),
            (409, &["route_taken"]),
            (422, &["backend_not_allowed"]),
        ],
    ),
    ("routes_import", &[(409, &["route_taken"]), (422, &["import_refused"])]),
    ("routes_list", &[(404, &["site_not_found"])]),
    ("routes_remove", &[(404, &["site_not_found"]), (409, &["route_taken"])]),
    ("access_create", &[(404, &["share_link_not_found"]), (409, &["too_many_share_links"])]),
    ("sites_restore", &[(409, &["organization_full", "site_exists", "site_name_retired"]), (410, &["site_erased"])]),
    (
        "sites_change",
        &[(409, &["site_exists", "site_name_retired"]), (412, &["site_changed"]), (422, &["repository_not_allowed"])],
    ),
    (
        "sites_create",
        &[
            (404, &["organization_not_found"]),
            (409, &["organization_full", "site_exists", "site_name_retired"]),
            (422, &["repository_not_allowed"]),
            (503, &["repository_unavailable"]),
            (507, &["repository_full"]),
        ],
    ),
    ("sites_check", &[(422, &["repository_not_allowed"])]),
    (
        "source_list",
        &[(404, &["branch_not_found"]), (409, &["repository_elsewhere"]), (503, &["repository_unavailable"])],
    ),
    (
        "source_publish",
        &[
            (404, &["branch_not_found"]),
            (409, &["branch_moved", "merge_conflict", "repository_elsewhere"]),
            (503, &["repository_unavailable"]),
        ],
    ),
    (
        "source_save",
        &[
            (404, &["branch_not_found", "file_not_found"]),
            (409, &["branch_moved", "repository_elsewhere"]),
            (422, &["no_text"]),
            (503, &["repository_unavailable"]),
            (507, &["repository_full"]),
        ],
    ),
    (
        "source_show",
        &[
            (404, &["branch_not_found", "file_not_found"]),
            (409, &["repository_elsewhere"]),
            (422, &["no_text"]),
            (503, &["repository_unavailable"]),
        ],
    ),
    ("deliveries_redeliver", &[(409, &["delivery_refused", "delivery_unmatched"])]),
    ("tokens_create", &[(404, &["organization_not_found", "site_not_found"]), (409, &["token_exists"])]),
    ("uploads_missing", STORE),
    ("uploads_publish", &[(409, &["upload_incomplete"]), (503, &["store_unavailable"])]),
    ("uploads_put", &[(422, &["upload_mismatch"]), (503, &["store_unavailable"])]),
    ("users_erase", &[(409, &["last_manager"])]),
    ("users_suspend", &[(409, &["own_suspension"])]),
    ("variables_set", &[(409, &["too_many_variables"]), (422, &["variable_reserved"])]),
];

/// The codes of each status that `operation` may be answered with.
fn codes(method: &HttpMethod, path: &str, operation: &Operation) -> BTreeMap<u16, BTreeSet<&'static str>> {
    let id = operation.operation_id.as_deref().unwrap_or_default();
    let parameters = operation.parameters.as_deref().unwrap_or_default();
    let headers = parameters.iter().any(|one| match one {
        RefOr::T(parameter) => parameter.parameter_in == ParameterIn::Header,
        RefOr::Ref(_) => false,
    });
    let rules = [
        (true, ANY),
        (!parameters.is_empty(), PARAMETERS),
        (path.contains('{'), PLACE),
        (headers || id.ends_with("_live") || id == "builds_read", HEADERS),
        (operation.request_body.is_some(), BODY),
        (*method != HttpMethod::Get, COMMAND),
        (*method == HttpMethod::Post, ONCE),
    ];
    let own = OWN.iter().filter(|(of, _)| *of == id).map(|(_, codes)| *codes);
    let ruled = rules.into_iter().filter(|(holds, _)| *holds).map(|(_, codes)| codes);
    let mut all: BTreeMap<u16, BTreeSet<&'static str>> = BTreeMap::new();
    for (status, codes) in ruled.chain(own).flatten() {
        all.entry(*status).or_default().extend(*codes);
    }
    let missing = NAMED.iter().filter(|(part, _)| path.contains(part)).map(|(_, code)| *code);
    for code in missing {
        all.entry(404).or_default().insert(code);
    }
    all
}

/// Declares each problem that an operation may be answered with, and that there may be others: a proxy on the way has its own.
pub(super) fn declare(method: &HttpMethod, path: &str, operation: &mut Operation) {
    for (status, codes) in codes(method, path, operation) {
        let told = codes.iter().map(|code| format!("`{code}`")).collect::<Vec<_>>().join(", ");
        let code = ObjectBuilder::new().schema_type(schema::Type::String).enum_values(Some(codes));
        let narrowed = ObjectBuilder::new().property("code", code);
        let schema = schema::AllOfBuilder::new().item(Ref::from_schema_name("Problem")).item(narrowed);
        let response = problem(&told, Some(schema.into()));
        operation.responses.responses.insert(status.to_string(), response.into());
    }
    let any = problem("Why it led to nothing", Some(Ref::from_schema_name("Problem").into()));
    operation.responses.responses.insert("default".to_owned(), any.into());
}

fn problem(told: &str, schema: Option<RefOr<schema::Schema>>) -> Response {
    let mut response = Response::new(told);
    let content = ContentBuilder::new().schema(schema).build();
    response.content.insert("application/problem+json".to_owned(), content.into());
    response
}

#[cfg(test)]
mod tests {
    use super::{ANY, BODY, COMMAND, Codes, HEADERS, NAMED, ONCE, OWN, PARAMETERS, PLACE};
    use std::collections::BTreeSet;

    fn declared() -> impl Iterator<Item = Codes> {
        let own = OWN.iter().flat_map(|(_, codes)| codes.iter());
        [ANY, PARAMETERS, PLACE, HEADERS, BODY, COMMAND, ONCE].into_iter().flatten().chain(own).copied()
    }

    #[test]
    fn every_code_goes_with_the_status_that_it_has() {
        let known = crate::problem::tests::statuses();
        for (status, codes) in declared() {
            for code in codes {
                assert_eq!(known.get(code), Some(&status), "{code}");
            }
        }
        for (_, code) in NAMED {
            assert_eq!(known.get(code), Some(&404), "{code}");
        }
    }

    #[test]
    fn what_an_operation_has_of_its_own_is_of_an_operation() {
        let document = super::super::openapi();
        let operations = document["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap());
        let names: BTreeSet<String> =
            operations.map(|(_, operation)| operation["operationId"].as_str().unwrap().to_owned()).collect();
        for (name, _) in OWN {
            assert!(names.contains(*name), "{name} is none of {names:?}");
        }
    }
}
