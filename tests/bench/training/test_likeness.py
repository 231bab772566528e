"""Whether pipelines train alike: the intervals against published figures, and the rule."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedbench.bench.training.likeness import binomial_interval, likeness_of, seeds_interval
from tests.support.runs.trainings import a_record, a_training, an_epoch

SHARES = st.integers(0, 50).map(lambda count: count / 50)


def test_the_binomial_interval_is_newcombes() -> None:
    # Newcombe 1998, table II, method 10: 9/10 - 3/10.
    low, high = binomial_interval(0.9, 0.3, 10, 0.95)
    assert (round(low, 4), round(high, 4)) == (0.1705, 0.8090)


def test_the_seeds_interval_is_students() -> None:
    # Means 0.8 and 0.7, standard deviation 0.1 each, n = 3: t(0.975, 4) = 2.776.
    low, high = seeds_interval([0.7, 0.8, 0.9], [0.6, 0.7, 0.8], 1000, 0.95)
    assert low == pytest.approx(0.1 - 2.7764 * 0.1 * (2 / 3) ** 0.5, abs=1e-4)
    assert high == pytest.approx(0.1 + 2.7764 * 0.1 * (2 / 3) ** 0.5, abs=1e-4)


@settings(max_examples=30)
@given(SHARES, SHARES)
def test_the_binomial_interval_turns_with_the_pipelines(new: float, base: float) -> None:
    low, high = binomial_interval(new, base, 50, 0.95)
    assert low <= new - base <= high
    turned = binomial_interval(base, new, 50, 0.95)
    assert turned == pytest.approx((-high, -low))


def test_seeds_that_agree_to_the_image_still_leave_an_image_of_doubt() -> None:
    low, high = seeds_interval([0.9, 0.9], [0.9, 0.9], 20, 0.95)
    assert low < -1 / 20 < 1 / 20 < high


def test_close_accuracies_are_alike_and_far_ones_are_not() -> None:
    record = a_record(a_training("a", [0.7]), a_training("b", [0.75]), a_training("c", [0.1]))
    likeness = likeness_of(record)
    assert likeness is not None
    assert (likeness.method, likeness.part, likeness.images) == ("binomial", "validation", 20)
    assert [(each.label, each.is_alike) for each in likeness.pipelines] == [
        ("b", True),
        ("c", False),
    ]
    assert not likeness.is_alike


def test_the_final_accuracy_counts_and_not_the_best() -> None:
    record = a_record(a_training("a", [0.9, 0.2]), a_training("b", [0.2, 0.9]))
    likeness = likeness_of(record)
    assert likeness is not None
    assert likeness.pipelines[0].difference == pytest.approx(0.7)


def test_several_seeds_show_what_seeds_differ_by() -> None:
    record = a_record(
        *(a_training("a", [accuracy], seed=seed) for seed, accuracy in enumerate((0.7, 0.8, 0.9))),
        *(a_training("b", [accuracy], seed=seed) for seed, accuracy in enumerate((0.6, 0.8, 0.9))),
        repeats=3,
    )
    likeness = likeness_of(record)
    assert likeness is not None
    assert (likeness.method, likeness.seeds, likeness.is_alike) == ("seeds", 3, True)


def test_without_validation_the_training_accuracy_counts() -> None:
    def trained(label: str, accuracy: float) -> object:
        epoch = an_epoch(accuracy=accuracy, val_accuracy=None, val_loss=None)
        return a_training(label, epochs=[epoch])

    record = a_record(trained("a", 0.9), trained("b", 0.2), validation_images=0)  # type: ignore[arg-type]
    likeness = likeness_of(record)
    assert likeness is not None
    assert (likeness.part, likeness.images, likeness.is_alike) == ("training", 80, False)


def test_what_did_not_finish_or_has_no_accuracy_is_not_compared() -> None:
    assert likeness_of(a_record(a_training("a"))) is None
    assert likeness_of(a_record(a_training("a"), a_training("b", status="failed"))) is None
    nothing = a_training("b", epochs=[an_epoch(val_accuracy=None)])
    assert likeness_of(a_record(a_training("a"), nothing)) is None
