//! One JSON object per line, with the trace it belongs to.

use super::TRACER_FIELDS;
use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt;
use serde::Serialize;
use serde_json::{Map, Value};
use std::fmt;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{JsonFields, Writer};
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

/// Fields of records that came from the `log` crate, and the one of them worth keeping.
const LOG_FIELDS: &str = "log.";
const LOG_TARGET: &str = "log.target";

pub(super) struct JsonLines {
    pub(super) service: String,
}

#[derive(Serialize)]
struct Line<'a> {
    timestamp: String,
    level: &'static str,
    service: &'a str,
    target: &'a str,
    message: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    span_id: Option<String>,
    fields: Map<String, Value>,
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> FormatEvent<S, JsonFields> for JsonLines {
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = span_fields(context);
        event.record(&mut Fields(&mut fields));
        let message = fields.remove("message").unwrap_or_else(|| Value::from(""));
        let target = fields.remove(LOG_TARGET);
        fields.retain(|name, _| !name.starts_with(TRACER_FIELDS) && !name.starts_with(LOG_FIELDS));
        let mut timestamp = String::new();
        SystemTime.format_time(&mut Writer::new(&mut timestamp))?;
        let trace = Context::current().span().span_context().clone();
        let line = Line {
            timestamp,
            level: event.metadata().level().as_str(),
            service: &self.service,
            target: target.as_ref().and_then(Value::as_str).unwrap_or(event.metadata().target()),
            message,
            trace_id: trace.is_valid().then(|| trace.trace_id().to_string()),
            span_id: trace.is_valid().then(|| trace.span_id().to_string()),
            fields,
        };
        writeln!(writer, "{}", serde_json::to_string(&line).map_err(|_| fmt::Error)?)
    }
}

/// What the spans around an event say, the innermost last.
fn span_fields<S>(context: &FmtContext<'_, S, JsonFields>) -> Map<String, Value>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let mut fields = Map::new();
    for span in context.event_scope().into_iter().flat_map(|scope| scope.from_root()) {
        if let Some(formatted) = span.extensions().get::<FormattedFields<JsonFields>>()
            && let Ok(more) = serde_json::from_str::<Map<String, Value>>(&formatted.fields)
        {
            fields.extend(more);
        }
    }
    fields
}

struct Fields<'a>(&'a mut Map<String, Value>);

impl Fields<'_> {
    fn insert(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.insert(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.insert(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.insert(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.insert(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.insert(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.insert(field, value);
    }

    /// The whole chain: an error is logged once, where it ends.
    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let chain = std::iter::successors(Some(value), |error| error.source());
        self.insert(field, chain.map(ToString::to_string).collect::<Vec<_>>().join(": "));
    }
}
