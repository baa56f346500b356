//! What every adapter of a port must do, case by case, and which adapters are held to it.
//!
//! An adapter joins with one call of `store_contract!` or `blobs_contract!`: how to open a fresh one, and its gaps. A gap names a case that the
//! adapter does not pass and why; it is a line someone can read, not a test that is missing.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

use std::any::Any;
use std::sync::Arc;

mod blobs;
mod builder_service;
mod dynamodb;
mod dynamodb_faults;
mod filesystem;
mod loki;
mod prometheus;
mod remote_functions;
mod s3;
mod sqlite;
mod store;
mod store_model;
mod upstream_chaos;

/// A fresh adapter, and what must live as long as it: a directory, a server.
pub struct Opened<T: ?Sized> {
    pub port: Arc<T>,
    pub keep: Box<dyn Any + Send>,
}

/// A case the adapter does not pass, and why.
pub type Gap = (&'static str, &'static str);

/// A test for each case, run against what the future `$open` gives.
macro_rules! contract_tests {
    ($open:expr, $gaps:expr, [$($module:ident::$case:ident),+ $(,)?]) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $case() {
                let gaps: &[$crate::contract::Gap] = &$gaps;
                if gaps.iter().any(|(case, _)| *case == stringify!($case)) {
                    return;
                }
                let opened = $open.await;
                $module::$case(opened.port).await;
                drop(opened.keep);
            }
        )+

        #[test]
        fn every_gap_names_a_case_and_a_reason() {
            let gaps: &[$crate::contract::Gap] = &$gaps;
            for (case, reason) in gaps {
                assert!([$(stringify!($case)),+].contains(case), "{case} is no case of the contract");
                assert!(!reason.is_empty(), "{case} has no reason");
            }
        }
    };
}
pub(crate) use contract_tests;

/// One test that goes through all cases, for a server that takes too long to start for each. `$start` gives the server, `$open` what it opens.
macro_rules! contract_in_sequence {
    (($start:expr, $open:expr), $gaps:expr, [$($module:ident::$case:ident),+ $(,)?]) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        async fn every_case_one_after_the_other() {
            let gaps: &[$crate::contract::Gap] = &$gaps;
            for (case, reason) in gaps {
                assert!([$(stringify!($case)),+].contains(case), "{case} is no case of the contract");
                assert!(!reason.is_empty(), "{case} has no reason");
            }
            let server = $start;
            let mut failed = Vec::new();
            $(
                if gaps.iter().all(|(case, _)| *case != stringify!($case)) {
                    let case = $module::$case($open(&server).await);
                    let case = std::panic::AssertUnwindSafe(case);
                    if futures::FutureExt::catch_unwind(case).await.is_err() {
                        failed.push(stringify!($case));
                    }
                }
            )+
            assert!(failed.is_empty(), "{failed:?}");
        }
    };
}
pub(crate) use contract_in_sequence;
