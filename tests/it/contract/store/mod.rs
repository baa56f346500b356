//! The contract of [`blue_faas::port::store::Store`].

use blue_faas::port::store::{Item, Key, Page, Query, SortRange, Store, StoreError};
use serde_json::Value;
use std::sync::Arc;

pub mod conditions;
pub mod items;
pub mod queries;
pub mod scans;
pub mod transactions;
pub mod updates;

/// Every case against the store that `open` gives (a future of an `Opened<dyn Store>`); each case gets a fresh one.
macro_rules! store_contract {
    (open: $open:expr, gaps: $gaps:expr) => {
        $crate::contract::store::store_cases!(contract_tests, ($open), $gaps);
    };
}
pub(crate) use store_contract;

/// The same in one test: `start` gives a server, `open` a fresh store on it.
macro_rules! store_contract_in_sequence {
    (start: $start:expr, open: $open:expr, gaps: $gaps:expr) => {
        $crate::contract::store::store_cases!(contract_in_sequence, ($start, $open), $gaps);
    };
}
pub(crate) use store_contract_in_sequence;

macro_rules! store_cases {
    ($run:ident, $open:tt, $gaps:expr) => {
        use $crate::contract::store::{conditions, items, queries, scans, transactions, updates};

        $crate::contract::$run!(
            $open,
            $gaps,
            [
                items::what_was_put_comes_back_with_its_types,
                items::fractions_keep_every_bit,
                items::a_missing_item_is_none_and_deleting_it_is_fine,
                items::a_put_replaces_the_whole_item,
                items::keys_with_special_characters_are_told_apart,
                items::an_item_of_300_kilobytes_is_kept,
                items::what_no_store_can_keep_is_refused_and_nothing_is_written,
                items::a_read_sees_the_write_acknowledged_before_it,
                items::purging_removes_expired_items_alone,
                items::a_store_answers_its_check,
                conditions::conditions_hold_or_fail_as_documented,
                conditions::every_kind_of_write_obeys_its_condition,
                conditions::a_condition_looks_at_the_item_before_the_write,
                updates::an_update_sets_removes_and_adds_at_once,
                updates::an_update_creates_a_missing_item,
                updates::sums_are_exact_and_whole_where_they_can_be,
                updates::an_impossible_update_changes_nothing,
                updates::concurrent_additions_are_all_counted,
                updates::concurrent_updates_of_different_attributes_keep_each_other,
                transactions::a_transaction_happens_whole,
                transactions::a_failing_write_is_named_and_nothing_happens,
                transactions::a_hundred_writes_fit_and_one_more_is_refused,
                transactions::a_key_named_twice_is_refused,
                transactions::a_token_counts_once,
                transactions::a_failed_transaction_can_be_sent_again_with_its_token,
                transactions::of_racing_creations_one_wins,
                transactions::racing_transfers_lose_nothing,
                queries::sort_keys_are_ordered_by_their_bytes,
                queries::paging_answers_every_item_once,
                queries::a_prefix_takes_what_starts_with_it_and_nothing_else,
                queries::a_range_includes_both_ends,
                queries::going_on_after_any_key_stays_within_the_range,
                queries::large_items_are_paged_to_the_end,
                queries::items_that_stay_are_neither_skipped_nor_repeated_while_others_change,
                queries::a_query_for_nothing_is_refused_and_an_empty_partition_is_an_empty_page,
                scans::a_scan_answers_every_item_of_every_partition_once,
                scans::an_empty_table_is_an_empty_page,
                scans::a_scan_goes_on_while_items_come_and_go,
            ]
        );
    };
}
pub(crate) use store_cases;

pub fn key(pk: &str, sk: &str) -> Key {
    Key::new(pk, sk)
}

pub fn item(value: Value) -> Item {
    match value {
        Value::Object(item) => item,
        other => panic!("{other} is no item"),
    }
}

/// Follows every page of a query.
pub async fn all(store: &Arc<dyn Store>, mut query: Query) -> Vec<(Key, Item)> {
    let mut found = Vec::new();
    loop {
        let Page { items, next } = store.query(&query).await.unwrap();
        assert!(
            items.len() <= query.limit,
            "{} items for a limit of {}",
            items.len(),
            query.limit
        );
        found.extend(items);
        match next {
            None => return found,
            Some(next) => query.after = Some(next),
        }
    }
}

pub async fn sort_keys(store: &Arc<dyn Store>, query: Query) -> Vec<String> {
    all(store, query)
        .await
        .into_iter()
        .map(|(key, _)| key.sk)
        .collect()
}

pub fn range(pk: &str, range: SortRange) -> Query {
    Query {
        pk: pk.to_owned(),
        range,
        forward: true,
        limit: 100,
        after: None,
    }
}

/// Calls again while the store says that it is busy, as a caller would.
pub async fn persist<T, F: Future<Output = Result<T, StoreError>>>(
    call: impl Fn() -> F,
) -> Result<T, StoreError> {
    loop {
        match call().await {
            Err(StoreError::Busy) => tokio::time::sleep(std::time::Duration::from_millis(5)).await,
            result => return result,
        }
    }
}
