//! Every instrument of Pagefold, by the semantic conventions for messaging and for CI/CD where they have a name.
//!
//! Before [`init`](super::init) nothing is recorded. Values of attributes come from fixed sets: a site, a build or a
//! fact is never one, for each would be a series of its own.

use super::propagation::SYSTEM;
use events::subject;
use opentelemetry::KeyValue;
use opentelemetry::metrics::{AsyncInstrument, Counter, Gauge, Histogram, Meter};
use opentelemetry_prometheus::PrometheusExporter;
use opentelemetry_sdk::error::OTelSdkError;
use opentelemetry_semantic_conventions::attribute::{
    CICD_PIPELINE_NAME, CICD_PIPELINE_RESULT, CICD_PIPELINE_RUN_STATE, CICD_WORKER_STATE, ERROR_TYPE,
    MESSAGING_CONSUMER_GROUP_NAME, MESSAGING_DESTINATION_NAME, MESSAGING_OPERATION_NAME, MESSAGING_OPERATION_TYPE,
    MESSAGING_SYSTEM,
};
use opentelemetry_semantic_conventions::metric::{
    CICD_PIPELINE_RUN_ACTIVE, CICD_PIPELINE_RUN_DURATION, CICD_WORKER_COUNT, MESSAGING_CLIENT_CONSUMED_MESSAGES,
    MESSAGING_CLIENT_OPERATION_DURATION, MESSAGING_CLIENT_SENT_MESSAGES, MESSAGING_PROCESS_DURATION,
};
use prometheus::Registry;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// Bucket boundaries in seconds the conventions advise for messaging.
const MESSAGING_SECONDS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];
/// Bucket boundaries in seconds for builds, which take from a second to an hour.
const BUILD_SECONDS: [f64; 12] = [1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0];
/// Bucket boundaries in seconds for notices, which are tried for up to an hour.
const NOTICE_SECONDS: [f64; 11] = [0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 300.0, 900.0, 3600.0];
const BUILD_CACHES: &str = "pagefold.build.caches";
const BUILD_INTERRUPTIONS: &str = "pagefold.build.interruptions";
const CACHE_OUTCOME: &str = "pagefold.cache.outcome";
const EVENT_NAME: &str = "pagefold.event.name";
const NOTICE_DURATION: &str = "pagefold.notice.duration";
const NOTICES_WAITING: &str = "pagefold.notices.waiting";
const RECEIVER_KIND: &str = "pagefold.receiver.kind";
const DOMAIN_CHECKS: &str = "pagefold.domain.checks";
const CERTIFICATE_ORDERS: &str = "pagefold.certificate.orders";
const DOMAINS_WAITING: &str = "pagefold.domains.waiting";
const DEPLOYS_COLLECTED: &str = "pagefold.deploys.collected";
const BYTES_COLLECTED: &str = "pagefold.collected.size";
const FOLD_NAME: &str = "pagefold.fold.name";
const FOLD_POSITION: &str = "pagefold.fold.position";
const FOLD_LAG: &str = "pagefold.fold.lag";
const FOLD_STARTS_OVER: &str = "pagefold.fold.starts_over";
const FOLD_PASSES_OVER: &str = "pagefold.fold.passes_over";

static INSTRUMENTS: OnceLock<Instruments> = OnceLock::new();

struct Instruments {
    operation_duration: Histogram<f64>,
    sent_messages: Counter<u64>,
    process_duration: Histogram<f64>,
    consumed_messages: Counter<u64>,
    run_duration: Histogram<f64>,
    run_interruptions: Counter<u64>,
    run_caches: Counter<u64>,
    runs: Arc<Levels>,
    workers: Arc<Levels>,
    notice_duration: Histogram<f64>,
    notices_waiting: Gauge<u64>,
    domain_checks: Counter<u64>,
    certificate_orders: Counter<u64>,
    domains_waiting: Gauge<u64>,
    deploys_collected: Counter<u64>,
    bytes_collected: Counter<u64>,
    fold_position: Gauge<u64>,
    fold_lag: Gauge<u64>,
    fold_starts_over: Counter<u64>,
    fold_passes_over: Counter<u64>,
}

