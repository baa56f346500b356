//! Encoded lists, kept while nothing in them changed: clients that poll mostly ask for what they have seen.

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderValue, header};
use serde::Serialize;

use super::error::Result;
use super::extract::Parameters;
use crate::model::error;
use crate::service::kept::{Kept, Stamp};
use crate::service::paging::Page;
use crate::service::table::internal;

/// Lists kept at most, and the bytes of one at most.
const LISTS: usize = 64;
const LARGEST: usize = 512 * 1024;
/// A longer address is not one that is asked for often.
const LONGEST_ADDRESS: usize = 512;

/// A list as it is sent.
#[derive(Clone)]
pub struct Answer {
    body: Bytes,
    /// Where the next page is.
    link: Option<HeaderValue>,
}

impl Answer {
    pub fn json<T: Serialize>(value: &T, link: Option<HeaderValue>) -> error::Result<Self> {
        let body = serde_json::to_vec(value).map_err(|cause| internal("ENCODING", cause))?;
        Ok(Self {
            body: body.into(),
            link,
        })
    }
}

/// A part of a bare list.
pub fn list<T: Serialize>(
    page: &Page<T>,
    uri: &http::Uri,
    parameters: &Parameters,
) -> error::Result<Answer> {
    Answer::json(
        &page.rows,
        parameters.link(uri.path(), page.next.as_deref()),
    )
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let json = HeaderValue::from_static("application/json");
        let mut response = ([(header::CONTENT_TYPE, json)], self.body).into_response();
        if let Some(link) = self.link {
            response.headers_mut().insert(header::LINK, link);
        }
        response
    }
}

/// By the address that was asked for: all callers may read the same.
pub struct Answers(Kept<Answer>);

impl Default for Answers {
    fn default() -> Self {
        Self(Kept::new(LISTS))
    }
}

impl Answers {
    pub async fn get(
        &self,
        address: &http::Uri,
        stamp: Option<Stamp>,
        make: impl Future<Output = error::Result<Answer>>,
    ) -> Result<Answer> {
        let address = address
            .path_and_query()
            .map_or("", http::uri::PathAndQuery::as_str);
        let stamp = stamp.filter(|_| address.len() <= LONGEST_ADDRESS);
        let is_small = |answer: &Answer| answer.body.len() <= LARGEST;
        Ok(self.0.get(address, stamp, make, is_small).await?)
    }
}
