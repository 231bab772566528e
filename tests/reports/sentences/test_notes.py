from __future__ import annotations

from typing import Any

import msgspec
import pytest

from feedbench.bench.records.row import Row
from feedbench.bench.records.run import LeftOut
from feedbench.bench.records.trial import Preparation
from feedbench.reports.sentences.answer import answer, heading
from feedbench.reports.sentences.notes import notes
from tests.support.builders import (
    NOT_COMPARED,
    a_part,
    a_preparation,
    a_row,
    a_run,
    compared,
    empty_row,
)
from tests.support.runs.calms import a_calm


def test_that_what_they_deliver_was_not_compared_is_noted_where_it_was_not() -> None:
    assert notes(a_run(a_row("a"), compared("b", 2, "faster"), best=["b"])) == [NOT_COMPARED]


def test_the_cores_that_a_pipeline_was_limited_to_are_noted() -> None:
    run = a_run(a_row("1 core"), a_row("2 cores"))
    one, two = run.pipelines
    cores = [msgspec.structs.replace(one, cores=[3]), msgspec.structs.replace(two, cores=[3, 4])]
    assert notes(msgspec.structs.replace(run, pipelines=cores))[:2] == [
        "1 core: its processes could use only core 3.",
        "2 cores: its processes could use only cores 3 and 4.",
    ]


def test_a_failure_is_noted_with_why() -> None:
    found = notes(a_run(a_row("a"), empty_row("mine", "it raised OSError: gone")))
    assert found == ["mine failed: it raised OSError: gone.", NOT_COMPARED]


def test_several_failures_are_noted_once_with_their_number_and_the_last_ones_why() -> None:
    found = notes(a_run(a_row("a"), empty_row("mine", "it hung", "it was killed by SIGKILL")))
    assert found == ["mine failed (2 trials): it was killed by SIGKILL.", NOT_COMPARED]


def test_a_failure_whose_words_end_in_a_full_stop_gets_no_second_one() -> None:
    found = notes(a_run(a_row("a"), empty_row("mine", "it raised ValueError: Bad file.")))
    assert found[0] == "mine failed: it raised ValueError: Bad file."


def test_each_remark_is_noted_behind_its_label() -> None:
    remarks = ["cache=none instead of cache=memory: no room", "it is slow on Mondays"]
    assert notes(a_run(a_row("mine", remarks=remarks))) == [
        "mine: cache=none instead of cache=memory: no room.",
        "mine: it is slow on Mondays.",
        NOT_COMPARED,
    ]


def test_a_pipeline_that_can_only_be_restarted_is_noted() -> None:
    found = notes(a_run(a_row("mine", continuous=False)))
    assert found == ["mine can only be restarted, so its rate includes the turnover.", NOT_COMPARED]


def test_one_that_was_not_measured_is_not_said_to_be_restarted() -> None:
    assert notes(a_run(a_row("mine", None, blocks=0, continuous=False))) == [NOT_COMPARED]


def test_turns_that_began_before_a_pipeline_had_to_wait_are_noted_if_they_are_many() -> None:
    assert notes(a_run(a_row("mine", unsettled_share=0.1))) == [NOT_COMPARED]
    assert notes(a_run(a_row("mine", unsettled_share=0.25)))[0] == (
        "mine still had batches ready when 25% of its turns began. Its rate may include work that"
        " it did before them."
    )


def test_a_pipeline_is_noted_as_not_steady_where_over_half_its_trials_were_not() -> None:
    assert notes(a_run(a_row("mine", unsteady_trials=4))) == [NOT_COMPARED]
    found = notes(a_run(a_row("mine", unsteady_trials=5)))
    assert found == ["mine was not steady in 5 trials.", NOT_COMPARED]


@pytest.mark.parametrize(("ratio", "word"), [(1.02, "faster"), (0.98, "slower")])
def test_a_difference_within_the_margin_is_noted(ratio: float, word: str) -> None:
    row = compared("mine", ratio, word, within_margin=True)
    assert notes(a_run(a_row("a"), row)) == [f"mine is {word} by less than 5%.", NOT_COMPARED]


def test_that_equivalent_is_within_the_margin_needs_no_note() -> None:
    row = compared("mine", 1.0, "equivalent", within_margin=True)
    assert notes(a_run(a_row("a"), row)) == [NOT_COMPARED]