/// Makes the instruments; the first `meter` is the one that counts.
pub(super) fn install(meter: &Meter) {
    INSTRUMENTS.get_or_init(|| Instruments::new(meter));
}

/// The reader behind the Prometheus text. All instruments have one scope, so the text does not repeat it.
pub(super) fn prometheus(registry: &Registry) -> Result<PrometheusExporter, OTelSdkError> {
    opentelemetry_prometheus::exporter().with_registry(registry.clone()).scope_info_enabled(false).build()
}

/// `messages` were sent to the stream `destination` in one operation, or failed with `error`.
pub(crate) fn sent(destination: &'static str, messages: u64, elapsed: Duration, error: Option<&'static str>) {
    let Some(instruments) = INSTRUMENTS.get() else { return };
    let mut attributes = vec![
        KeyValue::new(MESSAGING_SYSTEM, SYSTEM),
        KeyValue::new(MESSAGING_OPERATION_NAME, "send"),
        KeyValue::new(MESSAGING_DESTINATION_NAME, destination),
    ];
    attributes.extend(error.map(|error| KeyValue::new(ERROR_TYPE, error)));
    instruments.sent_messages.add(messages, &attributes);
    attributes.push(KeyValue::new(MESSAGING_OPERATION_TYPE, "send"));
    instruments.operation_duration.record(elapsed.as_secs_f64(), &attributes);
}

/// `consumer` processed one fact; `event` is its [`name`](events::Event::name), or a fixed word when it has none.
///
/// Any `outcome` but `ok` (`retry`, `park`, `newer_version`) becomes the `error.type`.
pub(crate) fn processed(consumer: &'static str, event: &str, elapsed: Duration, outcome: &'static str) {
    let Some(instruments) = INSTRUMENTS.get() else { return };
    let mut attributes = vec![
        KeyValue::new(MESSAGING_SYSTEM, SYSTEM),
        KeyValue::new(MESSAGING_OPERATION_NAME, "process"),
        KeyValue::new(MESSAGING_DESTINATION_NAME, subject::EVENTS),
        KeyValue::new(MESSAGING_CONSUMER_GROUP_NAME, consumer),
        KeyValue::new(EVENT_NAME, event.to_owned()),
    ];
    if outcome != "ok" {
        attributes.push(KeyValue::new(ERROR_TYPE, outcome));
    }
    instruments.consumed_messages.add(1, &attributes);
    instruments.process_duration.record(elapsed.as_secs_f64(), &attributes);
}

/// A build by `engine` ended with `result` (`success`, `failure`, `error`, `timeout`, `cancellation` or `skip`)
/// `elapsed` after it started.
pub fn build_ended(result: &'static str, engine: &'static str, elapsed: Duration) {
    let Some(instruments) = INSTRUMENTS.get() else { return };
    let attributes = [
        KeyValue::new(CICD_PIPELINE_NAME, engine),
        KeyValue::new(CICD_PIPELINE_RUN_STATE, "executing"),
        KeyValue::new(CICD_PIPELINE_RESULT, result),
    ];
    instruments.run_duration.record(elapsed.as_secs_f64(), &attributes);
}

/// An attempt at a build was interrupted because of `reason`: `sandbox`, `object_store`, `disk` or `shutdown`.
pub fn build_interrupted(reason: &'static str) {
    if let Some(instruments) = INSTRUMENTS.get() {
        instruments.run_interruptions.add(1, &[KeyValue::new(ERROR_TYPE, reason)]);
    }
}

/// What became of the cache of a build: it was `restored` before it or there was `none`, and it was `kept` after it or `refused`.
pub fn build_cache(outcome: &'static str) {
    if let Some(instruments) = INSTRUMENTS.get() {
        instruments.run_caches.add(1, &[KeyValue::new(CACHE_OUTCOME, outcome)]);
    }
}

/// `count` builds are now in `state`: `pending` or `executing`.
pub fn builds_active(state: &'static str, count: u64) {
    if let Some(instruments) = INSTRUMENTS.get() {
        instruments.runs.set(state, count);
    }
}

