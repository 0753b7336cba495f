//! How far long work has come: a bar for whoever watches a terminal, and nothing for anybody else.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar on the standard error, so that what is printed stays what was asked for.
#[derive(Debug)]
pub struct Progress(ProgressBar);

impl Progress {
    /// A bar that counts `what`, such as facts. Its end is told with the first step.
    #[must_use]
    pub fn new(what: &'static str) -> Self {
        let bar = ProgressBar::new(0);
        let template = format!("{{wide_bar}} {{human_pos}} of {{human_len}} {what}, {{per_sec}}, {{eta}} left");
        // A template that cannot be read would be a bar without words.
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// A bar that counts bytes.
    #[must_use]
    pub fn of_bytes() -> Self {
        let bar = ProgressBar::new(0);
        let template = "{wide_bar} {binary_bytes} of {binary_total_bytes}, {binary_bytes_per_sec}, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// So much of all is done.
    pub fn at(&self, done: u64, all: u64) {
        self.0.set_length(all.max(done));
        self.0.set_position(done);
    }

    /// Takes the bar away, for what is printed next.
    pub fn clear(&self) {
        self.0.finish_and_clear();
    }
}

/// Whoever fails on the way leaves no bar behind.
impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}
