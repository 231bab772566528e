"""Candidates are SPECs over the knobs that matter, and change only what the user left open."""

from __future__ import annotations

from feedbench.bench.tuning.candidates import candidates_of, different, refined
from feedbench.pipelines import catalog


def texts(*specs: str) -> list[str]:
    return [spec.text for spec in candidates_of(catalog.parse_all(specs))]


def test_the_pipelines_themselves_come_first_with_autotune() -> None:
    assert texts("tfdata_tuned", "tfrecord_sharded")[:2] == ["tfdata_tuned", "tfrecord_sharded"]


def test_the_most_promising_variants_of_each_pipeline_take_turns() -> None:
    assert texts("tfdata_tuned", "tfrecord_sharded")[2:4] == [
        "tfdata_tuned:cache=none,decode=scaled",
        "tfrecord_sharded:store=raw",
    ]


def test_records_may_be_cut_at_each_step() -> None:
    found = texts("tfrecord_sharded")
    assert "tfrecord_sharded:store=raw" in found
    assert "tfrecord_sharded:store=resized" in found
    assert "tfrecord_sharded:store=raw,cache=memory,cache_at=encoded" in found


def test_so_may_saved_datasets_whose_default_is_raw() -> None:
    found = texts("tfdata_saved")
    assert found[0] == "tfdata_saved"
    assert "tfdata_saved:store=raw" not in found
    assert "tfdata_saved:store=resized" in found
    assert "tfdata_saved:cache=memory,cache_at=encoded" in found


def test_a_knob_that_the_user_gave_stays() -> None:
    assert all("cache=none" in text for text in texts("tfdata_tuned:cache=none"))


def test_a_label_names_only_what_differs_from_the_pipeline() -> None:
    assert "tfrecord_sharded:decode=scaled" in texts("tfrecord_sharded")
    assert not any("cache=none" in text for text in texts("tfrecord_sharded"))


def test_no_candidate_repeats_whole_batches() -> None:
    assert not any("batched" in text for text in texts("tfdata_tuned", "tfrecord_gzip"))


def test_a_setting_that_changes_nothing_is_no_candidate() -> None:
    assert texts("tfdata_naive").count("tfdata_naive:cache=none") == 0
    built = [catalog.load(spec) for spec in candidates_of(catalog.parse_all(("tfdata_naive",)))]
    assert all(built.count(each) == 1 for each in built)


def test_a_users_own_function_is_a_candidate_as_it_is() -> None:
    own = catalog.spec_of("mine", "loader.py:photos")
    assert candidates_of([own]) == (own,)


def test_threads_are_refined_by_their_number_and_tfdata_by_its_parallel_calls() -> None:
    assert [spec.text for spec in refined(catalog.parse("threads"), 2, 224)] == [
        "threads:workers=4",
        "threads:prefetch=8",
    ]
    assert "tfdata_tuned:parallel_calls=2,prefetch=2" in [
        spec.text for spec in refined(catalog.parse("tfdata_tuned"), 2, 224)
    ]


def test_smaller_images_are_refined_by_their_size_their_quality_and_without_compression() -> None:
    texts = [spec.text for spec in refined(catalog.parse("tfrecord_sharded:store=resized"), 2, 180)]
    assert texts[:3] == [
        "tfrecord_sharded:store=resized,stored_size=180",
        "tfrecord_sharded:store=resized,stored_size=180,quality=85",
        "tfrecord_sharded:store=resized,stored_format=bmp",
    ]
    given = catalog.parse("tfrecord_sharded:store=resized,stored_size=300,quality=80")
    assert not any("stored_size=180" in spec.text for spec in refined(given, 2, 180))
    for other in ("tfrecord_sharded:store=raw", "tfrecord_sharded", "tfdata_tuned"):
        refinements = refined(catalog.parse(other), 2, 180)
        assert not any("stored_" in spec.text or "quality" in spec.text for spec in refinements)


def test_two_specs_of_the_same_pipeline_are_one_candidate() -> None:
    same = catalog.parse_all(("tfdata_tuned", "tfdata_tuned:cache=memory"))
    assert [spec.text for spec in different(same)] == ["tfdata_tuned"]
