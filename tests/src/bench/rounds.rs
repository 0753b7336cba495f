//! Measuring side by side: what disturbs the machine disturbs both.

/// How often each side is measured.
pub const ROUNDS: usize = 3;

/// Says what is going on.
pub fn progress(what: impl std::fmt::Display) {
    eprintln!("  {what}");
}

/// The medians of two figures, each measured [`ROUNDS`] times, in turns. Each side is told its round, from 0.
pub async fn side_by_side(
    name: &str,
    mut ours: impl AsyncFnMut(usize) -> f64,
    mut reference: impl AsyncFnMut(usize) -> f64,
) -> (f64, f64) {
    let (mut of_ours, mut of_reference) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        of_ours.push(ours(round).await);
        of_reference.push(reference(round).await);
        let (last, beside) = (of_ours[round], of_reference[round]);
        progress(format_args!("{name}: round {} of {ROUNDS}: {last:.1} beside {beside:.1}", round + 1));
    }
    (median(of_ours), median(of_reference))
}

/// The median of one figure, measured [`ROUNDS`] times.
pub async fn three_times(name: &str, mut ours: impl AsyncFnMut(usize) -> f64) -> f64 {
    let mut measured = Vec::new();
    for round in 0..ROUNDS {
        measured.push(ours(round).await);
        progress(format_args!("{name}: round {} of {ROUNDS}: {:.1}", round + 1, measured[round]));
    }
    median(measured)
}

/// The middle one of what was measured.
///
/// # Panics
/// If nothing was.
#[must_use]
pub fn median(mut measured: Vec<f64>) -> f64 {
    measured.sort_by(f64::total_cmp);
    measured[measured.len() / 2]
}
