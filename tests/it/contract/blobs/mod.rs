//! The contract of [`blue_faas::port::blobs::Blobs`].

use blue_faas::port::blobs::BlobError;
use bytes::Bytes;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

pub mod files;
pub mod listing;
pub mod objects;
pub mod races;

/// Every case against the blobs that `open` gives (a future of an `Opened<dyn Blobs>`); each case gets fresh ones.
macro_rules! blobs_contract {
    (open: $open:expr, gaps: $gaps:expr) => {
        use $crate::contract::blobs::{files, listing, objects, races};

        $crate::contract::contract_tests!(
            $open,
            $gaps,
            [
                objects::what_was_put_comes_back,
                objects::a_put_replaces_the_object,
                objects::a_missing_object_is_missing_and_deleting_it_is_fine,
                objects::keys_out_of_the_alphabet_are_refused,
                objects::content_without_its_hash_is_refused_before_it_is_visible,
                objects::content_that_does_not_have_the_asked_hash_is_damaged,
                files::a_file_is_taken_over,
                files::a_file_without_its_hash_is_left_where_it_is,
                files::an_object_can_be_read_as_a_local_file,
                listing::a_list_has_every_object_below_a_prefix,
                listing::a_list_goes_on_beyond_a_thousand,
                listing::a_folder_goes_with_all_in_it_and_nothing_else,
                races::concurrent_puts_of_one_key_leave_one_of_them_whole,
                races::puts_and_deletes_of_neighbours_do_not_disturb_each_other,
                listing::usage_counts_what_is_kept_here,
                objects::a_url_names_the_key,
            ]
        );
    };
}
pub(crate) use blobs_contract;

pub fn sha256(content: &[u8]) -> String {
    Sha256::digest(content)
        .iter()
        .fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        })
}

/// Bytes that no compression or line ending survives by luck.
pub fn binary(length: usize) -> Bytes {
    (0..length)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect::<Vec<u8>>()
        .into()
}

pub fn is_missing<T>(result: &Result<T, BlobError>) -> bool {
    matches!(result, Err(BlobError::Missing(_)))
}
