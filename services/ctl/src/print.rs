//! How commands tell what they found or did: in lines for people, as JSON for programs.

use anyhow::Result;
use serde_json::Value;
use std::io::Write;

/// For whom it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Print {
    /// In lines.
    People,
    /// As JSON.
    Programs,
}

impl Print {
    /// For programs, if that is asked for.
    #[must_use]
    pub const fn of(json: bool) -> Self {
        if json { Self::Programs } else { Self::People }
    }

    /// Prints a list: a line for each row, its columns as wide as they have to be.
    ///
    /// # Errors
    /// If nobody reads any more.
    pub fn list(self, rows: &[Value], columns: &[&str]) -> Result<()> {
        if self == Self::Programs {
            return say(&serde_json::to_string_pretty(rows)?);
        }
        let cells: Vec<Vec<String>> =
            rows.iter().map(|row| columns.iter().map(|name| cell(&row[name])).collect()).collect();
        let width = |column: usize| cells.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns.len()).map(width).collect();
        for row in &cells {
            let padded: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            say(padded.join("  ").trim_end())?;
        }
        Ok(())
    }

    /// Prints one thing, in a sentence for people.
    ///
    /// # Errors
    /// If nobody reads any more.
    pub fn one(self, what: &Value, sentence: &str) -> Result<()> {
        match self {
            Self::People => say(sentence),
            Self::Programs => say(&serde_json::to_string_pretty(what)?),
        }
    }
}

/// A value as it stands in a line.
#[must_use]
pub fn cell(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(cell).collect::<Vec<_>>().join(", "),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

/// Prints a line.
///
/// # Errors
/// If nobody reads it.
pub fn say(line: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}
