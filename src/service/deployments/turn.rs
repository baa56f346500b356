//! Whose turn it is to change what the platform has under an app's name.
//!
//! Invariant: an app is rolled out and taken down in its turn only, which one of all servers has; and what came of it is recorded only while
//! it still has it.

use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::sync::OwnedMutexGuard;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

use super::Deployments;
use crate::model::deployment::AppName;
use crate::model::error::{Error, Result};
use crate::model::time::Timestamp;
use crate::port::keys;
use crate::port::store::{Condition, Key, Update, Write};
use crate::service::table::{Table, to_item};

/// How long callers wait for their turn: longer than a lease, so that a server that is gone keeps nobody from deploying.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// For deletions, which can be asked for once only, and tasks: longer than any deployment takes.
pub(super) const LONG_PATIENCE: Duration = Duration::from_mins(3);
/// Seconds after which the turn of a server that is gone is free.
const LEASE: i64 = 15;
const RENEWAL: Duration = Duration::from_secs(5);
/// How often another server's turn is looked at.
const POLL: Duration = Duration::from_millis(250);
/// Seconds after which a record that nobody deleted may be removed.
const KEPT: i64 = 24 * 3_600;

#[derive(Serialize, Deserialize)]
struct TurnRecord {
    /// Another one each time.
    holder: String,
    /// Seconds since the epoch.
    leased_until: i64,
    expires_at: i64,
}

/// The right to change an app, renewed until it is dropped.
pub(super) struct Turn {
    lease: Lease,
    _end: DropGuard,
}

#[derive(Clone)]
struct Lease {
    table: Table,
    key: Key,
    holder: String,
}

impl Turn {
    /// For the transaction that records what was done: nobody else has had the turn since.
    pub(super) fn check(&self) -> Write {
        Write::Check {
            key: self.lease.key.clone(),
            condition: self.lease.holds(),
        }
    }

    pub(super) async fn is_held(&self) -> Result<bool> {
        let lease = &self.lease;
        let record: Option<TurnRecord> = lease.table.get(&lease.key).await?;
        Ok(record.is_some_and(|record| record.holder == lease.holder))
    }
}

impl Lease {
    fn holds(&self) -> Condition {
        Condition::Equals("holder".to_owned(), self.holder.as_str().into())
    }

    /// In an exclusive store, what another process held is free at once.
    async fn claim(&self) -> Result<bool> {
        let now = Timestamp::now().seconds();
        let found: Option<TurnRecord> = self.table.get(&self.key).await?;
        let condition = match found {
            None => Condition::Absent,
            Some(record) if self.table.is_exclusive() || record.leased_until <= now => {
                Condition::Equals("holder".to_owned(), record.holder.into())
            }
            Some(_) => return Ok(false),
        };
        let record = TurnRecord {
            holder: self.holder.clone(),
            leased_until: now + LEASE,
            expires_at: now + KEPT,
        };
        let write = Write::Put {
            key: self.key.clone(),
            item: to_item(&record)?,
            condition: Some(condition),
        };
        self.table.try_transact(vec![write], None).await
    }

    /// Holds it until `ended`, then gives it to others: first to other servers, then to this one's next.
    async fn keep(self, ended: CancellationToken, local: OwnedMutexGuard<()>) {
        while ended
            .run_until_cancelled(tokio::time::sleep(RENEWAL))
            .await
            .is_some()
        {
            let until = Timestamp::now().seconds() + LEASE;
            let update = Update::new(self.key.clone()).set("leased_until", until);
            let renewed: Result<Option<TurnRecord>> =
                self.table.try_update(update.when(self.holds())).await;
            if let Err(error) = renewed {
                tracing::warn!(%error, "a turn to deploy could not be renewed");
            }
        }
        let write = Write::Delete {
            key: self.key.clone(),
            condition: Some(self.holds()),
        };
        if let Err(error) = self.table.try_transact(vec![write], None).await {
            tracing::warn!(%error, "a turn to deploy could not be given back; it ends by itself");
        }
        drop(local);
    }
}

impl Deployments {
    /// Callers of this server wait for each other; for other servers' as long as `patience` at most.
    pub(super) async fn turn(&self, app: &AppName, patience: Duration) -> Result<Turn> {
        let local = self
            .busy
            .lock()
            .await
            .entry(app.clone())
            .or_default()
            .clone();
        let local = local.lock_owned().await;
        let lease = Lease {
            table: self.table.clone(),
            key: keys::turn(app),
            holder: Uuid::now_v7().to_string(),
        };
        let deadline = Instant::now() + patience;
        while !lease.claim().await? {
            if Instant::now() >= deadline {
                return Err(is_busy(app));
            }
            tokio::time::sleep(POLL).await;
        }
        let ended = CancellationToken::new();
        self.effects.begin(lease.clone().keep(ended.clone(), local));
        Ok(Turn {
            lease,
            _end: ended.drop_guard(),
        })
    }
}

fn is_busy(app: &AppName) -> Error {
    let error = Error::conflict(format!(
        "Another deployment of {app} is under way. Wait for its end, look at what serves, and try again."
    ));
    Error {
        retry_after: Some(10),
        ..error
    }
}