/// `count` of the process's build slots are now in `state`: `available`, `busy` or `offline`.
pub fn workers(state: &'static str, count: u64) {
    if let Some(instruments) = INSTRUMENTS.get() {
        instruments.workers.set(state, count);
    }
}

/// A notice to a receiver of this `kind` was settled `elapsed` after its first try; one that failed has an `error`.
pub fn notice_settled(kind: &'static str, error: Option<&'static str>, elapsed: Duration) {
    let Some(instruments) = INSTRUMENTS.get() else { return };
    let mut attributes = vec![KeyValue::new(RECEIVER_KIND, kind)];
    attributes.extend(error.map(|error| KeyValue::new(ERROR_TYPE, error)));
    instruments.notice_duration.record(elapsed.as_secs_f64(), &attributes);
}

/// `count` notices wait to be sent, or are tried again.
pub fn notices_waiting(count: u64) {
    if let Some(instruments) = INSTRUMENTS.get() {
        instruments.notices_waiting.record(count, &[]);
    }
}

/// The records of a domain were looked at, and it is proven, or not because of `error`.
pub fn domain_checked(error: Option<&'static str>) {
    let Some(instruments) = INSTRUMENTS.get() else { return };
    let attributes: Vec<KeyValue> = error.map(|error| KeyValue::new(ERROR_TYPE, error)).into_iter().collect();
    instruments.domain_checks.add(1, &attributes);
}

/// An authority was asked for the certificate of a domain, and gave it, or not because of `error`.
pub fn certificate_ordered(error: Option<&'static str>) {
    let Some(instruments) = INSTRUMENTS.get() else { return };
    let attributes: Vec<KeyValue> = error.map(|error| KeyValue::new(ERROR_TYPE, error)).into_iter().collect();
    instruments.certificate_orders.add(1, &attributes);
}

/// `count` domains wait to be looked at.
pub fn domains_waiting(count: u64) {
    if let Some(instruments) = INSTRUMENTS.get() {
        instruments.domains_waiting.record(count, &[]);
    }
}

/// `deploys` that are kept no longer were removed, and `bytes` in the object store with them.
pub fn collected(deploys: u64, bytes: u64) {
    if let Some(instruments) = INSTRUMENTS.get() {
        instruments.deploys_collected.add(deploys, &[]);
        instruments.bytes_collected.add(bytes, &[]);
    }
}

/// `fold` holds all facts up to `sequence`, and `pending` more wait for it.
pub fn fold_position(fold: &'static str, sequence: u64, pending: u64) {
    if let Some(instruments) = INSTRUMENTS.get() {
        let attributes = [KeyValue::new(FOLD_NAME, fold)];
        instruments.fold_position.record(sequence, &attributes);
        instruments.fold_lag.record(pending, &attributes);
    }
}

/// `fold` has started over from nothing because of `reason`: `shorter`, `other_history` or `gap`.
pub(crate) fn fold_started_over(fold: &'static str, reason: &'static str) {
    if let Some(instruments) = INSTRUMENTS.get() {
        let attributes = [KeyValue::new(FOLD_NAME, fold), KeyValue::new(ERROR_TYPE, reason)];
        instruments.fold_starts_over.add(1, &attributes);
    }
}

/// `fold` could not fold an entry because of `reason`: `newer_version` or `unreadable`.
pub(crate) fn fold_passed_over(fold: &'static str, reason: &'static str) {
    if let Some(instruments) = INSTRUMENTS.get() {
        let attributes = [KeyValue::new(FOLD_NAME, fold), KeyValue::new(ERROR_TYPE, reason)];
        instruments.fold_passes_over.add(1, &attributes);
    }
}

