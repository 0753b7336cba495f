//! What a parameter or a field may hold, as exactly as a schema can say it: the types of the domain know it, and the document of the
//! API is derived from those of HTTP, where each is a text or a number.

use super::page::LIMIT_MAX;
use super::told;
use crate::commands::LIMIT_MAX as LIMIT_MAX_OF_ORGANIZATIONS;
use events::building::{
    COMMAND_MAX, CRON_MAX, FOLDER_MAX, GLOB_MAX, GLOBS_MAX, KEEP_DAYS_MAX, KEEP_DEPLOYS_MAX, PREVIEW_DAYS_MAX,
    SCHEDULES_MAX,
};
use serde_json::{Value, json};

/// A name of a site or an organization.
const NAME: &str = "[a-z]([a-z0-9]|-(?=[a-z0-9])){0,29}";
/// An identity.
const ID: &str = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}";
/// A place in a list that is a number.
const NUMBER: &str = "^[0-9]{1,18}$";
/// Any text but one with NUL, which no address can hold.
const TEXT: &str = "^[^\\u0000]*$";
/// One line that says something.
const LINE: &str = "^[!-~]([ -~]*[!-~])?$";
/// A host's name.
const HOST: &str = r"^([a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?\.){1,3}[a-z]{2,20}$";
/// A path of a route.
const ROUTE: &str = "^/([A-Za-z0-9_-]{1,20}/?){0,10}$";
/// An address of a page.
const URL: &str = r"^https?://([a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?\.){1,3}[a-z]{2,20}(/[A-Za-z0-9._~-]{1,20}){0,9}/?(\?[a-z0-9=&]{1,20})?$";
/// Where a repository is, without credentials.
const REPOSITORY: &str =
    "^(https?|ssh|git|file)://[A-Za-z0-9._/-]+$|^/[A-Za-z0-9._/-]+$|^[A-Za-z0-9_-]+@[A-Za-z0-9.-]+:[A-Za-z0-9._/-]+$";
/// A folder of a repository, as most are called.
const FOLDER: &str = "^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$";
const GLOB: &str = "^[A-Za-z0-9_*-]+(/[A-Za-z0-9_*-]+)*$";
/// Lines of cron that name one time of a day. More can be said than a pattern tells: of some lines the moment never comes.
const CRON: &str = r"^([0-9]|[1-5][0-9]) ([0-9]|1[0-9]|2[0-3]) \* \* \*$";
/// Some time zones: the database of IANA has the others.
const ZONES: [&str; 3] = ["UTC", "Europe/London", "America/New_York"];
const COMMIT: &str = "^([0-9a-f]{40}|[0-9a-f]{64})$";
const DEPLOY: &str = "^[0-9a-v]{12}$";
/// A branch, as `git check-ref-format --branch` has it, but for its length, which is one in bytes.
const BRANCH: &str = concat!(
    r"^(?![-/.])(?!@$)(?!HEAD$)(?!.*(\.\.|@\{|//|/\.|\.lock$|\.lock/|/$|\.$))",
    r"[^\u0000-\u0020\u007f-\u00a0~^:?*\[\\]{1,60}$"
);
/// Entity tags, or a star (RFC 9110, 8.8.3 and 13.1). Commas may stand alone.
const TAGS: &str = concat!(
    r#"^([ \t]*\*[ \t]*|[ \t,]*((W/)?"[!#-~\u0080-\u00ff]*""#,
    r#"([ \t]*,[ \t,]*(W/)?"[!#-~\u0080-\u00ff]*")*[ \t,]*)?)$"#
);
/// Lists whose places are numbers, and those whose places are identities.
const BY_NUMBER: [&str; 4] = ["builds_list", "deploys_list", "events_of_site", "notices_list"];
const BY_ID: [&str; 7] = [
    "access_list",
    "identities_list",
    "members_invitations",
    "members_list",
    "receivers_list",
    "tokens_list",
    "users_list",
];

fn repository() -> Value {
    json!({ "minLength": 1, "maxLength": 500, "pattern": REPOSITORY })
}

fn place() -> Value {
    json!({ "pattern": format!("^({NAME}|{ID})$") })
}

