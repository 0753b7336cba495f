//! Which rules may be for a path: found by its segments, without looking at the others.

use crate::pattern::{Pattern, Segment};
use std::collections::HashMap;

/// The rules of a file by where their patterns lead, each by its place in the file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tree {
    literals: HashMap<Box<str>, Tree>,
    capture: Option<Box<Tree>>,
    /// Rules that end here.
    ends: Vec<u32>,
    /// Rules that go on with a splat, or with a segment of which a part is captured.
    open: Vec<u32>,
}

impl Tree {
    pub(crate) fn insert(&mut self, pattern: &Pattern, place: u32) {
        let mut node = self;
        for segment in &pattern.before {
            node = match segment {
                Segment::Literal(text) => node.literals.entry(text.as_str().into()).or_default(),
                Segment::Capture { prefix, suffix, .. } if prefix.is_empty() && suffix.is_empty() => {
                    node.capture.get_or_insert_default()
                }
                Segment::Capture { .. } => {
                    node.open.push(place);
                    return;
                }
            };
        }
        if pattern.splat.is_some() { node.open.push(place) } else { node.ends.push(place) }
    }

    /// The places of all rules that may be for the path, in order; each is to be asked itself.
    pub(crate) fn candidates(&self, path: &str) -> Vec<u32> {
        let mut found = Vec::new();
        self.collect(path, &mut found);
        if !found.is_sorted() {
            found.sort_unstable();
        }
        found
    }

    fn collect(&self, path: &str, found: &mut Vec<u32>) {
        found.extend(&self.open);
        let Some(rest) = path.strip_prefix('/') else {
            found.extend(&self.ends);
            return;
        };
        // A slash at the end is one more segment, which some rules do not mind.
        if rest.is_empty() {
            found.extend(&self.ends);
        }
        let (segment, after) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if let Some(node) = self.literals.get(segment) {
            node.collect(after, found);
        }
        if let Some(node) = self.capture.as_ref().filter(|_| !segment.is_empty()) {
            node.collect(after, found);
        }
    }
}
