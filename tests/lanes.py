"""The lanes of the tests: which are slow, and which are deep.

`make test-quick` leaves out slow and deep tests, `make test` only deep ones; `make test-deep` runs the deep ones. A
test may also be marked `slow` where it stands.
"""

#: Files of which every test is slow, by the beginning of their path: each compiles large programs of its own, or
#: needs another framework.
SLOW = (
    "adapters/test_copying",
    "adapters/test_forking",
    "adapters/test_gymnasium_autoreset",
    "adapters/test_gymnasium_forms",
    "adapters/test_gymnasium_masks",
    "adapters/test_gymnasium_state",
    "adapters/test_gymnasium_vector",
    "adapters/test_gymnasium_wrappers",
    "adapters/test_gymnax",
    "adapters/test_infos",
    "adapters/test_pettingzoo",
    "adapters/test_sb3",
    "adapters/test_step_equality",
    "adapters/test_torch",
    "browser/",
    "generate/test_floors",
    "generate/test_overworld",
    "judging/",
    "observe/test_mask",
    "oracle/test_coop",
    "oracle/test_scenes",
    "playing/test_terminal",
    "properties/test_budgets",
    "properties/test_episodes",
    "properties/test_hlo",
    "properties/test_invariants",
    "rules/test_attributes",
    "rules/test_coop_",
    "rules/test_endless",
    "rules/test_p",
    "rules/test_spawning",
    "rules/test_travel",
    "test_arguments",
    "test_bench",
    "test_cli.py",
    "test_examples",
    "test_guides",
    "test_readme",
    "test_replay",
    "test_validity",
    "trainers/test_baselines",
    "trainers/test_evaluate",
    "trainers/test_flatten_players",
    "trainers/test_kill",
    "trainers/test_plan",
    "trainers/test_probes",
    "trainers/test_recurrent",
    "trainers/test_report",
    "trainers/test_scale",
    "trainers/test_signals",
    "trainers/test_stagnation",
    "trainers/test_train",
    "trainers/test_world",
)

