//! Why somebody did something, in their own words.

use crate::problem::Problem;

/// Longest reason in bytes.
const REASON_MAX: usize = 500;

/// The reason as it is kept, if it is one.
pub(super) fn reason(text: &str) -> Result<String, Problem> {
    let text = text.trim();
    if text.is_empty() || text.len() > REASON_MAX || text.contains(char::is_control) {
        return Err(Problem::InvalidInput(format!("`reason` must be one line of 1 to {REASON_MAX} bytes")));
    }
    Ok(text.to_owned())
}