/// What the parameter `name` of an operation may hold, which is `a_number` or a text.
fn parameter(operation: &str, name: &str, a_number: bool) -> Option<Value> {
    let pattern = |pattern: &str| Some(json!({ "pattern": pattern }));
    match (name, operation) {
        ("after", _) if a_number => Some(json!({ "format": "uint64", "maximum": u64::MAX })),
        ("limit", _) => Some(json!({ "minimum": 1, "maximum": LIMIT_MAX })),
        ("after", list) if BY_NUMBER.contains(&list) => pattern(NUMBER),
        ("after", list) if BY_ID.contains(&list) => pattern(&format!("^{ID}$")),
        ("site" | "organization", _) => Some(place()),
        ("branch", _) => pattern(BRANCH),
        ("id", "deploys_show" | "files_list" | "files_compare" | "files_text") | ("from", _) => pattern(DEPLOY),
        ("digest", _) => pattern("^[0-9a-f]{64}$"),
        ("name", "domains_show" | "domains_remove") | ("after", "domains_list") => pattern(HOST),
        ("name", _) => pattern("^[A-Za-z_][A-Za-z0-9_]{0,127}$"),
        ("alias", "aliases_remove") => pattern("^preview/[A-Za-z0-9_-]{1,60}$"),
        ("alias", _) => pattern("^(live|demo|preview/.+)$"),
        ("after", "routes_list") => pattern("^[^\\u0000/]*/[^\\u0000]*$"),
        ("after", "sites_list_deleted") => Some(json!({ "format": "date-time" })),
        ("after" | "search" | "actor" | "type", _) => pattern(TEXT),
        ("at", _) => Some(json!({ "anyOf": [{ "pattern": NUMBER }, { "format": "date-time" }] })),
        ("url", _) => pattern(URL),
        ("repository", _) => Some(repository()),
        ("path", "source_save" | "source_show") => {
            pattern("^[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*(/[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*)*$")
        }
        ("If-Match", "aliases_point") => Some(json!({ "type": "string", "pattern": "^\"[0-9a-v]{12}\"$" })),
        ("If-Match" | "If-None-Match", _) => Some(json!({ "type": "string", "pattern": TAGS })),
        ("Idempotency-Key", _) => {
            Some(json!({ "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" }))
        }
        ("host", _) => pattern(HOST),
        ("subject", _) => pattern("^[a-z]+/.+$"),
        _ => None,
    }
}