def test_where_signed_ranks_say_another_word_it_is_noted() -> None:
    ranks = {"ranks_low": 1.05, "ranks_high": 1.12, "ranks_verdict": "faster"}
    row = compared("mine", 1.03, "inconclusive", **ranks)
    said = (
        "mine is inconclusive by its mean over the blocks. By signed ranks, where outlying blocks"
        " weigh little, it would be faster (interval 1.05 to 1.12)."
    )
    assert notes(a_run(a_row("a"), row)) == [said, NOT_COMPARED]
    for quiet in (
        compared("mine", 1.03, "faster", **ranks),
        compared("mine", 1.03, "faster"),  # too few blocks for them
        compared("mine", 1.03, "withheld", withheld="work", **ranks),
    ):
        assert not any("signed ranks" in note for note in notes(a_run(a_row("a"), quiet)))


def test_how_many_more_blocks_would_decide_is_noted() -> None:
    row = compared("mine", 1.03, "inconclusive", more_blocks=1200)
    found = notes(a_run(a_row("a"), row, best=["a", "mine"]))
    adds = "feedbench run --resume RUN --blocks +1200"
    assert found == [f"mine: about 1,200 more blocks would decide: {adds}", NOT_COMPARED]


def test_an_extrapolated_epoch_is_noted_with_its_formula() -> None:
    found = notes(a_part(a_run(a_row("a"))))
    assert found == [
        "The epoch time is extrapolated to all 3,670 images: images / rate + turnover.",
        NOT_COMPARED,
    ]


def test_notes_come_in_the_order_of_the_rows() -> None:
    run = a_run(a_row("b", remarks=["one"]), empty_row("a", "it raised"), a_row("c", remarks=["2"]))
    assert [note[0] for note in notes(run)[:-1]] == ["b", "a", "c"]


def some_records(found: Preparation) -> Row:
    return a_row("records", preparation=found, knobs={"compression": "none"})


def test_what_records_took_is_noted_beside_the_photos_own_files() -> None:
    found = notes(a_run(a_row("a"), some_records(a_preparation())))
    expected = (
        "records: its preparation took 2.10 s and wrote 37.1 MB, 1.3% less than the photos' own"
        " files."
    )
    assert found == [expected, NOT_COMPARED]


def test_what_is_no_record_of_the_photos_is_not_compared_with_their_files() -> None:
    found = notes(a_run(a_row("mine", preparation=a_preparation())))
    assert found == ["mine: its preparation took 2.10 s and wrote 37.1 MB.", NOT_COMPARED]


def test_of_a_part_it_is_noted_what_the_preparation_and_what_the_epochs_are_of() -> None:
    part = msgspec.structs.replace(a_preparation(), images=512)
    (note, *_) = notes(a_part(a_run(some_records(part))))
    assert " wrote 37.1 MB for 512 of the 3,670 images, 1.3% less than " in note
    paid = msgspec.structs.replace(a_preparation(naive=3), images=512)
    (note, *_) = notes(a_part(a_run(some_records(paid))))
    assert note.endswith(" These epochs are of all 3,670 images.")


def test_when_records_have_paid_for_themselves_is_noted_for_each_they_are_compared_with() -> None:
    row = a_row("records", preparation=a_preparation(naive=142.3, tuned=None, fast=0.2, b=None))
    (note, _) = notes(a_run(row))
    assert " It pays for itself after 143 epochs compared with naive. " in note
    assert " It pays for itself after 1 epoch compared with fast. " in note
    never = " It never pays for itself compared with tuned and b: it is not shown to be faster."
    assert note.endswith(never)


def test_records_that_are_read_faster_in_epochs_that_are_no_shorter_are_said_to_be_so() -> None:
    row = a_row("records", preparation=a_preparation(naive=None, tuned=None))
    assert row.preparation is not None
    naive, tuned = row.preparation.break_even
    both = [msgspec.structs.replace(naive, is_faster=True), tuned]
    found = msgspec.structs.replace(row.preparation, break_even=both)
    (note, _) = notes(a_run(msgspec.structs.replace(row, preparation=found)))
    assert note.endswith(
        " It never pays for itself compared with tuned: it is not shown to be faster. It never"
        " pays for itself compared with naive: it is faster, but its epochs are no shorter."
    )


