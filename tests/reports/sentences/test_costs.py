"""What a training pays in time for its pipeline, by the number of its epochs."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedbench.bench.records.row import Row
from feedbench.reports.sentences import costs
from feedbench.reports.sentences.costs import Cost, Reign
from tests.support.builders import a_part, a_preparation, a_proof, a_row, a_run


def row(label: str, first: float, later: float, **more: Any) -> Row:
    """A row whose first epoch takes as long over the whole folder."""
    firsts = {"first_epoch_seconds": first, "folder_first_epoch_seconds": first}
    return a_row(label, folder_epoch_seconds=later, **firsts | more)


def reigns(*rows: Row) -> list[tuple[str, int]]:
    run = a_run(*rows)
    return [(it.label, it.epochs) for it in costs.reigns(run, costs.costs(run))]


def said(*rows: Row) -> str | None:
    run = a_run(*rows)
    spent = costs.costs(run)
    return costs.sentence(costs.reigns(run, spent), spent, 0.05)


def test_a_total_is_the_preparation_the_first_epoch_and_each_later_one() -> None:
    (cost,) = costs.costs(a_run(row("a", 5.0, 2.0, preparation=a_preparation())))
    assert cost == Cost(label="a", prepared=2.1, first=5.0, later=2.0)
    assert [cost.total(n) for n in (1, 2, 11)] == pytest.approx([7.1, 9.1, 27.1])


def test_of_a_part_all_is_told_for_the_whole_folder() -> None:
    """512 of 3,670 images; a preparation of the part took 2.1 s."""
    theirs = row("theirs", 2.0, 36.7, folder_first_epoch_seconds=5.2, preparation=a_preparation())
    (cost,) = costs.costs(a_part(a_run(theirs)))
    assert cost.first == 5.2
    assert cost.prepared == pytest.approx(2.1 * 3670 / 512)
    assert cost.later == 36.7


def test_where_the_first_epoch_of_the_folder_is_not_known_no_total_and_no_reign_is_shown() -> None:
    plain, other = row("plain", 4.0, 4.0), row("other", 6.0, 1.0)
    cached = row("cached", 6.0, 1.0, folder_first_epoch_seconds=None)
    run = a_part(a_run(plain, other, cached))
    spent = costs.costs(run)
    assert [cost.label for cost in spent] == ["plain", "other"]
    assert costs.reigns(run, spent) == []
    assert costs.unpriced(run, spent) == (
        "The total time of cached is not known. From 512 images alone, what an epoch takes to begin"
        " cannot be separated from what each image takes. --limit all measures it."
    )
    whole = a_run(plain, other, cached)
    assert costs.unpriced(whole, costs.costs(whole)) is None


def test_it_is_named_from_which_epoch_on_another_one_takes_the_least_time() -> None:
    plain = row("plain", 4.0, 4.0)
    cached, records = row("cached", 6.0, 1.0), row("records", 30.0, 0.5)
    assert reigns(plain, cached, records) == [("plain", 1), ("cached", 2), ("records", 50)]
    assert said(plain, cached, records) == (
        "With preparation included, plain takes the least time for 1 epoch. From epoch 2 on,"
        " cached does. From epoch 50 on, records does (cached is within 5% of it)."
    )


def test_of_two_that_take_as_long_the_one_before_stays() -> None:
    assert reigns(row("a", 4.0, 2.0), row("b", 4.0, 2.0)) == [("a", 1)]


def test_where_nothing_ever_changes_one_name_is_said() -> None:
    assert said(row("a", 4.0, 2.0), row("b", 5.0, 2.0)) == (
        "a takes the least time for any number of epochs from 1 to 1,000, preparation included."
    )


def test_whose_work_is_not_that_of_the_others_never_takes_the_least() -> None:
    less = row("less", 1.0, 0.1, proof=a_proof("different"))
    assert reigns(row("a", 4.0, 2.0), row("b", 5.0, 2.0), less) == [("a", 1)]


def test_under_four_blocks_nothing_is_said() -> None:
    run = a_run(row("a", 4.0, 4.0), row("b", 6.0, 1.0), blocks=3)
    assert costs.reigns(run, costs.costs(run)) == []


def test_of_one_alone_nothing_is_said() -> None:
    assert said(row("a", 4.0, 2.0)) is None


@pytest.mark.parametrize(
    ("later", "text"),
    [(0.01, "1.01 s"), (0.7, "1 min 10 s"), (70.0, "1 h 56 min"), (366.0, "10 h 10 min")],
)
def test_a_total_is_said_in_the_units_of_its_size(later: float, text: str) -> None:
    assert costs.after(101, Cost(label="a", prepared=0.0, first=0.0104, later=later)) == text


def test_where_a_part_is_missing_nothing_is_told() -> None:
    odd = [row("a", math.nan, 1.0), row("b", 1.0, math.inf)]
    odd += [a_row("c", first_epoch_seconds=None), a_row("d", folder_epoch_seconds=None)]
    assert costs.costs(a_run(*odd)) == []
    assert said(*odd) is None


@given(
    st.lists(
        st.tuples(st.floats(0, 1e4), st.floats(0.01, 1e4), st.floats(0.01, 1e4)),
        min_size=1,
        max_size=6,
    ),
    st.integers(1, costs.MOST_EPOCHS),
)
def test_who_reigns_takes_the_least_at_every_epoch(
    parts: list[tuple[float, float, float]], epochs: int
) -> None:
    found = [
        Cost(label=str(place), prepared=prepared, first=first, later=later)
        for place, (prepared, first, later) in enumerate(parts)
    ]
    run = a_run(*(a_row(cost.label) for cost in found))
    reigning: list[Reign] = costs.reigns(run, found)
    if len(found) == 1:
        assert reigning == []
        return
    here = [it for it in reigning if it.epochs <= epochs][-1]
    (one,) = [cost for cost in found if cost.label == here.label]
    assert one.total(epochs) <= min(cost.total(epochs) for cost in found)
