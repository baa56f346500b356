//! Requests that are sent again under their caller's key: one effect, one answer.
//!
//! A key's record is claimed before the request runs and holds its answer afterwards. A claim is a lease, renewed while the request runs: what a
//! server that is gone had begun can be asked for again, and runs again, for nobody can tell how far it had come.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

use super::actor::Actor;
use super::functions::record::{hexadecimal, sha256_hex};
use super::table::{Table, blob_error, internal, to_item};
use crate::model::error::{Error, ErrorKind, Result};
use crate::model::time::Timestamp;
use crate::port::blobs::{BlobError, Blobs};
use crate::port::keys;
use crate::port::store::{Condition, EXPIRES_AT, Key, Update, Write};

/// The field of what is said about keys.
pub const FIELD: &str = "Idempotency-Key";
/// Where the blobs hold long bodies.
pub const BLOBS: &str = "idempotency/";
/// Answers are kept for so many seconds.
pub const KEPT: i64 = 24 * 3_600;
/// Seconds after which a claim that nobody renewed is free.
const LEASE: i64 = 30;
const RENEWAL: Duration = Duration::from_secs(10);
/// Longer bodies go to the blobs, in bytes.
const MAX_INLINE: usize = 32 * 1024;
const MAX_KEY: usize = 255;
/// Claims that may be lost to others before the caller is told to come back.
const ATTEMPTS: usize = 8;

/// A caller's name for one request: visible ASCII characters, 255 at most.
#[derive(Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    pub fn parse(text: &[u8]) -> Result<Self> {
        let fits =
            !text.is_empty() && text.len() <= MAX_KEY && text.iter().all(u8::is_ascii_graphic);
        let key = std::str::from_utf8(text).ok().filter(|_| fits);
        key.map(|key| Self(key.to_owned())).ok_or_else(|| {
            Error::validation(
                FIELD,
                format!(
                    "Send a key of 1 to {MAX_KEY} visible ASCII characters, a UUID for instance."
                ),
            )
        })
    }
}

/// What a key stands for. Of the request itself only a hash is kept, which the key is part of: bodies hold passwords, and a bare hash of one could be guessed.
pub struct KeyedRequest<'a> {
    pub key: &'a IdempotencyKey,
    pub method: &'a str,
    /// Path and query.
    pub address: &'a str,
}

/// What is kept of a request: where its record is, and a hash of the rest.
pub struct SealedRequest {
    record: Key,
    fingerprint: String,
}

impl KeyedRequest<'_> {
    /// `content` is the body's type and content, in parts that two equal requests have alike.
    pub fn seal<'a>(
        &'a self,
        actor: &Actor,
        content: impl Iterator<Item = &'a [u8]>,
    ) -> SealedRequest {
        SealedRequest {
            record: self.record_key(actor),
            fingerprint: self.fingerprint(content),
        }
    }

    fn record_key(&self, actor: &Actor) -> Key {
        let path = self.address.split('?').next().unwrap_or_default();
        let parts = [actor.name(), self.method, path, &self.key.0];
        keys::idempotency(&hash(parts.into_iter().map(str::as_bytes)))
    }

    fn fingerprint<'a>(&'a self, content: impl Iterator<Item = &'a [u8]>) -> String {
        let parts = [self.key.0.as_bytes(), self.address.as_bytes()];
        hash(parts.into_iter().chain(content))
    }
}

/// Of parts that cannot run into each other.
fn hash<'a>(parts: impl Iterator<Item = &'a [u8]>) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hexadecimal(&hasher.finalize())
}

/// An answer as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

