//! Every list is read in pages of one shape: `{items, next}`, asked for by `limit` and `after`.

use crate::problem::Problem;
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use utoipa::{IntoParams, ToSchema};

/// Most rows one answer has.
pub(crate) const LIMIT_MAX: u32 = 1000;
/// Rows of an answer unless it is asked for more.
const LIMIT: u32 = 50;

/// Which part of a list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Page {
    /// At most this many, 1 to 1000; 50 if absent.
    limit: Option<u32>,
    /// From after this place: the `next` of the page before.
    after: Option<String>,
}

/// A part of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Items<T> {
    /// The rows.
    items: Vec<T>,
    /// What to ask `after` for the rows that follow; null at the end.
    #[schema(required)]
    next: Option<String>,
}

impl<T> Items<T> {
    /// A list that has one page.
    pub(crate) const fn whole(items: Vec<T>) -> Self {
        Self { items, next: None }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The rows alone.
    pub(crate) fn into_items(self) -> Vec<T> {
        self.items
    }

    /// The same page with other rows in the place of these.
    pub(crate) async fn try_map<U, E>(
        self,
        rows: impl AsyncFnOnce(Vec<T>) -> Result<Vec<U>, E>,
    ) -> Result<Items<U>, E> {
        Ok(Items { items: rows(self.items).await?, next: self.next })
    }
}

impl Page {
    /// A page of a list that is asked for with more than its page.
    pub(crate) fn new(limit: Option<u32>, after: Option<impl ToString>) -> Self {
        Self { limit, after: after.map(|after| after.to_string()) }
    }

    /// How many rows to answer.
    pub(crate) fn limit(&self) -> Result<u32, Problem> {
        match self.limit.unwrap_or(LIMIT) {
            limit @ 1..=LIMIT_MAX => Ok(limit),
            _ => Err(Problem::InvalidInput(format!("`limit` must be 1 to {LIMIT_MAX}"))),
        }
    }

    /// How many rows to read: one more than is answered tells whether there are more.
    pub(crate) fn reads(&self) -> Result<u32, Problem> {
        Ok(self.limit()? + 1)
    }

    /// The place to read on from.
    pub(crate) fn after(&self) -> Option<&str> {
        self.after.as_deref()
    }

    /// The place to read on from, where it is a number or the like.
    pub(crate) fn after_as<T: FromStr>(&self) -> Result<Option<T>, Problem> {
        let unknown = |_| Problem::InvalidInput("`after` is not a place in this list".to_owned());
        self.after.as_deref().map(|after| after.parse().map_err(unknown)).transpose()
    }

    /// The answer made of the rows that were read; `place` is where each one stands.
    pub(crate) fn cut<R, T>(
        &self,
        mut rows: Vec<R>,
        place: impl Fn(&R) -> String,
        shown: impl Fn(R) -> T,
    ) -> Result<Items<T>, Problem> {
        let limit = self.limit()? as usize;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(place);
        Ok(Items { items: rows.into_iter().map(shown).collect(), next })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_page_that_more_follow_says_where_to_read_on() {
        let page = Page { limit: Some(2), after: None };
        let cut = |rows: Vec<u32>| page.cut(rows, ToString::to_string, |row| row).unwrap();
        let (whole, part) = (cut(vec![7, 8]), cut(vec![7, 8, 9]));
        assert_eq!((whole.items, whole.next), (vec![7, 8], None));
        assert_eq!((part.items, part.next.as_deref()), (vec![7, 8], Some("8")));
    }

    #[test]
    fn a_page_has_limits() {
        for limit in [0, LIMIT_MAX + 1] {
            assert!(Page { limit: Some(limit), after: None }.limit().is_err());
        }
        assert!(Page { limit: None, after: Some("x".to_owned()) }.after_as::<u64>().is_err());
    }
}
