//! Charts as pictures that are made here: a bar for each hour, with what holds for half of it and for most of it.

use super::super::layout::duration;
use maud::{Markup, html};
use projections::platform::PaceRow;
use time::macros::format_description;
use time::{Duration, OffsetDateTime};

/// The picture's measures: its own units.
const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 130.0;
const LEFT: f64 = 4.0;
const TOP: f64 = 16.0;
const BOTTOM: f64 = 18.0;
/// Hours between two that are named.
const NAMED: usize = 6;

/// What is drawn of each hour, in milliseconds.
pub(super) struct Bar {
    from: OffsetDateTime,
    builds: u64,
    half: f64,
    most: f64,
}

/// The last hours, also those in which nothing happened; `read` tells what is drawn of one.
pub(super) fn bars(rows: &[PaceRow], hours: u16, read: impl Fn(&PaceRow) -> (Option<f64>, Option<f64>)) -> Vec<Bar> {
    let this = OffsetDateTime::from_unix_timestamp(runtime::clock::now().unix_timestamp() / 3600 * 3600);
    let this = this.unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let hours = (0..i64::from(hours)).rev().map(|back| this - Duration::hours(back));
    let bar = |from| {
        let row = rows.iter().find(|row| row.from == from);
        let (half, most) = row.map_or((None, None), &read);
        Bar { from, builds: row.map_or(0, |row| row.builds), half: half.unwrap_or(0.0), most: most.unwrap_or(0.0) }
    };
    hours.map(bar).collect()
}

pub(super) fn chart(title: &str, bars: &[Bar]) -> Markup {
    let top = bars.iter().map(|bar| bar.most).fold(0.0, f64::max);
    let step = (WIDTH - LEFT) / bars.len().max(1) as f64;
    let height = |value: f64| if top > 0.0 { value / top * (HEIGHT - TOP - BOTTOM) } else { 0.0 };
    let said = format!("{title}, hour by hour: 95 % of the builds of the worst hour at most {}", words(top));
    html! {
        figure.chart {
            figcaption { (title) " " span.faint { "half, and 95 %, of each hour’s builds" } }
            svg role="img" aria-label=(said) viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } {
                line.axis x1="0" x2=(WIDTH) y1=(HEIGHT - BOTTOM) y2=(HEIGHT - BOTTOM) {}
                text x="0" y="11" { (words(top)) }
                @for (at, bar) in bars.iter().enumerate() {
                    @let x = LEFT + at as f64 * step;
                    @for (class, value) in [("most", bar.most), ("half", bar.half)] {
                        @if value > 0.0 {
                            rect class=(class) x=(short(x)) y=(short(HEIGHT - BOTTOM - height(value).max(1.0))) width=(short(step * 0.8)) height=(short(height(value).max(1.0))) {}
                        }
                    }
                    @if at % NAMED == 0 { text x=(short(x)) y=(HEIGHT - 4.0) { (hour(bar.from)) } }
                }
            }
            details {
                summary { "As a table: " (title) }
                div.scroll { table {
                    thead { tr { th scope="col" { "Hour (UTC)" } th scope="col" { "Builds" } th scope="col" { "Half" } th scope="col" { "95 %" } } }
                    tbody { @for bar in bars.iter().filter(|bar| bar.builds > 0) { tr {
                        th scope="row" { (hour(bar.from)) } td { (bar.builds) } td { (words(bar.half)) } td { (words(bar.most)) }
                    } } }
                } }
            }
        }
    }
}

/// What is drawn needs no more places than a screen has.
fn short(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a duration is not negative, and is told roughly"
)]
fn words(ms: f64) -> String {
    duration(ms.max(0.0) as u64)
}

fn hour(from: OffsetDateTime) -> String {
    from.format(format_description!("[hour]:00")).unwrap_or_default()
}
