from __future__ import annotations

from typing import Any

import pytest

from feedbench.bench.records.proof import Counts, Kind, Likeness, Work
from feedbench.bench.records.row import Row
from feedbench.reports.sentences import equal_work
from feedbench.reports.sentences.notes import notes
from feedbench.reports.text.figures import MISSING
from tests.support.builders import (
    NOT_COMPARED,
    a_distance,
    a_proof,
    a_row,
    a_run,
    a_shuffle,
    compared,
    empty_row,
)

SAME = "Same images, each once with its label: a."
SWAPPED_REASON = "its pixels match swapped red and blue channels, 34.9 grey levels from the"


def noted(*rows: Row) -> list[str]:
    """The notes on work, of a run over these rows."""
    run = a_run(*rows)
    shuffles = equal_work.of_shuffles((row.label, row.proof) for row in run.rows)
    return [*equal_work.warnings(run), *equal_work.remarks(run), *shuffles]


def of_shuffle(kind: Kind, **given: Any) -> list[str]:
    """The notes on one pipeline that delivers the same images, and shuffles so."""
    return noted(a_row("a", proof=a_proof(shuffle=a_shuffle(kind, **given))))


@pytest.mark.parametrize("said", ["same", "near", "different"])
def test_what_a_pipeline_delivers_is_one_word(said: Work) -> None:
    assert equal_work.word(a_row("a", proof=a_proof(said))) == said


def test_where_nothing_was_compared_there_is_no_word() -> None:
    assert equal_work.word(a_row("a")) == MISSING


@pytest.mark.parametrize("kind", ["full", "none", "fixed"])
def test_a_shuffle_that_is_none_by_a_buffer_is_one_word(kind: Kind) -> None:
    assert equal_work.shuffled(a_proof(shuffle=a_shuffle(kind))) == kind


def test_a_shuffle_through_a_buffer_is_a_number_of_images() -> None:
    assert equal_work.shuffled(a_proof(shuffle=a_shuffle("partial", ahead=1023))) == "1,024"


@pytest.mark.parametrize("given", [{"with_list": 0.49}, {"with_list": None}, {"ahead": None}])
def test_a_partial_shuffle_that_looks_like_no_buffer_has_no_number(given: dict[str, Any]) -> None:
    assert equal_work.shuffled(a_proof(shuffle=a_shuffle("partial", **given))) == "partial"


def test_of_too_few_images_or_none_no_shuffle_is_told() -> None:
    for proof in (None, a_proof(shuffle=a_shuffle("unknown"))):
        assert equal_work.shuffled(proof) == MISSING


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        (Counts(images=3670), "3,670, each once"),
        (Counts(images=599, missing=1), "1 missing"),
        (Counts(images=1200, missing=1000, doubled=1600), "1,000 missing, 1,600 doubled"),
        (Counts(images=600, wrong_labels=12), "12 with the wrong label"),
        (Counts(images=600, unknown=3, wrong_labels=2), "3 unknown, 2 with the wrong label"),
    ],
)
def test_what_came_of_the_images_is_told_by_its_faults_or_that_there_are_none(
    counts: Counts, said: str
) -> None:
    assert equal_work.images(a_proof(counts=counts)) == said


def test_that_nothing_was_compared_is_noted_once() -> None:
    assert noted(a_row("a"), a_row("b"), empty_row("c", "it raised")) == [NOT_COMPARED]


def test_one_that_was_not_compared_beside_others_is_noted_to_have_no_verdict() -> None:
    assert noted(a_row("a", proof=a_proof()), a_row("b")) == [
        "b has no verdict: its images were not compared.",
        SAME,
    ]


def test_one_that_failed_has_a_note_on_that_and_none_on_its_work() -> None:
    assert noted(a_row("a", proof=a_proof()), empty_row("b", "it raised")) == [SAME]


def test_all_that_deliver_the_same_images_share_a_note() -> None:
    rows = [a_row(label, proof=a_proof()) for label in "abc"]
    assert noted(*rows) == ["Same images, each once with its label: a, b and c."]


def test_the_same_images_that_are_not_the_same_to_the_last_digit_have_a_note_of_their_own() -> None:
    fast = a_proof(from_sampled=a_distance(1.02))
    assert fast.work == "same"
    assert noted(a_row("a", proof=a_proof()), a_row("b", proof=fast)) == [
        "b (same): 1.02 grey levels from the reference.",
        SAME,
    ]


def test_what_of_a_batch_was_compared_is_noted_and_costs_no_verdict() -> None:
    form = "it delivers dicts: 'image' and 'label' are compared, and nothing else"
    assert noted(a_row("a", proof=a_proof(forms=[form]))) == [f"a: {form}.", SAME]


def test_near_images_are_noted_with_their_distances_and_keep_their_verdict() -> None:
    (note,) = noted(a_row("b", proof=a_proof("near")))
    assert note == (
        "b (near): its pixels are 0.00 grey levels from Pillow's antialiased bilinear filter,"
        " and 1.87 grey levels from TensorFlow's sampling."
    )


def test_different_images_are_noted_to_have_no_verdict_with_what_they_are() -> None:
    (note,) = noted(a_row("b", proof=a_proof("different")))
    assert note == f"b: no verdict, different images: {SWAPPED_REASON} reference."


