//! What `just bench` is made of: rows that set a figure of ours beside a reference, measured side by side.

mod report;
mod rounds;
mod row;

pub use report::Report;
pub use rounds::{ROUNDS, median, progress, side_by_side, three_times};
pub use row::{Better, Goal, Row};
