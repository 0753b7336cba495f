//! A map of bounded size: when it is full, what was not used for longest goes, and nothing else.

use std::collections::{BTreeMap, HashMap};

/// Entries by key, and in the order of their last use.
pub(super) struct Recent<V> {
    max: usize,
    entries: HashMap<String, (u64, V)>,
    used: BTreeMap<u64, String>,
    uses: u64,
}

impl<V> Recent<V> {
    pub(super) fn of(max: usize) -> Self {
        Self { max, entries: HashMap::new(), used: BTreeMap::new(), uses: 0 }
    }

    /// What is there under `key`, which is used by that.
    pub(super) fn get(&mut self, key: &str) -> Option<&mut V> {
        let (used, value) = self.entries.get_mut(key)?;
        self.uses += 1;
        if let Some(key) = self.used.remove(used) {
            self.used.insert(self.uses, key);
        }
        *used = self.uses;
        Some(value)
    }

    /// Puts `value` under `key`, in place of what was there.
    pub(super) fn put(&mut self, key: &str, value: V) {
        if let Some(there) = self.get(key) {
            *there = value;
            return;
        }
        if self.entries.len() >= self.max
            && let Some((_, oldest)) = self.used.pop_first()
        {
            self.entries.remove(&oldest);
        }
        self.uses += 1;
        self.used.insert(self.uses, key.to_owned());
        self.entries.insert(key.to_owned(), (self.uses, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_used_for_longest_goes_alone() {
        let mut recent = Recent::of(3);
        for key in ["a", "b", "c"] {
            recent.put(key, 1);
        }
        assert_eq!(recent.get("a"), Some(&mut 1));
        recent.put("b", 2);
        recent.put("d", 1);
        let there = ["a", "b", "c", "d"].map(|key| recent.get(key).copied());
        assert_eq!(there, [Some(1), Some(2), None, Some(1)]);
        assert_eq!((recent.entries.len(), recent.used.len()), (3, 3));
    }
}
