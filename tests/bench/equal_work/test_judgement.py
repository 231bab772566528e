from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedbench.bench.equal_work.judgement import accepted, is_off, judged, levels, work_of
from feedbench.bench.measured.batches.hints import UNSORTED
from feedbench.bench.records.proof import Counts, Distance, Likeness, Proof, Shuffle, is_equal

LEVELS = st.floats(0, 255)


def a_distance(mean: float, worst: float = 30.0) -> Distance:
    return Distance(mean=mean, p99=5.0, worst=worst, worst_file="cats/9.jpg")


def a_proof(sampled: float, filtered: float, **given: Any) -> Proof:
    fields: dict[str, Any] = {
        "work": "different",
        "counts": Counts(images=600),
        "compared": 600,
        "from_sampled": a_distance(sampled),
        "from_filtered": a_distance(filtered),
        "shuffle": Shuffle(kind="full"),
    }
    return Proof(**fields | given)


@pytest.mark.parametrize(
    ("sampled", "filtered", "work"),
    [
        (0.0, 1.87, "same"),
        (1.03, 2.36, "same"),  # the fast JPEG transform
        (1.5, 1.87, "same"),
        (1.51, 3.0, "different"),
        (1.87, 0.0, "near"),
        (1.2, 0.0, "near"),  # an antialiased filter where it changes little
        (0.25, 0.0, "same"),  # rounded: no filter at all
        (5.22, 0.99, "near"),
        (1.87, 1.01, "different"),
        (3.08, 3.06, "different"),  # half a pixel off
        (34.9, 35.7, "different"),
    ],
)
def test_the_two_distances_decide(sampled: float, filtered: float, work: str) -> None:
    assert judged(a_proof(sampled, filtered)).work == work


@given(LEVELS, LEVELS)
def test_what_is_near_neither_reference_is_never_called_equal(
    sampled: float, filtered: float
) -> None:
    work = work_of(a_distance(sampled), a_distance(filtered), 0, None)
    if min(sampled, filtered) > 1.5:
        assert work == "different"
    if work == "same":
        assert sampled <= 1.5
    if work == "near":
        assert filtered <= 1


def test_what_is_recognised_as_a_fault_is_different_however_small() -> None:
    fault = Likeness(name="nearest-neighbour sampling", is_fault=True, images=12, distance=0.1)
    judgement = judged(a_proof(0.7, 0.9, likeness=fault))
    assert judgement.work == "different"
    assert judgement.reason == (
        "its pixels match nearest-neighbour sampling, 0.70 grey levels from the reference"
    )


def test_the_fast_transform_is_a_small_named_distance() -> None:
    fast = Likeness(
        name="TensorFlow's fast JPEG transform", is_fault=False, images=12, distance=0.0
    )
    judgement = judged(a_proof(1.03, 2.36, likeness=fast))
    assert judgement.work == "same"
    assert judgement.reason == (
        "its pixels match TensorFlow's fast JPEG transform, 1.03 grey levels from the reference"
    )


def test_a_small_distance_that_nobody_knows_is_said() -> None:
    assert judged(a_proof(0.9, 2.0)).reason == "0.90 grey levels from the reference"
    assert judged(a_proof(0.2, 2.0)).reason is None


def test_a_few_images_that_are_off_make_the_work_different_though_the_mean_is_small() -> None:
    judgement = judged(a_proof(0.5, 2.0, off=3, others_mean=0.0))
    assert judgement.work == "different"
    assert judgement.reason == (
        "3 of 600 images have different pixels (cats/9.jpg, 30.0 grey levels from the reference)"
    )


def test_an_image_is_off_where_it_is_farther_than_a_filter_would_take_it() -> None:
    assert not is_off(14.4, 0.0, 14.4)  # Pillow's filter on the photo that it changes most
    assert not is_off(2.2, 4.0, 2.0)  # the fast transform
    assert not is_off(9.0, 9.0, 3.0)
    assert is_off(4.1, 4.2, 0.0)
    assert is_off(30.0, 31.0, 5.0)


WRONG = Counts(
    images=600,
    missing=1,
    doubled=1,
    first_missing="cats/1.jpg",
    first_doubled="cats/2.jpg",
)


def test_missing_and_doubled_images_are_wrong_where_the_pixels_are_right() -> None:
    judgement = judged(a_proof(0.0, 1.87, counts=WRONG))
    assert (judgement.work, judgement.is_wrong) == ("different", True)
    assert judgement.reason == (
        "1 image too many (cats/2.jpg) and 1 image missing (cats/1.jpg); expected every image once"
    )


def test_of_other_pixels_no_count_is_sure_enough_to_be_a_failure() -> None:
    judgement = judged(a_proof(9.0, 9.0, counts=WRONG))
    assert (judgement.work, judgement.is_wrong) == ("different", False)
    assert "expected 1.5 at most" in str(judgement.reason)