#: Tests that are deep, by file and function (or one of its cases); a name that ends in "/" is a folder. They play
#: for long, compile many programs, or repeat with more players or worlds what a test of `make test` checks
#: with few.
DEEP = (
    "adapters/test_copying.py::test_a_twin_goes_on_alike_and_apart[coop-pickle]",
    "adapters/test_copying.py::test_a_twin_goes_on_alike_and_apart[stable-pickle]",
    "adapters/test_copying.py::test_a_twin_goes_on_alike_and_apart[torch-pickle]",
    "adapters/test_forking.py::test_every_vectorization_mode_plays_the_same",
    "adapters/test_gymnasium_bounds.py::test_a_million_random_steps_stay_within_the_spaces",
    "adapters/test_gymnasium_forms.py::test_pixels_are_of_the_tokens_in_one_world_and_in_many[OpenWorld-Pixels-v0]",
    "adapters/test_gymnasium_forms.py::test_words_are_of_the_tokens_in_one_world_and_in_many[OpenWorld-v0]",
    "adapters/test_gymnasium_vector.py::test_symbolic_final_observations",
    "adapters/test_gymnax.py::test_a_vmap_compiles_to_the_batched_step",
    "adapters/test_gymnax.py::test_a_vmap_plays_as_the_functional_face_does[False]",
    "adapters/test_gymnax.py::test_maps_within_maps_scans_and_shared_arguments_are_one_batch",
    "adapters/test_step_equality.py::test_no_time_limit_compiles_anew_and_a_world_can_be_repeated[begun_gymnax]",
    "adapters/test_step_equality.py::test_no_time_limit_compiles_anew_and_a_world_can_be_repeated[begun_pettingzoo]",
    "adapters/test_step_equality.py::test_the_door_for_several_leads_one_player_to_the_same_world",
    "content/test_new_rows.py::test_it_appears_at_home_with_its_health",
    "deep/",
    "judging/test_commands.py::test_a_run_beside_a_random_agent",
    "judging/test_commands.py::test_our_runs_and_exports[remembering]",
    "judging/test_commands.py::test_the_worlds_side_by_side_do_not_change_the_result",
    "judging/test_commands.py::test_zips_of_stable_baselines3[DQN]",
    "judging/test_commands.py::test_zips_of_stable_baselines3[MaskablePPO]",
    "judging/test_leaderboard.py::test_its_shortest_episodes_play_as_recorded[openworld-v0-2026-ppo]",
    "observe/test_mask.py::test_a_masked_action_is_noop[endless]",
    "observe/test_mask.py::test_a_masked_action_is_noop_whatever_the_others_do",
    "observe/test_mask.py::test_a_random_player_earns_more_with_the_mask",
    "observe/test_mask.py::test_a_step_and_its_mask_copy_no_map",
    "observe/test_observations.py::test_symbolic_steps_show_what_token_steps_show",
    "observe/test_pixels.py::test_steps_that_show_pictures_are_those_that_show_tokens",
    "observe/test_pixels.py::test_what_is_played_is_shown_tile_by_tile[OpenWorld-v0]",
    "observe/test_text.py::test_what_is_played_is_told_shortly[OpenWorld-v0]",
    "observe/test_token_mask.py::test_it_never_forbids_what_is_of_use_in_long_play",
    "oracle/test_coop.py::test_random_players",
    "playing/test_session.py::test_two_players_share_a_world",
    "properties/test_batches.py::test_a_few_worlds_are_the_same_in_a_crowd",
    "properties/test_batches.py::test_a_world_that_plays_alone_in_a_rollout_is_the_same_in_a_crowd",
    "properties/test_batches.py::test_chunks_of_rare_work_do_not_matter",
    "properties/test_batches.py::test_eager_is_the_same_as_jit",
    "properties/test_batches.py::test_two_devices_play_as_one",
    "properties/test_episodes.py::test_long_play_agrees_and_unlocks_what_the_overworld_offers",
    "properties/test_episodes.py::test_long_travels_agree_and_unlock_most_there_is",
    "properties/test_episodes.py::test_travels_without_end_agree",
    "properties/test_hlo.py::test_a_donated_step_copies_no_map",
    "properties/test_hlo.py::test_a_scan_copies_no_map",
    "properties/test_strict_modes.py::test_no_dtype_depends_on_the_64_bit_mode",
    "rules/test_coop_travel.py::test_they_are_set_down_where_they_can_walk_and_nobody_is",
    "test_cli.py::test_a_plan_shows_each_number_and_whether_it_fits",
    "test_cli.py::test_a_world_is_shown_and_a_replay_checked",
    "test_guides.py::test_the_ppo_in_jax_learns",
    "test_guides.py::test_the_ppo_in_pytorch_learns",
    "test_replay.py::test_a_company_is_recorded",
    "test_sharding.py::test_worlds_over_eight_devices_are_the_same_worlds",
    "test_validity.py::test_play_brings_about_what_is_allowed[endless]",
    "trainers/test_devices.py::test_any_number_of_devices_gives_the_same_run",
    "trainers/test_devices.py::test_episodes_have_ended_in_what_is_compared",
    "trainers/test_flatten_players.py::test_a_shared_policy_is_trained",
    "trainers/test_flatten_players.py::test_it_plays_coop",
    "trainers/test_kill.py::test_a_run_killed_at_random_moments_ends_like_an_unbroken_one",
    "trainers/test_kill.py::test_a_run_that_is_asked_to_end_saves_and_ends_like_an_unbroken_one",
    "trainers/test_plan.py::test_a_million_worlds_fit_one_large_accelerator",
    "trainers/test_plan.py::test_so_it_is_in_a_real_world",
    "trainers/test_scale.py::test_devices_send_nothing_in_a_step_and_the_parameters_once_in_a_gradient_step",
    "trainers/test_stagnation.py::test_a_run_that_is_there_is_not_run_again",
    "trainers/test_stagnation.py::test_every_rule_worlds_and_seed_is_run_once_and_whole",
    "trainers/test_stagnation.py::test_pictures_are_drawn",
    "trainers/test_stagnation.py::test_runs_that_are_cut_share_their_first_half",
)


def is_slow(path: str) -> bool:
    """Return whether all tests of a file are slow; `path` is below tests/."""
    return path.startswith(SLOW)


def is_deep(path: str, function: str, case: str = "") -> bool:
    """Return whether a test is deep; `path` is below tests/, `case` is the function with its parameters."""
    named = {f"{path}::{function}", f"{path}::{case}"}
    return bool(named & DEEP_NAMES) or path.startswith(DEEP_FOLDERS)


DEEP_FOLDERS = tuple(name for name in DEEP if name.endswith("/"))
DEEP_NAMES = frozenset(DEEP)
