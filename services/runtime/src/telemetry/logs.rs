//! How a log line looks: one for people, one for machines. Time is UTC in both.

mod json;

use super::Error;
use json::JsonLines;
use std::fmt;
use std::io::IsTerminal;
use std::str::FromStr;
use tracing::Subscriber;
use tracing::field::{Field, Visit};
use tracing_subscriber::field::{RecordFields, VisitOutput};
use tracing_subscriber::fmt::format::{DefaultVisitor, JsonFields, Writer};
use tracing_subscriber::fmt::{FormatFields, MakeWriter};
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;

/// Fields that instruct the tracer and mean nothing to a reader.
const TRACER_FIELDS: &str = "otel.";

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// One short line per event, for people.
    #[default]
    Text,
    /// One JSON object per line: `timestamp`, `level`, `service`, `target`, `message`, `trace_id` and `span_id` inside
    /// a span, and `fields` of the event and the spans around it.
    Json,
}

impl FromStr for LogFormat {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            other => Err(Error::UnknownLogFormat(other.to_owned())),
        }
    }
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}

/// The layer that writes log lines of `service` to `writer`.
pub(super) fn layer<S, W>(format: LogFormat, service: &str, writer: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let layer = tracing_subscriber::fmt::layer().with_writer(writer);
    match format {
        LogFormat::Text => layer.compact().fmt_fields(TextFields).with_ansi(std::io::stderr().is_terminal()).boxed(),
        LogFormat::Json => {
            layer.fmt_fields(JsonFields::new()).event_format(JsonLines { service: service.to_owned() }).boxed()
        }
    }
}

struct TextFields;

impl<'writer> FormatFields<'writer> for TextFields {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'writer>, fields: R) -> fmt::Result {
        let mut visitor = WithoutTracerFields(DefaultVisitor::new(writer, true));
        fields.record(&mut visitor);
        visitor.0.finish()
    }
}

struct WithoutTracerFields<V>(V);

impl<V: Visit> Visit for WithoutTracerFields<V> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if !field.name().starts_with(TRACER_FIELDS) {
            self.0.record_debug(field, value);
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if !field.name().starts_with(TRACER_FIELDS) {
            self.0.record_str(field, value);
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.0.record_error(field, value);
    }
}

#[cfg(test)]
mod tests;
