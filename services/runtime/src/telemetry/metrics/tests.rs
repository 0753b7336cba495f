use super::{
    build_cache, build_ended, build_interrupted, builds_active, collected, fold_position, install, notice_settled,
    notices_waiting, processed, prometheus, sent, workers,
};
use ::prometheus::{Registry, TextEncoder};
use opentelemetry::metrics::MeterProvider;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use std::time::Duration;

/// One test for all of them, since a process installs its instruments once.
#[test]
fn what_is_recorded_is_in_the_prometheus_text() {
    let registry = Registry::new();
    let provider = SdkMeterProvider::builder().with_reader(prometheus(&registry).unwrap()).build();
    install(&provider.meter("test"));

    sent("EVENTS", 3, Duration::from_millis(20), None);
    sent("EVENTS", 1, Duration::from_secs(5), Some("timeout"));
    processed("syncer", "build.finished.v1", Duration::from_millis(60), "ok");
    processed("syncer", "build.finished.v1", Duration::from_millis(60), "park");
    build_ended("success", "hugo", Duration::from_secs(42));
    build_interrupted("sandbox");
    build_cache("restored");
    builds_active("pending", 9);
    builds_active("pending", 4);
    builds_active("executing", 2);
    workers("busy", 1);
    notice_settled("webhook", Some("failed"), Duration::from_secs(2));
    notices_waiting(3);
    collected(2, 4096);
    fold_position("edge", 1000, 12);

    let text = TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
    for line in [
        r#"messaging_client_sent_messages_total{messaging_destination_name="EVENTS",messaging_operation_name="send",messaging_system="nats"} 3"#,
        r#"messaging_client_sent_messages_total{error_type="timeout",messaging_destination_name="EVENTS",messaging_operation_name="send",messaging_system="nats"} 1"#,
        r#"messaging_client_operation_duration_seconds_bucket{messaging_destination_name="EVENTS",messaging_operation_name="send",messaging_operation_type="send",messaging_system="nats",le="0.025"} 1"#,
        r#"messaging_client_consumed_messages_total{error_type="park",messaging_consumer_group_name="syncer",messaging_destination_name="EVENTS",messaging_operation_name="process",messaging_system="nats",pagefold_event_name="build.finished.v1"} 1"#,
        r#"messaging_process_duration_seconds_count{messaging_consumer_group_name="syncer",messaging_destination_name="EVENTS",messaging_operation_name="process",messaging_system="nats",pagefold_event_name="build.finished.v1"} 1"#,
        r#"cicd_pipeline_run_duration_seconds_sum{cicd_pipeline_name="hugo",cicd_pipeline_result="success",cicd_pipeline_run_state="executing"} 42"#,
        r#"pagefold_build_interruptions_total{error_type="sandbox"} 1"#,
        r#"pagefold_build_caches_total{pagefold_cache_outcome="restored"} 1"#,
        r#"cicd_pipeline_run_active{cicd_pipeline_run_state="pending"} 4"#,
        r#"cicd_pipeline_run_active{cicd_pipeline_run_state="executing"} 2"#,
        r#"cicd_worker_count{cicd_worker_state="busy"} 1"#,
        r#"pagefold_notice_duration_seconds_count{error_type="failed",pagefold_receiver_kind="webhook"} 1"#,
        r#"pagefold_notices_waiting 3"#,
        r#"pagefold_deploys_collected_total 2"#,
        r#"pagefold_collected_size_bytes_total 4096"#,
        r#"pagefold_fold_position{pagefold_fold_name="edge"} 1000"#,
        r#"pagefold_fold_lag{pagefold_fold_name="edge"} 12"#,
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\nis not in\n{text}");
    }
}
