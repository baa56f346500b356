//! The DynamoDB store, on servers that speak its protocol. dynoxide has everything; the others are more exact about some things and lack
//! others, which is declared.

use blue_faas::port::store::Store;
use std::sync::Arc;

use super::Opened;
use crate::support::emulator::Emulator;

async fn open(emulator: Emulator) -> Opened<dyn Store> {
    Opened {
        port: Arc::new(emulator.new_store().await),
        keep: Box::new(emulator),
    }
}

mod dynoxide {
    use super::{Emulator, open};
    use crate::contract::store::store_contract;

    store_contract!(open: open(Emulator::dynoxide()), gaps: []);
}

mod dynalite {
    use super::{Emulator, open};
    use crate::contract::store::store_contract;

    const NO_TRANSACTIONS: &str =
        "dynalite has no transactions, which single conditional writes are as well";

    store_contract!(open: open(Emulator::dynalite()), gaps: [
        ("conditions_hold_or_fail_as_documented", NO_TRANSACTIONS),
        ("every_kind_of_write_obeys_its_condition", NO_TRANSACTIONS),
        ("a_transaction_happens_whole", NO_TRANSACTIONS),
        ("a_failing_write_is_named_and_nothing_happens", NO_TRANSACTIONS),
        ("a_hundred_writes_fit_and_one_more_is_refused", NO_TRANSACTIONS),
        ("a_key_named_twice_is_refused", NO_TRANSACTIONS),
        ("a_token_counts_once", NO_TRANSACTIONS),
        ("a_failed_transaction_can_be_sent_again_with_its_token", NO_TRANSACTIONS),
        ("of_racing_creations_one_wins", NO_TRANSACTIONS),
        ("racing_transfers_lose_nothing", NO_TRANSACTIONS),
    ]);
}

mod moto {
    use blue_faas::port::store::Store;
    use std::sync::Arc;

    use crate::contract::store::store_contract_in_sequence;
    use crate::support::emulator::new_store_at;
    use crate::support::moto::Moto;

    async fn open(moto: &Moto) -> Arc<dyn Store> {
        Arc::new(new_store_at(&moto.endpoint()).await)
    }

    store_contract_in_sequence!(start: Moto::start(), open: open, gaps: [
        ("conditions_hold_or_fail_as_documented", "moto compares a number with a text by failing"),
        ("an_impossible_update_changes_nothing", "moto has set some attributes when it finds that it cannot add to another"),
        ("a_token_counts_once", "moto ignores ClientRequestToken"),
        ("a_failed_transaction_can_be_sent_again_with_its_token", "moto ignores ClientRequestToken"),
    ]);
}