def test_different_images_that_are_like_nothing_known_are_noted_with_what_was_expected() -> None:
    (note,) = noted(a_row("b", proof=a_proof("different", likeness=None)))
    assert note == (
        "b: no verdict, different images: its pixels are 34.9 grey levels from TensorFlow's"
        " sampling (expected 1.5 at most), and 35.7 grey levels from Pillow's"
        " antialiased bilinear filter (expected 1 at most)."
    )


def test_a_likeness_that_is_no_fault_is_named_and_costs_no_verdict() -> None:
    like = Likeness(name="whole grey levels", is_fault=False, images=16, distance=0.0)
    proof = a_proof(from_sampled=a_distance(0.25), likeness=like)
    (note,) = noted(a_row("b", proof=proof))
    assert note.startswith("b (same): its pixels match whole grey levels.")


def test_wrong_counts_are_noted_as_the_failure_that_they_are_and_not_twice() -> None:
    counts = Counts(images=599, missing=1, first_missing="daisy/7.jpg")
    proof = a_proof(counts=counts)
    assert (proof.work, proof.is_wrong) == ("different", True)
    assert proof.reason is not None
    found = notes(a_run(a_row("a", proof=a_proof()), a_row("b", None, blocks=0, proof=proof,
                                                           failures=[proof.reason])))  # fmt: skip
    assert found == [
        "b failed: 1 image missing (daisy/7.jpg); expected every image once.",
        SAME,
    ]


def test_a_full_shuffle_and_one_of_too_few_images_have_no_note() -> None:
    assert of_shuffle("full") == of_shuffle("unknown") == [SAME]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("none", "a does not shuffle, which is less work"),
        ("fixed", "a delivers every epoch in the same order, which is less work"),
        ("partial", "a shuffles only partly, through about 100 images, which is less work"),
    ],
)
def test_a_worse_shuffle_is_noted_with_the_classes_of_its_batches_where_they_are_few(
    kind: Kind, said: str
) -> None:
    classes = "a batch has 1.11 classes on average, 3.00 by chance"
    assert of_shuffle(kind, batch_classes=1.11) == [SAME, f"{said}: {classes}."]
    for as_by_chance in (None, 2.9, 3.0):
        assert of_shuffle(kind, batch_classes=as_by_chance) == [SAME, f"{said}."]


def test_batches_that_are_moved_whole_are_less_work() -> None:
    said = "a shuffles whole batches, whose images stay together: less work"
    assert of_shuffle("partial", neighbours_kept=0.97, batch_classes=3.0) == [SAME, f"{said}."]


def test_epochs_of_repeat_in_one_order_are_less_work_and_said_to_be_those_of_repeat() -> None:
    sentence = of_shuffle("fixed", fixed_in="repeat")[-1]
    assert sentence == (
        "a delivers every epoch within repeat() in the same order, which is less work: only a new"
        " iterator has another order."
    )


def test_new_iterators_in_one_order_are_noted_and_not_called_less_work() -> None:
    (form, same) = of_shuffle("full", fixed_in="new iterators")
    assert form == (
        "a: every new iterator begins in the same order, which is fixed; within repeat(), each"
        " epoch has another order."
    )
    assert same == SAME


def test_a_shuffle_in_pieces_is_noted_without_a_number() -> None:
    (_, note) = of_shuffle("partial", with_list=0.1)
    assert note.startswith("a shuffles only partly, which is less work: a batch ")


def test_shuffles_are_noted_last_and_in_the_order_of_the_rows() -> None:
    none = a_proof("near", shuffle=a_shuffle("none"))
    found = noted(a_row("b", proof=none), a_row("a", proof=a_proof(shuffle=a_shuffle("fixed"))))
    assert [note[:11] for note in found] == [
        "b (near): i",
        "Same images",
        "b does not ",
        "a delivers ",
    ]


@pytest.mark.parametrize("kind", ["none", "fixed", "partial"])
def test_a_small_buffer_that_showed_in_the_order_is_noted_by_what_showed(kind: Kind) -> None:
    proof = a_proof(shuffle=a_shuffle(kind))
    found = notes(a_run(a_row("a", knobs={"shuffle": 1000}, proof=proof)))
    assert not [note for note in found if "shuffles through a buffer" in note]
    assert len(found) == 2


@pytest.mark.parametrize("kind", ["full", "unknown"])
def test_a_small_buffer_that_showed_nowhere_is_noted_by_its_knob(kind: Kind) -> None:
    proof = a_proof(shuffle=a_shuffle(kind))
    found = notes(a_run(a_row("a", knobs={"shuffle": 1000}, proof=proof)))
    assert found[0].startswith("a shuffles through a buffer of 1,000 images, which mixes less")


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.874, "0.87"), (-0.12, "-0.12"), (-0.0, "0.00"), (-0.004, "0.00"), (None, MISSING)],
)
def test_a_correlation_has_two_places_and_no_zero_is_negative(
    value: float | None, said: str
) -> None:
    assert equal_work.correlation(value) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.0, "0.00"), (0.001, "0.00"), (1.87, "1.87"), (34.93, "34.9"), (None, MISSING)],
)
def test_a_distance_has_two_places_while_it_is_small(value: float | None, said: str) -> None:
    assert equal_work.distance(value) == said


def test_a_verdict_stands_beside_near_work() -> None:
    row = compared("b", 2, "faster", proof=a_proof("near"))
    assert not [note for note in noted(row) if "no verdict" in note]
