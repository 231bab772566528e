"""The time of a tuning is divided between rungs and the final run."""

from __future__ import annotations

import pytest

from feedbench.bench.tuning.schedule import schedule_of


@pytest.mark.parametrize(("seconds", "rungs"), [(90, 1), (900, 2), (3600, 3)])
def test_more_time_gives_more_rungs_of_equal_shares(seconds: float, rungs: int) -> None:
    made = schedule_of(seconds)
    assert len(made.rungs) == rungs
    assert len(set(made.rungs)) == 1
    assert sum(made.rungs) + made.final == pytest.approx(seconds)


def test_more_time_measures_more_candidates_and_at_least_two() -> None:
    counts = [schedule_of(seconds).most_candidates for seconds in (90, 180, 900, 3600)]
    assert counts == sorted(counts)
    assert counts[0] >= 2