def test_records_of_an_earlier_run_are_noted_as_such() -> None:
    earlier = msgspec.structs.replace(a_preparation(), was_found=True)
    (note, _) = notes(a_run(a_row("records", preparation=earlier)))
    assert note.startswith("records: its preparation, reused from an earlier run, took 2.10 s")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (37_100_000, "as much as the photos' own files"),
        (10_000_000, "271.0% more than the photos' own files"),
    ],
)
def test_records_may_take_as_much_as_the_photos_or_more(source: int, said: str) -> None:
    larger = msgspec.structs.replace(a_preparation(), source_bytes=source)
    assert said in notes(a_run(some_records(larger)))[0]


def two_records(gzip_bytes: int, images: int = 3670) -> list[str]:
    gzip = msgspec.structs.replace(a_preparation(), bytes=gzip_bytes, images=images)
    rows = [
        a_row("gzip", preparation=gzip, knobs={"compression": "gzip"}),
        a_row("plain", preparation=a_preparation(), knobs={"compression": "none"}),
    ]
    return notes(a_run(*rows))


def test_what_gzip_saved_is_noted_where_both_kinds_of_records_are_in_the_run() -> None:
    assert "GZIP saved 371 kB (1.0%) of 37.1 MB of records." in two_records(36_729_000)
    larger = "GZIP made the records 371 kB larger (1.0%)."
    assert larger in two_records(37_471_000)


def test_records_of_other_images_are_not_compared() -> None:
    assert not [note for note in two_records(36_729_000, images=512) if "GZIP" in note]


@pytest.mark.parametrize("shuffle", ["full", "none", 3670, 5000, True])
def test_a_full_shuffle_or_none_is_not_noted(shuffle: object) -> None:
    assert notes(a_run(a_row("a", knobs={"shuffle": shuffle}))) == [NOT_COMPARED]


def test_a_shuffle_through_a_smaller_buffer_than_the_folder_is_noted() -> None:
    found = notes(a_run(a_row("a", knobs={"shuffle": 1000})))
    said = "a shuffles through a buffer of 1,000 images, which mixes less than a full shuffle."
    assert found == [said, NOT_COMPARED]


def test_one_more_block_is_said_in_the_singular() -> None:
    row = compared("mine", 1.03, "inconclusive", more_blocks=1)
    (note,) = [each for each in notes(a_run(a_row("a"), row)) if "decide" in each]
    assert note.startswith("mine: about 1 more block would decide: ")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "to 180x240, b"),
        ({"channels": 1}, "to 180x240 grey, b"),
        ({"dtype": "uint8"}, "to 180x240 uint8, b"),
        ({"channels": 1, "dtype": "uint8"}, "to 180x240 grey uint8, b"),
        ({"fit": "crop=0.875"}, "to 180x240, crop=0.875, b"),
    ],
)
def test_the_heading_says_what_is_delivered_where_it_is_not_the_usual(
    given: dict[str, Any], said: str
) -> None:
    run = a_run(a_row("a"))
    work = msgspec.structs.replace(run.workload, **given)
    assert said in heading(msgspec.structs.replace(run, workload=work))


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (1, "1 bad image left out: cats/0.jpg (an empty file)."),
        (13, "13 bad images left out: cats/0.jpg (an empty file), and 12 more."),
    ],
)
def test_images_that_were_left_out_are_noted(count: int, said: str) -> None:
    run = a_run(a_row("a"))
    bad = [LeftOut(file=f"cats/{place}.jpg", reason="an empty file") for place in range(count)]
    work = msgspec.structs.replace(run.workload, left_out=bad)
    assert notes(msgspec.structs.replace(run, workload=work)) == [said, NOT_COMPARED]


def test_a_row_whose_time_is_the_harnesss_own_is_marked() -> None:
    marked = notes(a_run(a_row("a", consumer_share=0.031), a_row("b", consumer_share=0.0099)))
    (note,) = [note for note in marked if "faster than its rate shows" in note]
    assert note == (
        "a is faster than its rate shows: Feedbench spent 3.1% of the time on taking and checking"
        " batches."
    )


def test_where_disturbed_trials_leave_too_few_blocks_that_is_why_there_are_no_verdicts() -> None:
    run = a_run(a_row("a"), a_row("b"), calm=a_calm(20))
    assert answer(run) == (
        "No verdicts: too few blocks have both the baseline and another pipeline, because 20 of 48"
        " trials were disturbed."
    )
