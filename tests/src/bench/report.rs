//! The rows of one run: a file for machines and a table for people.

use super::Row;
use crate::workspace;
use serde_json::Value;
use std::path::PathBuf;

/// What was measured so far.
#[derive(Debug, Default)]
pub struct Report {
    rows: Vec<Row>,
}

impl Report {
    /// Adds rows, and writes all there are to the file, beside those of other runs that this one has not measured anew.
    ///
    /// # Panics
    /// If the file cannot be written.
    pub fn add(&mut self, rows: Vec<Row>) {
        self.rows.extend(rows);
        let Value::Array(ours) = serde_json::to_value(&self.rows).unwrap() else { return };
        let before = std::fs::read(Self::path()).ok().and_then(|json| serde_json::from_slice(&json).ok());
        let is_others = |row: &Value| !ours.iter().any(|own| own["name"] == row["name"]);
        let mut all: Vec<Value> = before.unwrap_or_default();
        all.retain(is_others);
        all.extend(ours);
        std::fs::write(Self::path(), serde_json::to_string_pretty(&all).unwrap() + "\n").unwrap();
    }

    /// The file: `bench.json` where cargo builds.
    #[must_use]
    pub fn path() -> PathBuf {
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from);
        target.join("bench.json")
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let head = ["row", "ours", "reference", "ratio", "goal", ""].map(str::to_owned);
        let lines: Vec<[String; 6]> = std::iter::once(head).chain(self.rows.iter().map(Row::cells)).collect();
        let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or_default();
        let widths: [usize; 6] = std::array::from_fn(width);
        for line in &lines {
            let cells = line.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
            writeln!(f, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        Ok(())
    }
}
