from __future__ import annotations

import pytest
from msgspec.structs import replace

from feedbench.bench.records.run import RunRecord
from feedbench.reports.sentences.comparisons.side_by_side import fastest, feeds
from tests.support.builders import WORKLOAD, a_proof, a_row, a_run, empty_row


def named(*rates: float, **given: object) -> list[tuple[str, RunRecord]]:
    """A run for each rate of its faster pipeline, called a, b and so on; intervals of 2 %."""
    work = replace(WORKLOAD, **given)
    runs = [a_run(a_row("naive", 10), a_row("tuned", rate), workload=work) for rate in rates]
    return list(zip("abcd", runs, strict=False))


@pytest.mark.parametrize(
    ("best", "said"),
    [
        ([["a"], ["a"]], "a is the fastest in each of 2 runs."),
        ([["a"], ["b"]], "a is the fastest in 0; b is the fastest in 1."),
        ([["a"], ["a", "b"]], "a is the fastest in 0; in 1 no single pipeline is."),
        ([[], []], "No run shows one pipeline to be the fastest."),
    ],
)
def test_the_answer_says_which_is_the_fastest_where(best: list[list[str]], said: str) -> None:
    runs = [(str(n), a_run(a_row("a"), a_row("b"), best=found)) for n, found in enumerate(best)]
    assert fastest(runs) == said


def test_the_run_whose_highest_rate_is_clearly_above_feeds_faster() -> None:
    assert feeds(named(1000, 2000)) == (
        "The highest rates are 2,000 images/s in b (tuned) and 1,000 images/s in a (tuned)."
        " b feeds faster than a: the intervals do not overlap."
    )
    assert feeds(named(1000, 2000, 500)).endswith("b feeds faster than every other run: the"
                                                  " intervals do not overlap.")  # fmt: skip


def test_it_is_not_clear_which_feeds_faster_where_intervals_overlap_or_are_not_known() -> None:
    unclear = "It is not clear which of b and a feeds faster."
    assert feeds(named(1000, 1030)).endswith(unclear)
    ((_, low), high) = named(1000, 2000)
    few = replace(low, rows=[a_row("tuned", 1000, rate_low=None, rate_high=None)])
    assert feeds([("a", few), high]).endswith(unclear)


@pytest.mark.parametrize("given", [{"height": 90}, {"images": 512}, {"images_digest": "other"}])
def test_runs_of_different_images_are_not_compared_by_their_rates(given: dict[str, object]) -> None:
    ((_, here),) = named(1000, images_digest="one")
    ((_, there),) = named(2000, **{"images_digest": "one"} | given)
    assert feeds([("a", here), ("b", there)]).endswith(
        "The runs do not deliver the same images, so these rates are not comparable."
    )


def test_no_rate_counts_of_a_pipeline_that_does_other_work() -> None:
    (first, (_, second)) = named(1000, 2000)
    wrong = a_row("wrong", 9000, proof=a_proof("different"))
    assert "2,000 images/s in b" in feeds(
        [first, ("b", replace(second, rows=[*second.rows, wrong]))]
    )


def test_of_fewer_than_two_measured_runs_nothing_is_said() -> None:
    nothing = ("b", a_run(empty_row("tuned", "it raised")))
    assert feeds([*named(1000), nothing]) == ""