/// An answer as its record keeps it.
#[derive(Clone, Serialize, Deserialize)]
struct StoredAnswer {
    status: u16,
    headers: Vec<(String, String)>,
    /// Base64; `None` for what the blobs hold.
    body: Option<String>,
    /// Hexadecimal, of a body in the blobs.
    sha256: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Record {
    fingerprint: String,
    /// Who runs the request; another one after a claim was taken over.
    claim: String,
    /// Seconds since the epoch.
    leased_until: i64,
    answer: Option<StoredAnswer>,
    expires_at: i64,
}

/// The right to run a request.
pub struct Claim {
    key: Key,
    id: String,
}

impl Claim {
    fn holds(&self) -> Condition {
        Condition::Equals("claim".to_owned(), self.id.as_str().into())
    }

    fn blob(&self) -> String {
        format!("{BLOBS}{}", self.id)
    }
}

/// What comes of a request with a key.
pub enum Begun {
    /// It ran before.
    Answered(Answer),
    /// It is the caller's to run, and then to keep or to release.
    Claimed(Claim),
}

pub struct Idempotency {
    table: Table,
    blobs: Arc<dyn Blobs>,
}

impl Idempotency {
    pub fn new(table: Table, blobs: Arc<dyn Blobs>) -> Arc<Self> {
        Arc::new(Self { table, blobs })
    }

    /// Refused while the same request runs elsewhere, and when the key came with another request before.
    pub async fn begin(&self, request: &SealedRequest) -> Result<Begun> {
        let (key, fingerprint) = (&request.record, &request.fingerprint);
        for _ in 0..ATTEMPTS {
            let now = Timestamp::now().seconds();
            let found: Option<Record> = self.table.get(key).await?;
            let condition = match found {
                Some(record) if record.expires_at > now => {
                    if record.fingerprint != *fingerprint {
                        return Err(used_before());
                    }
                    if let Some(answer) = record.answer {
                        return Ok(Begun::Answered(self.read(&record.claim, answer).await?));
                    }
                    if record.leased_until > now {
                        return Err(in_progress());
                    }
                    Condition::Equals("claim".to_owned(), record.claim.into())
                }
                Some(record) => Condition::Equals("claim".to_owned(), record.claim.into()),
                None => Condition::Absent,
            };
            let claim = Claim {
                key: key.clone(),
                id: Uuid::now_v7().to_string(),
            };
            let record = Record {
                fingerprint: fingerprint.clone(),
                claim: claim.id.clone(),
                leased_until: now + LEASE,
                answer: None,
                expires_at: now + KEPT,
            };
            let write = Write::Put {
                key: key.clone(),
                item: to_item(&record)?,
                condition: Some(condition),
            };
            if self.table.try_transact(vec![write], None).await? {
                return Ok(Begun::Claimed(claim));
            }
        }
        Err(in_progress())
    }

    /// Keeps the claim for as long as `work` takes.
    pub async fn while_claimed<T>(&self, claim: &Claim, work: impl Future<Output = T>) -> T {
        let renewing = async {
            loop {
                tokio::time::sleep(RENEWAL).await;
                let until = Timestamp::now().seconds() + LEASE;
                let update = Update::new(claim.key.clone()).set("leased_until", until);
                let renewed: Result<Option<Record>> =
                    self.table.try_update(update.when(claim.holds())).await;
                if let Err(error) = renewed {
                    tracing::warn!(%error, "the claim of an idempotent request could not be renewed");
                }
            }
        };
        tokio::select! {
            done = work => done,
            () = renewing => unreachable!("renewing does not end"),
        }
    }

    /// From now on the request has this answer.
    pub async fn keep(&self, claim: &Claim, answer: &Answer) -> Result<()> {
        let mut stored = StoredAnswer {
            status: answer.status,
            headers: answer.headers.clone(),
            body: None,
            sha256: None,
        };
        if answer.body.len() <= MAX_INLINE {
            stored.body = Some(STANDARD.encode(&answer.body));
        } else {
            let sha256 = sha256_hex(&answer.body);
            self.blobs
                .put(&claim.blob(), answer.body.clone(), Some(&sha256))
                .await
                .map_err(blob_error)?;
            stored.sha256 = Some(sha256);
        }
        let stored = to_item(&stored)?;
        let update = Update::new(claim.key.clone())
            .set("answer", serde_json::Value::Object(stored))
            .set(EXPIRES_AT, Timestamp::now().seconds() + KEPT)
            .when(claim.holds());
        let _: Option<Record> = self.table.try_update(update).await?;
        Ok(())
    }

