//! One page of a listing over an ordered scan. Keys under a common prefix are skipped by seeking past it, never read.

/// What a page is asked for. Entries come after `after`, which is a key or a common prefix of an earlier page.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query {
    pub prefix: String,
    pub delimiter: Option<String>,
    pub after: String,
    pub limit: usize,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found<T> {
    Key(String, T),
    Prefix(String),
}

impl<T> Found<T> {
    fn name(&self) -> &str {
        match self {
            Self::Key(name, _) | Self::Prefix(name) => name,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Page<T> {
    pub entries: Vec<Found<T>>,
    /// Where the next page starts after, when there is one.
    pub next: Option<String>,
}

impl Query {
    /// Where the scan starts: at the prefix, or at the first key after `after`.
    fn start(&self) -> Vec<u8> {
        let mut start = self.after.clone().into_bytes();
        if !start.is_empty() {
            start.push(0);
        }
        start.max(self.prefix.clone().into_bytes())
    }

    fn common_prefix<'k>(&self, key: &'k str) -> Option<&'k str> {
        let delimiter = self.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty())?;
        let rest = &key[self.prefix.len()..];
        let end = rest.find(delimiter)? + delimiter.len();
        Some(&key[..self.prefix.len() + end])
    }
}

/// The least bytes that follow every key with this prefix. The last byte of text is never the greatest byte.
fn past(prefix: &str) -> Vec<u8> {
    let mut bound = prefix.as_bytes().to_vec();
    if let Some(last) = bound.last_mut() {
        *last = last.saturating_add(1);
    }
    bound
}

/// Reads one page. `scan` gives the rows at its argument and after it, in order of key.
pub(crate) fn page<T, E, I>(query: &Query, mut scan: impl FnMut(&[u8]) -> Result<I, E>) -> Result<Page<T>, E>
where
    I: Iterator<Item = Result<(Vec<u8>, T), E>>,
{
    let mut page = Page { entries: Vec::new(), next: None };
    let mut seek = (query.limit > 0).then(|| query.start());
    while let Some(start) = seek.take() {
        for row in scan(&start)? {
            let (key, value) = row?;
            let key = String::from_utf8_lossy(&key).into_owned();
            if !key.starts_with(&query.prefix) {
                return Ok(page);
            }
            let common = query.common_prefix(&key).map(str::to_owned);
            seek = common.as_deref().map(past);
            let entry = common.map_or_else(|| Found::Key(key, value), Found::Prefix);
            // A page that ended with a common prefix, or inside one, has had it.
            if entry.name() > query.after.as_str() {
                if page.entries.len() == query.limit {
                    page.next = page.entries.last().map(|last| last.name().to_owned());
                    return Ok(page);
                }
                page.entries.push(entry);
            }
            if seek.is_some() {
                break;
            }
        }
    }
    Ok(page)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::collections::BTreeSet;
    use std::convert::Infallible;

    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::*;

    type Keys = BTreeSet<String>;

    fn list(keys: &Keys, query: &Query) -> Page<()> {
        counted(keys, query, &Cell::new(0))
    }

    fn counted(keys: &Keys, query: &Query, rows: &Cell<usize>) -> Page<()> {
        let scan = |start: &[u8]| {
            let start = start.to_vec();
            let from = keys.iter().filter(move |key| key.as_bytes() >= start.as_slice());
            Ok::<_, Infallible>(from.map(|key| {
                rows.set(rows.get() + 1);
                Ok((key.clone().into_bytes(), ()))
            }))
        };
        page(query, scan).unwrap()
    }

    fn names(page: &Page<()>) -> Vec<&str> {
        page.entries.iter().map(Found::name).collect()
    }

    fn keys(names: &[&str]) -> Keys {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    fn query(prefix: &str, delimiter: Option<&str>, limit: usize) -> Query {
        Query { prefix: prefix.into(), delimiter: delimiter.map(Into::into), after: String::new(), limit }
    }

    #[test]
    fn a_delimiter_folds_keys_below_the_prefix() {
        let keys = keys(&["a", "a/1", "a/2/x", "b/1", "c"]);
        assert_eq!(names(&list(&keys, &query("", Some("/"), 10))), ["a", "a/", "b/", "c"]);
        assert_eq!(names(&list(&keys, &query("a/", Some("/"), 10))), ["a/1", "a/2/"]);
        assert_eq!(names(&list(&keys, &query("a", None, 10))), ["a", "a/1", "a/2/x"]);
    }

    #[test]
    fn a_full_page_says_where_the_next_one_starts_only_when_there_is_one() {
        let keys = keys(&["a/1", "a/2", "b"]);
        let first = list(&keys, &query("", Some("/"), 1));
        assert_eq!((names(&first), first.next.as_deref()), (vec!["a/"], Some("a/")));
        let rest = Query { after: "a/".into(), ..query("", Some("/"), 1) };
        let last = list(&keys, &rest);
        assert_eq!((names(&last), last.next.as_deref()), (vec!["b"], None));
        assert_eq!(list(&keys, &query("", None, 0)).next, None);
    }

    #[test]
    fn keys_under_a_common_prefix_are_not_read() {
        let keys: Keys = (0..1000).map(|n| format!("{}/{n:04}", n / 500)).collect();
        let rows = Cell::new(0);
        let page = counted(&keys, &query("", Some("/"), 10), &rows);
        assert_eq!(names(&page), ["0/", "1/"]);
        assert_eq!(rows.get(), 2);
    }

    proptest! {
        #[test]
        fn pages_of_any_size_give_the_whole_listing(
            names_in in proptest::collection::btree_set("[ab/é]{1,6}", 0..40),
            limit in 1_usize..6,
            is_folded in any::<bool>(),
        ) {
            let mut asked = query("", is_folded.then_some("/"), limit);
            let mut paged = Vec::new();
            // One page more than there are names is one too many.
            for _ in 0..=names_in.len() {
                let page = list(&names_in, &asked);
                paged.extend(names(&page).into_iter().map(str::to_owned));
                match page.next {
                    Some(next) => asked.after = next,
                    None => break,
                }
            }
            let fold = |key: &String| match key.find('/') {
                Some(end) if is_folded => key[..=end].to_owned(),
                Some(_) | None => key.clone(),
            };
            let whole: Vec<String> = names_in.iter().map(fold).collect::<BTreeSet<_>>().into_iter().collect();
            prop_assert_eq!(paged, whole);
        }
    }
}
