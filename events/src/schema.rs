//! The contract, generated from the fact enums: a JSON Schema for each fact and version, and an AsyncAPI document.

use crate::envelope::SCHEMAS_URL;
use crate::event::TYPE_PREFIX;
use crate::{
    AliasEvent, BuildEvent, DeployEvent, DomainEvent, HandleEvent, HostEvent, IdentityEvent, InvitationEvent,
    NoticeEvent, OrganizationEvent, ReceiverEvent, RepositoryEvent, RouteEvent, SiteEvent, TokenEvent, UserEvent,
    subject,
};
use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The JSON Schema (draft 2020-12) of every fact, by its name (`build.finished.v1`).
#[must_use]
pub fn facts() -> BTreeMap<String, Value> {
    let mut schemas = BTreeMap::new();
    collect::<OrganizationEvent>("organization", &mut schemas);
    collect::<HandleEvent>("handle", &mut schemas);
    collect::<UserEvent>("user", &mut schemas);
    collect::<InvitationEvent>("invitation", &mut schemas);
    collect::<IdentityEvent>("identity", &mut schemas);
    collect::<TokenEvent>("token", &mut schemas);
    collect::<SiteEvent>("site", &mut schemas);
    collect::<ReceiverEvent>("receiver", &mut schemas);
    collect::<NoticeEvent>("notice", &mut schemas);
    collect::<HostEvent>("host", &mut schemas);
    collect::<RouteEvent>("route", &mut schemas);
    collect::<DomainEvent>("domain", &mut schemas);
    collect::<RepositoryEvent>("repository", &mut schemas);
    collect::<BuildEvent>("build", &mut schemas);
    collect::<DeployEvent>("deploy", &mut schemas);
    collect::<AliasEvent>("alias", &mut schemas);
    schemas
}

/// Splits the schema of an externally tagged enum into one schema per variant.
fn collect<T: JsonSchema>(aggregate: &str, schemas: &mut BTreeMap<String, Value>) {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let whole = SchemaGenerator::new(settings).into_root_schema_for::<T>().to_value();
    for variant in whole["oneOf"].as_array().into_iter().flatten() {
        for (fact, payload) in variant["properties"].as_object().into_iter().flatten() {
            let name = format!("{aggregate}.{fact}");
            let mut schema = Map::new();
            schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
            schema.insert("$id".to_owned(), json!(format!("{SCHEMAS_URL}/{name}.json")));
            schema.insert("title".to_owned(), json!(format!("{TYPE_PREFIX}.{name}")));
            schema.insert("description".to_owned(), variant["description"].clone());
            schema.extend(payload.as_object().cloned().unwrap_or_default());
            // Readers tolerate fields that a newer writer adds.
            schema.remove("additionalProperties");
            schemas.insert(name, Value::Object(schema));
        }
    }
}

/// The AsyncAPI 3.0 document: one channel per aggregate, one message per fact.
#[must_use]
pub fn asyncapi() -> Value {
    let mut channels: BTreeMap<String, Value> = BTreeMap::new();
    let mut messages = Map::new();
    for (name, schema) in facts() {
        let aggregate = name.split('.').next().unwrap_or_default().to_owned();
        let channel = channels.entry(aggregate.clone()).or_insert_with(|| {
            let id = json!({ "description": "Percent-encoded aggregate id." });
            json!({ "address": subject::events_of(&aggregate).replace('*', "{id}"), "parameters": { "id": id }, "messages": {} })
        });
        channel["messages"][&name] = json!({ "$ref": format!("#/components/messages/{name}") });
        let message = json!({
            "name": format!("{TYPE_PREFIX}.{name}"),
            "summary": schema["description"],
            "contentType": crate::envelope::CONTENT_TYPE,
            "headers": { "$ref": "#/components/schemas/cloudevent" },
            "payload": { "schemaFormat": "application/schema+json;version=draft-2020-12", "schema": { "$ref": format!("events/{name}.json") } },
        });
        messages.insert(name, message);
    }
    let operations: Map<String, Value> = channels
        .keys()
        .map(|aggregate| {
            let operation = json!({ "action": "receive", "channel": { "$ref": format!("#/channels/{aggregate}") } });
            (format!("{aggregate}_facts"), operation)
        })
        .collect();
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Pagefold events",
            "version": "1",
            "description": "CloudEvents 1.0 in binary mode over NATS headers, on the JetStream stream EVENTS. Every context attribute is a header `ce-<name>`.",
        },
        "defaultContentType": crate::envelope::CONTENT_TYPE,
        "channels": channels,
        "operations": operations,
        "components": { "messages": messages, "schemas": { "cloudevent": headers() } },
    })
}

fn headers() -> Value {
    let text = |description: &str| json!({ "type": "string", "description": description });
    json!({
        "type": "object",
        "required": ["ce-specversion", "ce-id", "ce-source", "ce-type", "ce-subject", "ce-time", "ce-correlationid", "ce-actor"],
        "properties": {
            "ce-specversion": { "const": crate::envelope::SPEC_VERSION },
            "ce-id": text("UUIDv7, or UUIDv5 when derived from a cause; equals Nats-Msg-Id."),
            "ce-source": text("The service that stated the fact: /pagefold/<service>."),
            "ce-type": text("dev.pagefold.<aggregate>.<fact>.v<major>"),
            "ce-subject": text("The aggregate's id."),
            "ce-time": text("RFC 3339, UTC."),
            "ce-datacontenttype": { "const": crate::envelope::CONTENT_TYPE },
            "ce-dataschema": text("URL of the payload's JSON Schema."),
            "ce-correlationid": text("The fact the whole story goes back to."),
            "ce-causationid": text("The fact that led to this one."),
            "ce-actor": text("Who is behind it."),
            "ce-traceparent": text("W3C trace context of the story's start."),
            "ce-tracestate": text("W3C trace state of the story's start."),
        },
    })
}