    /// Nothing came of the request: it may be sent again.
    pub async fn release(&self, claim: &Claim) -> Result<()> {
        let write = Write::Delete {
            key: claim.key.clone(),
            condition: Some(claim.holds()),
        };
        // Somebody else's by now is as well.
        self.table.try_transact(vec![write], None).await?;
        Ok(())
    }

    async fn read(&self, claim: &str, stored: StoredAnswer) -> Result<Answer> {
        let body = match (stored.body, stored.sha256) {
            (Some(text), _) => STANDARD
                .decode(text)
                .map_err(|cause| internal("STORE_ERROR", cause))?
                .into(),
            (None, sha256) => self
                .blobs
                .get(&format!("{BLOBS}{claim}"), sha256.as_deref())
                .await
                .map_err(|error| match error {
                    BlobError::Missing(_) => no_longer_kept(),
                    other => blob_error(other),
                })?,
        };
        Ok(Answer {
            status: stored.status,
            headers: stored.headers,
            body,
        })
    }
}

fn used_before() -> Error {
    Error::conflict(
        "This Idempotency-Key came with another request before. Send the same request again, or use a new key.",
    )
    .with_field(FIELD)
}

fn in_progress() -> Error {
    let error = Error::conflict(
        "The request with this Idempotency-Key is still running. Send it again in a moment.",
    );
    Error {
        retry_after: Some(1),
        ..error.with_field(FIELD)
    }
}

fn no_longer_kept() -> Error {
    Error::new(
        ErrorKind::Conflict,
        "The answer to this Idempotency-Key is no longer kept. Look whether what it asked for is there, and use a new key.",
    )
    .with_field(FIELD)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyed<'a>(key: &'a IdempotencyKey, address: &'a str) -> KeyedRequest<'a> {
        KeyedRequest {
            key,
            method: "POST",
            address,
        }
    }

    #[test]
    fn a_key_is_a_short_visible_text() {
        for good in [
            "a",
            "0199a0b4-7b7e-7cc0-8000-0123456789ab",
            &"k".repeat(255),
        ] {
            assert!(IdempotencyKey::parse(good.as_bytes()).is_ok(), "{good}");
        }
        for bad in ["", " ", "a b", "결제", "a\tb", &"k".repeat(256)] {
            let refused = IdempotencyKey::parse(bad.as_bytes()).err();
            assert_eq!(
                refused.and_then(|error| error.field).as_deref(),
                Some(FIELD),
                "{bad}"
            );
        }
    }

    #[test]
    fn a_key_belongs_to_an_actor_and_a_path_and_stands_for_all_of_the_request() {
        let (one, two) = (
            IdempotencyKey::parse(b"one").expect("a key"),
            IdempotencyKey::parse(b"two").expect("a key"),
        );
        let content: [&[u8]; 2] = [b"application/json", b"{}"];
        let other: [&[u8]; 2] = [b"application/json{", b"}"];
        let actor = Actor::anonymous();
        let first = keyed(&one, "/api/workspaces");
        assert_eq!(
            first.record_key(&actor),
            keyed(&one, "/api/workspaces?a=b").record_key(&actor)
        );
        for another in [
            keyed(&two, "/api/workspaces").record_key(&actor),
            keyed(&one, "/api/v1/deploy").record_key(&actor),
            first.record_key(&Actor::of_record("someone")),
        ] {
            assert_ne!(first.record_key(&actor), another);
        }
        for (another, its) in [
            (keyed(&one, "/api/workspaces?a=b"), content),
            (keyed(&one, "/api/workspaces"), other),
        ] {
            assert_ne!(
                first.fingerprint(content.into_iter()),
                another.fingerprint(its.into_iter())
            );
        }
    }
}
