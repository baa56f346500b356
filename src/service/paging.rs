//! Parts of lists: so many rows, and where the next part begins.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;

use super::table::{Table, from_item};
use crate::model::error::{Error, Result};
use crate::port::store::{Query, SortRange};

/// Rows of one part at most.
const MAX_LIMIT: u32 = 1_000;
const MAX_CURSOR: usize = 512;
/// Rows of a part of a list without an end, unless the caller says otherwise.
const ROWS: usize = 100;
/// Items read at once, and at most for one part; the caller goes on by the cursor.
const READ: usize = 200;
pub(super) const MAX_READ: usize = 5_000;

/// Which part of a list is asked for: all of it, when nothing is said, or the first 100 of one that has no end.
#[derive(Clone, Debug, Default)]
pub struct PageQuery {
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

impl PageQuery {
    /// Rows at most; `None` for all.
    pub fn limit(&self) -> Result<Option<usize>> {
        match self.limit {
            None => Ok(None),
            Some(limit) if (1..=MAX_LIMIT).contains(&limit) => Ok(Some(limit as usize)),
            Some(_) => Err(Error::validation(
                "limit",
                format!("Choose a limit between 1 and {MAX_LIMIT}."),
            )),
        }
    }

    /// The place in this list of the last row before.
    pub fn after(&self, list: &str) -> Result<Option<String>> {
        let cursor = self.cursor.as_deref();
        cursor.map(|cursor| decode_cursor(list, cursor)).transpose()
    }
}

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    pub rows: Vec<T>,
    /// The cursor of what follows.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// `place` is what the rows of the list are put in rising order by: a cursor stays good when rows come and go.
    pub fn of(
        list: &str,
        mut rows: Vec<T>,
        query: &PageQuery,
        place: impl Fn(&T) -> String,
    ) -> Result<Self> {
        let limit = query.limit()?.unwrap_or(usize::MAX);
        let after = query.after(list)?;
        if let Some(after) = after {
            rows.retain(|row| place(row) > after);
        }
        rows.sort_by_cached_key(&place);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let before_more = rows.last().filter(|_| more);
        let next = before_more.map(|row| encode_cursor(list, &place(row)));
        Ok(Self { rows, next })
    }

    /// The same part with other rows.
    pub fn map<R>(self, row: impl FnMut(T) -> R) -> Page<R> {
        Page {
            rows: self.rows.into_iter().map(row).collect(),
            next: self.next,
        }
    }
}

/// Rows of a partition in order, each with its sort key, and where reading stopped when there may be more.
pub(super) struct Found<T> {
    pub rows: Vec<(String, T)>,
    pub next: Option<String>,
    /// Items that were read for it.
    pub read: usize,
}

/// As many records as `limit` that pass, in the order of the queries, of about the first `most` items.
pub(super) async fn read_rows<T: DeserializeOwned>(
    table: &Table,
    queries: Vec<Query>,
    limit: usize,
    most: usize,
    passes: impl Fn(&T) -> bool,
) -> Result<Found<T>> {
    let (mut rows, mut read, mut last) = (Vec::new(), 0, None);
    // One more tells whether there is more.
    let mut at_once = (limit + 1).min(READ);
    for mut query in queries {
        loop {
            query.limit = at_once;
            let page = table.page(&query).await?;
            for (key, item) in page.items {
                if rows.len() == limit {
                    let next = last;
                    return Ok(Found { rows, next, read });
                }
                read += 1;
                last = Some(key.sk.clone());
                if let Ok(record) = from_item(&key, item)
                    && passes(&record)
                {
                    rows.push((key.sk, record));
                }
            }
            at_once = if rows.len() == limit { 1 } else { READ };
            query.after = page.next;
            if query.after.is_none() {
                break;
            }
            if read >= most {
                let next = query.after;
                return Ok(Found { rows, next, read });
            }
        }
    }
    let next = None;
    Ok(Found { rows, next, read })
}

/// A list in one partition, newest first where its sort keys tell the time.
pub(super) struct Newest<'a> {
    pub partition: String,
    /// What all its sort keys begin with.
    pub prefix: &'a str,
    /// Stretches of what follows in them, both ends included, in the order of the list.
    pub stretches: &'a [(&'a str, &'a str)],
}

/// All in one stretch.
pub(super) const WHOLE: &[(&str, &str)] = &[("", "~")];

