//! A map whose copies share what they have in common. A copy costs the same however much is in the map, and a change
//! after it copies the small part that it touches: so what a fold shows to readers or keeps in a snapshot stands still while
//! the fold goes on.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher, Hash};
use std::sync::Arc;

/// Into how many parts a map is cut: what a copy costs, against what a change after it costs.
const PARTS: usize = 1024;

/// A map for many thousands of entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Map<K, V> {
    parts: Vec<Arc<Part<K, V>>>,
    len: usize,
}

type Part<K, V> = BTreeMap<K, Arc<V>>;

fn place<K: Hash + ?Sized>(key: &K) -> usize {
    let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(key);
    usize::try_from(hash % PARTS as u64).unwrap_or_default()
}

impl<K: Clone + Ord + Hash, V: Clone> Map<K, V> {
    fn part<Q: Hash + ?Sized>(&self, key: &Q) -> Option<&Arc<Part<K, V>>> {
        self.parts.get(place(key))
    }

    /// What is there under `key`, which may be borrowed in another form, as in other maps.
    #[must_use]
    pub fn get<Q>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: Ord + Hash + ?Sized,
    {
        self.part(key)?.get(key).map(Arc::as_ref)
    }

    /// Whether anything is there under `key`.
    #[must_use]
    pub fn contains(&self, key: &K) -> bool {
        self.part(key).is_some_and(|part| part.contains_key(key))
    }

    /// What is there under `key`, to be changed.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let part = self.parts.get_mut(place(key)).filter(|part| part.contains_key(key))?;
        Arc::make_mut(part).get_mut(key).map(Arc::make_mut)
    }

    /// Puts `value` under `key`, in place of what was there.
    pub fn insert(&mut self, key: K, value: V) {
        let Some(part) = self.parts.get_mut(place(&key)) else { return };
        if Arc::make_mut(part).insert(key, Arc::new(value)).is_none() {
            self.len += 1;
        }
    }

    /// What is there under `key`, to be changed; puts `new` there first if nothing is.
    pub fn get_or_insert_with(&mut self, key: &K, new: impl FnOnce() -> V) -> &mut V {
        if !self.contains(key) {
            self.len += 1;
        }
        let part = Arc::make_mut(&mut self.parts[place(key)]);
        Arc::make_mut(part.entry(key.clone()).or_insert_with(|| Arc::new(new())))
    }

    /// Takes away what is there under `key`.
    pub fn remove(&mut self, key: &K) -> Option<Arc<V>> {
        let part = self.parts.get_mut(place(key)).filter(|part| part.contains_key(key))?;
        let removed = Arc::make_mut(part).remove(key)?;
        self.len -= 1;
        Some(removed)
    }

    /// How many entries there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All entries, in no order that means anything.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.parts.iter().flat_map(|part| part.iter()).map(|(key, value)| (key, &**value))
    }

    /// What must be put, or taken away where there is no value, to make this map of `earlier`. Where the two share a part
    /// nothing is looked at, so the cost is that of the changes between them.
    pub fn changes_since<'a>(&'a self, earlier: &'a Self) -> impl Iterator<Item = (&'a K, Option<&'a V>)> {
        let pairs = self.parts.iter().zip(&earlier.parts).filter(|(now, then)| !Arc::ptr_eq(now, then));
        pairs.flat_map(|(now, then)| {
            let is_new = |(key, value): &(&K, &Arc<V>)| !then.get(key).is_some_and(|old| Arc::ptr_eq(old, value));
            let put = now.iter().filter(is_new).map(|(key, value)| (key, Some(&**value)));
            let gone = then.keys().filter(|key| !now.contains_key(key)).map(|key| (key, None));
            put.chain(gone).collect::<Vec<_>>()
        })
    }
}

impl<K, V> Default for Map<K, V> {
    fn default() -> Self {
        Self { parts: std::iter::repeat_n(Arc::default(), PARTS).collect(), len: 0 }
    }
}

impl<K: Clone + Ord + Hash, V: Clone> FromIterator<(K, V)> for Map<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut map = Self::default();
        entries.into_iter().for_each(|(key, value)| map.insert(key, value));
        map
    }
}

impl<K: Clone + Ord + Hash + Serialize, V: Clone + Serialize> Serialize for Map<K, V> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.iter())
    }
}

impl<'d, K: Clone + Ord + Hash + Deserialize<'d>, V: Clone + Deserialize<'d>> Deserialize<'d> for Map<K, V> {
    fn deserialize<D: Deserializer<'d>>(from: D) -> Result<Self, D::Error> {
        BTreeMap::deserialize(from).map(Self::from_iter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a value costs to copy is counted by whoever shares it.
    fn large() -> Map<u32, Arc<u32>> {
        (0..20_000).map(|key| (key, Arc::new(key))).collect()
    }

    #[test]
    fn a_change_after_a_copy_copies_a_small_part() {
        let mut map = large();
        let before = map.clone();
        *map.get_mut(&7).unwrap() = Arc::new(8);
        let copied = map.parts.iter().zip(&before.parts).filter(|(now, then)| !Arc::ptr_eq(now, then)).count();
        assert_eq!((copied, before.get(&7), map.get(&7)), (1, Some(&Arc::new(7)), Some(&Arc::new(8))));
        assert!(before.iter().all(|(key, value)| *key == 7 || Arc::strong_count(value) == 1), "values are not copied");
        assert_eq!(map.changes_since(&before).collect::<Vec<_>>(), [(&7, Some(&Arc::new(8)))]);
    }

    #[test]
    fn to_look_for_what_is_not_there_copies_nothing() {
        let mut map = large();
        let before = map.clone();
        assert!(map.get_mut(&20_000).is_none() && map.remove(&20_000).is_none());
        assert!(map.parts.iter().zip(&before.parts).all(|(now, then)| Arc::ptr_eq(now, then)));
    }

    proptest! {
        #[test]
        fn it_holds_what_an_ordinary_map_holds(steps in proptest::collection::vec((0_u8..4, 0_u8..20, any::<u8>()), 0..80)) {
            let (mut map, mut plain) = (Map::default(), BTreeMap::new());
            let (mut copy, mut copied) = (map.clone(), plain.clone());
            for (step, key, value) in steps {
                match step {
                    0 => {
                        map.insert(key, value);
                        plain.insert(key, value);
                    }
                    1 => prop_assert_eq!(map.remove(&key).map(|value| *value), plain.remove(&key)),
                    2 => prop_assert_eq!(map.get_or_insert_with(&key, || value), plain.entry(key).or_insert(value)),
                    _ => (copy, copied) = (map.clone(), plain.clone()),
                }
                prop_assert_eq!(map.len(), plain.len());
                prop_assert_eq!(map.iter().map(|(key, value)| (*key, *value)).collect::<BTreeMap<_, _>>(), plain.clone());
                prop_assert_eq!(copy.iter().map(|(key, value)| (*key, *value)).collect::<BTreeMap<_, _>>(), copied.clone());
            }
            for (key, value) in map.changes_since(&copy) {
                match value {
                    Some(value) => copied.insert(*key, *value),
                    None => copied.remove(key),
                };
            }
            prop_assert_eq!(&copied, &plain);
            let json = serde_json::to_string(&map).unwrap();
            prop_assert_eq!(serde_json::from_str::<Map<u8, u8>>(&json).unwrap(), map);
        }
    }
}
