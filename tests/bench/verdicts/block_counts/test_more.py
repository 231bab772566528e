"""How many more blocks would decide, and how long a block takes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from msgspec.structs import replace

from feedbench.bench.records.run import Extension, Resumed
from feedbench.bench.verdicts.block_counts.more import block_seconds, more_of_each
from feedbench.bench.verdicts.comparison import compare
from feedbench.bench.verdicts.intervals import LEVEL, unpaired
from feedbench.bench.verdicts.two_runs import Run
from tests.support.builders import a_row, a_run
from tests.support.runs.summaries import a_trial, blocks, failed

BORDER = -math.log1p(0.05)


def spread(mean: float, deviation: float, n: int) -> list[float]:
    """Rates whose logs have exactly this mean and this deviation."""
    values = np.arange(n, dtype=float)
    values = (values - values.mean()) / values.std(ddof=1)
    return list(np.exp(mean + deviation * values))


def decides(rates: list[float], others: list[float]) -> bool:
    interval = unpaired(rates, others, LEVEL)
    return interval.high < BORDER or interval.low > BORDER


@pytest.mark.parametrize(("n", "m"), [(4, 4), (4, 9), (12, 5)])
@pytest.mark.parametrize("mean", [-0.02, -0.09, 0.0])
def test_after_so_many_more_blocks_of_each_run_the_comparison_is_decided(
    n: int, m: int, mean: float
) -> None:
    more = more_of_each(spread(mean, 0.06, n), spread(0.0, 0.03, m), LEVEL, BORDER)
    assert more is not None
    assert decides(spread(mean, 0.06, n + more), spread(0.0, 0.03, m + more))
    if more > 1:
        fewer = more - 1
        assert not decides(spread(mean, 0.06, n + fewer), spread(0.0, 0.03, m + fewer))


def test_no_number_is_named_at_the_border_itself_or_without_a_spread() -> None:
    assert more_of_each(spread(BORDER, 0.05, 6), spread(0.0, 0.05, 6), LEVEL, BORDER) is None
    assert more_of_each([1.0], [1.0, 2.0], LEVEL, BORDER) is None


def noisy(name: str, rates: list[int], resumed: list[Resumed] | None = None) -> Run:
    record = a_run(a_row("a"), blocks=len(rates), control=None, resumed=resumed or [])
    trials = [replace(trial, seconds=3.0) for trial in blocks({"a": rates})]
    return Run(name, record, trials)


def test_a_comparison_that_cannot_tell_names_the_blocks_and_their_time() -> None:
    base, new = noisy("base", [1000, 1100, 900, 1000]), noisy("new", [980, 1080, 890, 1020])
    compared = compare(base, new, 0.05)
    (pipeline,) = compared.pipelines
    assert pipeline.word == "cannot tell"
    assert pipeline.more_blocks is not None
    assert compared.block_seconds == (6.0, 6.0)  # the baseline and its copy
    (calm,) = compare(base, replace_rates(new), 0.05).pipelines
    assert (calm.word, calm.more_blocks) == ("slower", None)


def replace_rates(run: Run) -> Run:
    return run._replace(trials=blocks({"a": [300, 310, 305, 300]}))


def test_a_comparison_after_both_runs_were_extended_is_a_further_report() -> None:
    added = [Resumed(at="at noon", blocks=4, left_out=0, extended_to=Extension(blocks=8))]
    base, new = noisy("base", [1000] * 4), noisy("new", [1000] * 4, added)
    assert compare(base, base, 0.05).level == LEVEL
    assert compare(base, new, 0.05).level == pytest.approx(0.995)


def test_a_block_takes_what_all_its_trials_take_the_repeated_and_failed_ones_too() -> None:
    trials = [
        a_trial(block=0, seconds=50.0),
        a_trial(block=1, seconds=3.0),
        a_trial(block=1, seconds=5.0),
        a_trial(block=2, seconds=3.0),
        failed("b", 2, "it raised", seconds=1.0),
        a_trial(block=3, seconds=99.0),
        a_trial(block=1, purpose="trace", seconds=99.0),
    ]
    assert block_seconds(trials, 2) == 6.0
    assert block_seconds(trials, 0) is None