impl Newest<'_> {
    /// A part, read from where it begins: it costs the same however long the list is.
    pub async fn part<T: DeserializeOwned>(
        &self,
        table: &Table,
        part: &PageQuery,
        passes: impl Fn(&T) -> bool,
    ) -> Result<Page<T>> {
        let limit = part.limit()?.unwrap_or(ROWS);
        let list = format!("{}/{}", self.partition, self.prefix);
        let queries = self.queries(part.after(&list)?);
        let found = read_rows(table, queries, limit, MAX_READ, passes).await?;
        let place = |key: String| {
            let place = key.strip_prefix(self.prefix).unwrap_or(&key);
            encode_cursor(&list, place)
        };
        Ok(Page {
            rows: found.rows.into_iter().map(|(_, row)| row).collect(),
            next: found.next.map(place),
        })
    }

    /// From the stretch on that the place is in, which is begun after it.
    fn queries(&self, mut after: Option<String>) -> Vec<Query> {
        let mut queries = Vec::new();
        let key = |place: &str| format!("{}{place}", self.prefix);
        for (from, to) in self.stretches {
            let is_here = |place: &String| (*from..=*to).contains(&place.as_str());
            if after.as_ref().is_none_or(is_here) {
                let query = Query::prefix(&self.partition, self.prefix).newest_first();
                queries.push(Query {
                    range: SortRange::Between(key(from), key(to)),
                    ..query.after(after.take().map(|place| key(&place)))
                });
            }
        }
        queries
    }
}

/// A cursor names its list: in another one its place would mean something else, or nothing.
pub(super) fn encode_cursor(list: &str, place: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{list}\n{place}"))
}

pub(super) fn decode_cursor(list: &str, cursor: &str) -> Result<String> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
    let text = bytes
        .filter(|bytes| bytes.len() <= MAX_CURSOR)
        .and_then(|bytes| String::from_utf8(bytes).ok());
    let place = text
        .as_deref()
        .and_then(|text| text.strip_prefix(list)?.strip_prefix('\n'));
    place
        .filter(|place| !place.is_empty())
        .map(ToOwned::to_owned)
        .ok_or_else(|| {
            Error::validation(
                "cursor",
                "This is no cursor of this list. Take it from the answer before, unchanged.",
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn page(rows: &[i64], limit: u32, cursor: Option<String>) -> Page<i64> {
        let query = PageQuery {
            limit: Some(limit),
            cursor,
        };
        Page::of("rows", rows.to_vec(), &query, |row| format!("{row:019}")).expect("a page")
    }

    proptest! {
        #[test]
        fn parts_put_together_are_the_list(mut rows in prop::collection::btree_set(0_i64..1_000_000, 0..60), limit in 1_u32..20) {
            let rows: Vec<i64> = std::mem::take(&mut rows).into_iter().collect();
            let (mut all, mut cursor) = (Vec::new(), None);
            loop {
                let part = page(&rows, limit, cursor);
                prop_assert!(part.rows.len() <= limit as usize);
                prop_assert!(part.next.is_none() || part.rows.len() == limit as usize);
                all.extend(part.rows);
                cursor = part.next;
                if cursor.is_none() {
                    break;
                }
            }
            prop_assert_eq!(all, rows);
        }

        #[test]
        fn a_row_that_goes_moves_no_other_into_or_out_of_the_next_part(rows in prop::collection::btree_set(0_i64..1_000, 2..40)) {
            let rows: Vec<i64> = rows.into_iter().collect();
            let first = page(&rows, 1, None);
            let next = page(&rows[1..], 1_000, first.next);
            prop_assert_eq!(&next.rows, &rows[1..]);
        }

        #[test]
        fn any_cursor_is_read_or_refused_by_its_name(cursor in "\\PC{0,40}") {
            let query = PageQuery { limit: None, cursor: Some(cursor) };
            if let Err(error) = Page::of("rows", vec![1_i64], &query, i64::to_string) {
                prop_assert_eq!(error.field.as_deref(), Some("cursor"));
            }
        }

        #[test]
        fn a_cursor_is_good_in_its_own_list(list in "[ -~]{1,40}", other in "[ -~]{1,40}", place in "[ -~]{1,60}") {
            let cursor = encode_cursor(&list, &place);
            prop_assert_eq!(decode_cursor(&list, &cursor).expect("ours"), place);
            prop_assert_eq!(decode_cursor(&other, &cursor).is_ok(), list == other);
        }
    }
}
