use super::{current, inject, process_span, publish_span};
use async_nats::HeaderMap;
use events::{Actor, Envelope, Event, EventId, Recorded, SiteEvent};
use opentelemetry::trace::{SpanKind, TraceContextExt, TracerProvider};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use std::sync::{Arc, Mutex};
use time::OffsetDateTime;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::layer::SubscriberExt;

const ORIGIN: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[derive(Debug, Clone, Default)]
struct Spans(Arc<Mutex<Vec<SpanData>>>);

impl SpanExporter for Spans {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.0.lock().unwrap().extend(batch);
        Ok(())
    }
}

/// The spans that ended while `work` was done.
fn traced(work: impl FnOnce()) -> Vec<SpanData> {
    let spans = Spans::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(spans.clone()).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), work);
    spans.0.lock().unwrap().clone()
}

fn recorded() -> Recorded {
    let id: EventId = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
    Recorded {
        sequence: 7,
        envelope: Envelope {
            id,
            source: "/pagefold/web".to_owned(),
            subject: "docs".to_owned(),
            time: OffsetDateTime::UNIX_EPOCH,
            correlation: id,
            causation: None,
            actor: Actor::service("web"),
            traceparent: Some(ORIGIN.to_owned()),
            tracestate: Some("vendor=1".to_owned()),
        },
        event: Event::Site(SiteEvent::Deleted {}),
    }
}

fn attribute(span: &SpanData, key: &str) -> Option<String> {
    span.attributes.iter().find(|attribute| attribute.key.as_str() == key).map(|found| found.value.to_string())
}

#[test]
fn processing_links_to_the_span_that_sent() {
    let spans = traced(|| {
        let mut headers = HeaderMap::new();
        publish_span("EVENTS", 1).in_scope(|| inject(&mut headers));
        // Not even a surrounding span becomes the parent: the fact's trace is not the loop's.
        tracing::info_span!("loop").in_scope(|| drop(process_span("syncer", &recorded(), Some(&headers)).entered()));
    });
    let [send, process, _] = spans.as_slice() else { panic!("{spans:?}") };
    assert_eq!((send.name.as_ref(), &send.span_kind), ("send EVENTS", &SpanKind::Producer));
    assert_eq!((process.name.as_ref(), &process.span_kind), ("process EVENTS", &SpanKind::Consumer));
    let [link] = process.links.links.as_slice() else { panic!("{:?}", process.links) };
    assert_eq!(link.span_context.span_id(), send.span_context.span_id());
    assert_eq!(link.span_context.trace_id(), send.span_context.trace_id());
    assert!(link.span_context.is_remote());
    assert_ne!(process.span_context.trace_id(), send.span_context.trace_id());
    assert_eq!(process.parent_span_id, opentelemetry::SpanId::INVALID);
}

#[test]
fn without_a_sender_processing_links_to_the_start_of_the_story() {
    let mut broken = HeaderMap::new();
    broken.insert("traceparent", "00-zz");
    for headers in [None, Some(HeaderMap::new()), Some(broken)] {
        let spans = traced(|| drop(process_span("syncer", &recorded(), headers.as_ref())));
        let link = &spans[0].links.links[0].span_context;
        assert_eq!(link.span_id().to_string(), "b7ad6b7169203331");
        assert_eq!(link.trace_state().header(), "vendor=1");
    }
}

#[test]
fn a_process_span_names_the_fact_by_the_conventions() {
    let spans = traced(|| drop(process_span("syncer", &recorded(), None)));
    for (key, value) in [
        ("messaging.system", "nats"),
        ("messaging.operation.type", "process"),
        ("messaging.destination.name", "EVENTS"),
        ("messaging.consumer.group.name", "syncer"),
        ("messaging.message.id", "01890a5d-ac96-774b-bcce-b302099a8057"),
        ("cloudevents.event_type", "dev.pagefold.site.deleted.v1"),
        ("cloudevents.event_subject", "docs"),
        ("pagefold.event.sequence", "7"),
    ] {
        assert_eq!(attribute(&spans[0], key).as_deref(), Some(value), "{key}");
    }
}

#[test]
fn the_current_context_reads_back_as_it_was_injected() {
    traced(|| {
        let span = tracing::info_span!("request");
        let context = span.context().span().span_context().clone();
        let (parent, state) = span.in_scope(current).unwrap();
        assert_eq!(parent, format!("00-{}-{}-01", context.trace_id(), context.span_id()));
        assert_eq!(state, None);
    });
}

#[test]
fn without_a_span_nothing_is_injected() {
    let mut headers = HeaderMap::new();
    traced(|| inject(&mut headers));
    assert!(headers.is_empty());
    assert_eq!(current(), None);
}
