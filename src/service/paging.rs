//! Parts of lists: so many rows, and where the next part begins.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::model::error::{Error, Result};

/// Rows of one part at most.
const MAX_LIMIT: u32 = 1_000;
const MAX_CURSOR: usize = 512;

/// Which part of a list is asked for: all of it, when nothing is said.
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

    /// The place of the last row before.
    pub fn after(&self) -> Result<Option<String>> {
        self.cursor.as_deref().map(decode_cursor).transpose()
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
    /// `place` is what the rows are put in rising order by: a cursor stays good when rows come and go.
    pub fn of(mut rows: Vec<T>, query: &PageQuery, place: impl Fn(&T) -> String) -> Result<Self> {
        let limit = query.limit()?.unwrap_or(usize::MAX);
        let after = query.after()?;
        if let Some(after) = after {
            rows.retain(|row| place(row) > after);
        }
        rows.sort_by_cached_key(&place);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let last = rows.last().filter(|_| more);
        let next = last.map(|row| URL_SAFE_NO_PAD.encode(place(row)));
        Ok(Self { rows, next })
    }
}

fn decode_cursor(cursor: &str) -> Result<String> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
    bytes
        .filter(|bytes| (1..=MAX_CURSOR).contains(&bytes.len()))
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| {
            Error::validation(
                "cursor",
                "This cursor is not one of ours. Take it from the answer before, unchanged.",
            )
        })
}

/// A place in falling order for what has one in rising order, below 2^63.
pub fn falling(number: i64) -> String {
    format!("{:019}", i64::MAX - number.max(0))
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
        Page::of(rows.to_vec(), &query, |row| format!("{row:019}")).expect("a page")
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
            if let Err(error) = Page::of(vec![1_i64], &query, i64::to_string) {
                prop_assert_eq!(error.field.as_deref(), Some("cursor"));
            }
        }

        #[test]
        fn falling_places_turn_the_order_round(a in 0_i64..i64::MAX, b in 0_i64..i64::MAX) {
            prop_assert_eq!(a.cmp(&b), falling(b).cmp(&falling(a)));
        }
    }
}