/// What the field `name` of a component may hold.
fn field(component: &str, name: &str) -> Option<Value> {
    let own = format!("^{NAME}$");
    let pattern = |pattern: &str| Some(json!({ "pattern": pattern }));
    match (component, name) {
        ("Wanted" | "WantedOrganization", "name") => Some(json!({ "type": "string", "pattern": own })),
        ("Wanted", "repository") => {
            Some(json!({ "type": "string", "minLength": 1, "maxLength": 500, "pattern": REPOSITORY }))
        }
        ("NewReceiver" | "ReceiverChange", "name") => pattern(LINE),
        ("NewSourceToken", "token") => pattern("^[!-~]+$"),
        ("NewSourceToken", "username") => Some(json!({ "minLength": 1, "maxLength": 100, "pattern": "^[!-9;-~]+$" })),
        ("Wanted" | "NewToken", "organization") | ("NewToken", "site") => Some(place()),
        ("Wanted" | "NewBuild" | "NewDeploy" | "SourceChange" | "SourceTip", "branch") | ("Wanted", "demo_branch") => {
            pattern(BRANCH)
        }
        ("NewBuild" | "SourceChange" | "SourceTip", "commit") => pattern(COMMIT),
        ("Target", "deploy" | "expected") => pattern(DEPLOY),
        ("NewInvitation" | "MemberRole", "role") => Some(json!({ "enum": ["manager", "user"] })),
        ("PlatformRole", "role") => Some(json!({ "enum": ["admin", "support", null] })),
        ("Wanted", "engine") => Some(json!({ "enum": ["static", "node.js", "hugo", "jekyll", "auto", null] })),
        ("Wanted", "base_directory" | "output_directory") => {
            Some(json!({ "maxLength": FOLDER_MAX, "pattern": FOLDER }))
        }
        ("Wanted", "command") => Some(json!({ "maxLength": COMMAND_MAX, "pattern": LINE })),
        ("Wanted", "size") => Some(json!({ "enum": ["standard", "large", null] })),
        ("Wanted", "network") => Some(json!({ "enum": ["none", "registries", "full", null] })),
        ("Wanted", "watch" | "ignore_branches") => {
            let glob = json!({ "type": "string", "maxLength": GLOB_MAX, "pattern": GLOB });
            Some(json!({ "items": glob, "maxItems": GLOBS_MAX }))
        }
        ("Wanted", "schedules") => Some(json!({ "maxItems": SCHEDULES_MAX })),
        ("Wanted", "preview_days") => Some(json!({ "minimum": 1, "maximum": PREVIEW_DAYS_MAX })),
        ("Wanted", "keep_deploys") => Some(json!({ "minimum": 1, "maximum": KEEP_DEPLOYS_MAX })),
        ("Wanted", "keep_days") => Some(json!({ "minimum": 0, "maximum": KEEP_DAYS_MAX })),
        ("NewSchedule", "branch") => pattern(BRANCH),
        ("NewSchedule", "cron") => Some(json!({ "maxLength": CRON_MAX, "pattern": CRON })),
        ("NewSchedule", "time_zone") => Some(json!({ "type": "string", "enum": ZONES })),
        ("NewInvitation", "email") => Some(json!({ "format": "email", "minLength": 3, "maxLength": 254 })),
        ("NewToken", "name") => pattern("^[A-Za-z0-9_-]{1,60}$"),
        ("NewToken", "scopes") => Some(
            json!({ "minItems": 1, "uniqueItems": true, "items": { "type": "string", "enum": ["read", "deploy", "manage"] } }),
        ),
        ("NewVariable", "contexts") => {
            Some(json!({ "items": { "type": "string", "enum": ["live", "demo", "preview"] } }))
        }
        ("LockReason", "reason") => pattern(LINE),
        ("NewDomain", "name" | "redirect_to") | ("NewRoute", "host") => pattern(HOST),
        ("NewRoute", "path" | "page") => pattern(ROUTE),
        ("NewRoute", "kind") => Some(json!({ "enum": ["exact", "prefix"] })),
        ("NewRoute", "action") => Some(json!({ "enum": ["site", "redirect", "gone", "backend"] })),
        ("NewRoute", "site") => Some(place()),
        ("NewRoute", "to") => pattern("^(/|https?://[a-z]+\\.example/)[a-z0-9/]*$"),
        ("NewRoute", "status") => Some(json!({ "enum": [301, 302, 307, 308, null] })),
        ("NewRoute", "segments") => Some(json!({ "enum": ["preserve", "ignore", null] })),
        ("NewRoute", "backend") => pattern("^https?://[a-z]+\\.example$"),
        ("OrganizationLimits", "sites" | "members" | "builds") => {
            Some(json!({ "maximum": LIMIT_MAX_OF_ORGANIZATIONS }))
        }
        _ => None,
    }
}

/// What a body has to have beside what its fields say: the type of it is that of another operation, too.
fn body(operation: &str) -> Option<Value> {
    match operation {
        "sites_create" | "organizations_create" => Some(json!({ "required": ["name"] })),
        "organizations_limit" => Some(json!({ "required": [] })),
        _ => None,
    }
}

fn narrow(schema: &mut Value, by: Option<Value>) {
    let (Some(schema), Some(Value::Object(by))) = (schema.as_object_mut(), by) else { return };
    schema.extend(by);
}

/// Narrows every parameter, field and body of a document.
pub(super) fn narrow_all(document: &mut Value) {
    for (component, schema) in members(document.pointer_mut("/components/schemas")) {
        for (name, property) in members(schema.get_mut("properties")) {
            narrow(property, field(component, name));
            told::narrow(component, name, property);
        }
    }
    let components = document["components"]["schemas"].clone();
    for (_, operation) in members(document.get_mut("paths")).flat_map(|(_, item)| members(Some(item))) {
        let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
        for one in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
            let name = one["name"].as_str().unwrap_or_default().to_owned();
            let a_number = one["schema"]["type"] == "integer";
            narrow(&mut one["schema"], parameter(&id, &name, a_number));
        }
        for (_, media) in members(operation.pointer_mut("/requestBody/content")) {
            let Some(more) = body(&id) else { continue };
            let named = media["schema"]["$ref"].as_str().and_then(|name| name.rsplit('/').next()).unwrap_or_default();
            let mut schema = components[named].clone();
            narrow(&mut schema, Some(more));
            media["schema"] = schema;
        }
    }
}

/// What an object has, if it is there and is one.
fn members(object: Option<&mut Value>) -> impl Iterator<Item = (&String, &mut Value)> {
    object.and_then(Value::as_object_mut).into_iter().flat_map(|object| object.iter_mut())
}