impl Instruments {
    fn new(meter: &Meter) -> Self {
        let count =
            |name, unit, description| meter.u64_counter(name).with_unit(unit).with_description(description).build();
        let seconds = |name, boundaries: &[f64], about| {
            meter
                .f64_histogram(name)
                .with_unit("s")
                .with_boundaries(boundaries.to_vec())
                .with_description(about)
                .build()
        };
        let counter = |name, about| meter.u64_counter(name).with_unit("{message}").with_description(about).build();
        let interruptions = meter.u64_counter(BUILD_INTERRUPTIONS).with_unit("{attempt}");
        let gauge = |name, about| meter.u64_gauge(name).with_unit("{event}").with_description(about).build();
        Self {
            operation_duration: seconds(
                MESSAGING_CLIENT_OPERATION_DURATION,
                &MESSAGING_SECONDS,
                "Duration of sending to the log until it answered.",
            ),
            sent_messages: counter(MESSAGING_CLIENT_SENT_MESSAGES, "Messages a producer tried to send."),
            process_duration: seconds(
                MESSAGING_PROCESS_DURATION,
                &MESSAGING_SECONDS,
                "Duration of processing one fact.",
            ),
            consumed_messages: counter(MESSAGING_CLIENT_CONSUMED_MESSAGES, "Messages delivered to a consumer."),
            run_duration: seconds(CICD_PIPELINE_RUN_DURATION, &BUILD_SECONDS, "Duration of a build from its start."),
            run_interruptions: interruptions
                .with_description("Attempts that the platform could not go on with.")
                .build(),
            run_caches: count(BUILD_CACHES, "{cache}", "What became of the caches of builds."),
            runs: Levels::observed(meter, CICD_PIPELINE_RUN_ACTIVE, "{run}", CICD_PIPELINE_RUN_STATE),
            workers: Levels::observed(meter, CICD_WORKER_COUNT, "{count}", CICD_WORKER_STATE),
            notice_duration: seconds(
                NOTICE_DURATION,
                &NOTICE_SECONDS,
                "Duration of a notice from its first try until it arrived or was given up.",
            ),
            notices_waiting: meter
                .u64_gauge(NOTICES_WAITING)
                .with_unit("{notice}")
                .with_description("Notices that wait to be sent, or are tried again.")
                .build(),
            domain_checks: count(DOMAIN_CHECKS, "{check}", "Looks at the records of domains."),
            certificate_orders: count(
                CERTIFICATE_ORDERS,
                "{order}",
                "Certificates of domains that an authority was asked for.",
            ),
            domains_waiting: meter
                .u64_gauge(DOMAINS_WAITING)
                .with_unit("{domain}")
                .with_description("Domains whose records are to be looked at.")
                .build(),
            deploys_collected: counter(DEPLOYS_COLLECTED, "Deploys that were kept no longer and are removed."),
            bytes_collected: count(
                BYTES_COLLECTED,
                "By",
                "Bytes in the object store that went with deploys that were kept no longer.",
            ),
            fold_position: gauge(FOLD_POSITION, "Sequence of the last fact a fold holds."),
            fold_lag: gauge(FOLD_LAG, "Facts a fold has not seen yet."),
            fold_starts_over: counter(FOLD_STARTS_OVER, "Times a fold has started over from nothing."),
            fold_passes_over: counter(FOLD_PASSES_OVER, "Facts a fold could not take in."),
        }
    }
}

/// How many are in each state now. The conventions want an up-down counter where we know the level, not the step.
#[derive(Default)]
struct Levels(Mutex<BTreeMap<&'static str, i64>>);

impl Levels {
    fn observed(meter: &Meter, name: &'static str, unit: &'static str, attribute: &'static str) -> Arc<Self> {
        let levels = Arc::new(Self::default());
        let observed = Arc::clone(&levels);
        meter
            .i64_observable_up_down_counter(name)
            .with_unit(unit)
            .with_description("How many there are now, by state.")
            .with_callback(move |observer| observed.observe(observer, attribute))
            .build();
        levels
    }

    fn set(&self, state: &'static str, count: u64) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(state, count);
    }

    fn observe(&self, observer: &dyn AsyncInstrument<i64>, attribute: &'static str) {
        for (state, count) in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            observer.observe(*count, &[KeyValue::new(attribute, *state)]);
        }
    }
}

#[cfg(test)]
mod tests;