def test_unknown_images_are_different_and_no_failure() -> None:
    counts = Counts(images=600, unknown=300, missing=300)
    judgement = judged(a_proof(0.0, 1.87, counts=counts))
    assert (judgement.work, judgement.is_wrong) == ("different", False)
    assert judgement.reason == "300 of 600 delivered images match no file"


def test_unknown_images_that_are_recognised_are_named() -> None:
    mirrored = Likeness(
        name="images mirrored left to right", is_fault=True, images=12, distance=0.0
    )
    counts = Counts(images=600, unknown=600, missing=600)
    nothing = {"from_sampled": None, "from_filtered": None, "compared": 0}
    judgement = judged(a_proof(0, 0, counts=counts, likeness=mirrored, **nothing))
    assert judgement.reason == (
        "600 of 600 delivered images match no file; they are images mirrored left to right"
    )


def test_wrong_labels_are_wrong() -> None:
    counts = Counts(images=600, wrong_labels=2, first_wrong_label="cats/1.jpg as 'dogs'")
    judgement = judged(a_proof(0.0, 1.87, counts=counts))
    assert judgement.is_wrong
    assert judgement.reason == "2 of 600 images have the wrong label (cats/1.jpg as 'dogs')"
    unsorted = msgspec.structs.replace(counts, are_classes_sorted=False)
    reason = judged(a_proof(0.0, 1.87, counts=unsorted)).reason
    assert reason == f"{judgement.reason}; {UNSORTED}"


def test_the_second_epoch_is_named_where_it_is_wrong() -> None:
    counts = Counts(images=600, epoch=2, missing=1, first_missing="cats/1.jpg")
    judgement = judged(a_proof(0.0, 1.87, counts=counts))
    assert str(judgement.reason).startswith("in its second epoch, 1 image missing (")


def test_where_nothing_could_be_compared_the_work_is_different() -> None:
    judgement = judged(a_proof(0, 0, from_sampled=None, from_filtered=None, compared=0))
    assert (judgement.work, judgement.reason) == (
        "different",
        "none of its pixels could be compared",
    )


def test_only_what_was_shown_to_be_the_same_or_near_is_equal() -> None:
    assert is_equal(judged(a_proof(0.0, 1.87)))
    assert is_equal(judged(a_proof(1.87, 0.0)))
    assert not is_equal(judged(a_proof(9.0, 9.0)))
    assert not is_equal(None)


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0.00"), (0.004, "0.00"), (1.873, "1.87"), (34.94, "34.9")]
)
def test_distances_are_written_with_as_many_digits_as_count(value: float, text: str) -> None:
    assert levels(value) == f"{text} grey levels"


def a_likeness(**given: Any) -> Likeness:
    fields: dict[str, Any] = {"name": "x", "is_fault": True, "images": 12, "distance": 0.1}
    return Likeness(**fields | given)


def test_a_reduced_scale_is_near_if_it_is_no_farther_from_the_filter_than_sampling_is() -> None:
    reduced = a_likeness(name="JPEGs at a reduced scale", is_fault=False, is_reduced=True)
    near = judged(a_proof(3.2, 2.9, likeness=reduced, between=3.0))
    assert near.work == "near"
    assert near.reason == (
        "its pixels match JPEGs at a reduced scale: 2.90 grey levels from Pillow's antialiased"
        " bilinear filter, and 3.20 grey levels from TensorFlow's sampling"
    )
    assert judged(a_proof(3.2, 3.1, likeness=reduced, between=3.0)).work == "different"
    assert judged(a_proof(3.2, 2.9, between=3.0)).work == "different"  # nobody knows why


@pytest.mark.parametrize(
    ("pixels", "given", "work"),
    [
        (None, {}, "different"),
        (2.0, {}, "different"),
        (2.5, {}, "accepted"),
        (2.5, {"likeness": a_likeness(is_resampling=True)}, "accepted"),  # another filter
        (2.5, {"likeness": a_likeness()}, "different"),  # mirrored, or of swapped colours
        (2.5, {"off": 1}, "accepted"),  # it is recognised all the same
        (2.5, {"counts": Counts(images=600, missing=1)}, "different"),
        (2.5, {"counts": Counts(images=600, wrong_labels=1)}, "different"),
        (2.5, {"counts": Counts(images=600, unknown=1)}, "different"),
    ],
)
def test_only_a_distance_of_pixels_is_accepted_up_to_what_the_user_says(
    pixels: float | None, given: dict[str, Any], work: str
) -> None:
    proof = judged(a_proof(2.9, 2.4, **given))
    assert proof.work == "different"
    found = accepted(proof, pixels)
    assert found.work == work
    assert is_equal(found) == (work == "accepted")
    if work == "accepted":
        assert found.reason == (
            "its pixels are 2.40 grey levels from the reference, and 30.0 grey levels in the worst"
            " image (cats/9.jpg); --pixels 2.5 accepts that"
        )
    else:
        assert found == proof


def test_work_that_is_equal_anyway_needs_no_acceptance() -> None:
    proof = judged(a_proof(0.0, 1.9))
    assert accepted(proof, 3.0) == proof
