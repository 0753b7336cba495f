//! What the attempt that ended a build did, and what it took.

use crate::dashboard::layout::{duration, moment, size};
use maud::{Markup, html};
use projections::builds::BuildRow;

pub(super) fn section(build: &BuildRow) -> Markup {
    html! {
        @if !build.steps.is_empty() {
            h2 { "Steps" }
            div.scroll {
                table {
                    thead { tr {
                        th scope="col" { "Step" } th scope="col" { "Began" } th scope="col" { "Took" } th scope="col" { "Exit code" }
                    } }
                    tbody {
                        @for step in &build.steps {
                            tr {
                                th scope="row" { (step.name) }
                                td { (moment(step.started_at)) }
                                td { (duration(step.duration_ms())) }
                                td { @match step.exit_code { Some(code) => (code), None => "–" } }
                            }
                        }
                    }
                }
            }
        }
        @if let Some(took) = &build.resources {
            dl.facts {
                @if let Some(ms) = took.cpu_ms { div { dt { "Processors" } dd { (duration(ms)) } } }
                @if let Some(bytes) = took.memory_peak_bytes { div { dt { "Memory at most" } dd { (size(bytes)) } } }
                @if let Some(bytes) = took.disk_peak_bytes { div { dt { "Disk at most" } dd { (size(bytes)) } } }
                @if let Some(bytes) = took.cache_bytes { div { dt { "Cache restored" } dd { (size(bytes)) } } }
            }
        }
    }
}
