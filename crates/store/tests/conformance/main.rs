//! What the verbs of the port mean: one suite, run by every store.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its helpers too"
)]

#[path = "../support/mod.rs"]
mod support;

mod accounts;
mod api_keys;
mod devices_codes_keys;
mod events;
mod purge;
mod revocation;
mod rotation;
mod sessions;
mod throttle;
mod upstream_tokens;
mod users;

/// Runs each rule against each store. A further store is one more module here.
macro_rules! conformance {
    ($($file:ident :: $rule:ident,)*) => {
        mod memory {
            $(#[tokio::test]
            async fn $rule() {
                crate::$file::$rule(&countersign_store::MemoryStore::new()).await;
            })*
        }

        mod sqlite {
            $(#[tokio::test]
            async fn $rule() {
                let (_directory, store) = crate::support::sqlite();
                crate::$file::$rule(&store).await;
            })*
        }

        mod any {
            $(#[tokio::test]
            async fn $rule() {
                let (_directory, store) = crate::support::sqlite();
                crate::$file::$rule(&countersign_store::AnyStore::Sqlite(store)).await;
            })*
        }
    };
}

conformance! {
    users::an_address_is_taken_once,
    users::users_are_listed_by_address,
    users::a21_an_identity_is_one_users,
    users::a_user_comes_back_as_it_was,
    users::d11_a_new_password_ends_every_session,
    users::p4_a_late_change_of_password_changes_nothing,
    users::f04_a_hash_is_upgraded_only_if_it_is_still_the_same,
    users::d11_disabling_ends_every_session_and_enabling_revives_none,
    users::verbs_on_nobody_change_nothing,
    accounts::g04_a_lost_scope_ends_every_session,
    accounts::a_removed_user_is_gone_and_stays_refused,
    sessions::a_session_comes_back_as_it_was,
    sessions::nobody_opens_no_session,
    sessions::an_id_drawn_twice_is_an_error_and_changes_nothing,
    sessions::a_login_replaces_the_browsers_session,
    sessions::d14_the_oldest_end_to_make_room,
    sessions::d14_or_the_new_one_is_refused,
    sessions::lists_are_newest_first_and_bounded,
    rotation::a_step_is_written_once,
    rotation::d04_an_ended_session_never_moves,
    rotation::a_confirmation_is_no_conflict,
    rotation::lost_answers_are_part_of_the_comparison,
    rotation::abandoned_ranges_are_kept_and_loaded,
    rotation::uses_only_move_forward,
    rotation::time_of_last_use_never_runs_backwards,
    revocation::revoke_is_once,
    revocation::d12_others_end_and_this_one_stays,
    revocation::h04_a_users_sessions_end_and_the_epoch_rises,
    revocation::h04_everyone,
    revocation::what_a_node_must_remember,
    api_keys::g03_a_key_comes_back_with_its_owner,
    api_keys::nobody_and_the_disabled_own_no_new_key,
    api_keys::the_limit_counts_keys_that_work,
    api_keys::lists_are_newest_first,
    api_keys::g08_revoking_a_key,
    api_keys::h04_all_keys_of_a_user,
    api_keys::g05_uses_are_noted,
    api_keys::dead_keys_are_purged,
    throttle::f08_all_keys_or_none,
    throttle::f07_a_success_forgets,
    throttle::f07_a_success_is_taken_back,
    throttle::f07_failures_are_forgotten_after_the_window,
    throttle::f08_1000_parallel_guesses_do_not_pass_the_cap,
    devices_codes_keys::a_device_is_known_to_its_user_only,
    devices_codes_keys::f09_a_code_works_once,
    devices_codes_keys::a_code_is_for_one_purpose_and_expires,
    devices_codes_keys::an_invitation_makes_a_user_or_stays,
    devices_codes_keys::the_newest_invitation_counts,
    devices_codes_keys::signing_keys_come_back,
    devices_codes_keys::two_nodes_make_one_first_key,
    devices_codes_keys::a_sealed_value_is_never_replaced,
    devices_codes_keys::h08_two_nodes_make_one_next_key,
    devices_codes_keys::a_key_is_hastened_never_delayed,
    devices_codes_keys::what_is_sealed_is_sealed_anew_once,
    devices_codes_keys::sessions_are_counted_by_master_key,
    upstream_tokens::a_token_is_kept_by_holder_and_upstream,
    upstream_tokens::a_token_is_replaced_once,
    upstream_tokens::d10_a_token_ends_with_its_session,
    upstream_tokens::tokens_are_counted_and_found_by_master_key,
    upstream_tokens::expired_tokens_are_purged,
    events::i05_events_come_back_in_order,
    events::filters_combine,
    events::the_newest_unless_following,
    purge::d10_ended_sessions_stay_for_the_record,
    purge::passing_users_go_with_their_session,
    purge::batches_are_bounded,
    purge::row_numbers_are_never_used_twice,
    purge::it_answers,
}
