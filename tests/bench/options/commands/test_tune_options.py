"""What `feedbench tune` is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from feedbench.bench.options import values
from feedbench.bench.options.commands.tune_options import TuneOptions, options_of_tuning
from feedbench.bench.options.option import Given
from feedbench.pipelines.errors import RequestError


def given(**typed: str) -> Given:
    return {option.name: None for option in options_of_tuning()} | typed


@pytest.mark.parametrize(
    ("text", "count"),
    [("5GB", 5_000_000_000), ("1.5 MB", 1_500_000), ("2GiB", 2 * 2**30), ("1kB", 1000)],
)
def test_an_amount_is_read_in_bytes(text: str, count: int) -> None:
    assert values.size("--disk", text) == count


@pytest.mark.parametrize("text", ["5", "GB", "-1GB", "5 gigabytes"])
def test_an_amount_without_a_unit_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match="expected an amount such as 500MB"):
        values.size("--disk", text)


def test_without_options_a_tuning_has_a_quarter_of_an_hour_and_no_limits() -> None:
    run = TuneOptions.of(given()).of_run(given(), Path("photos"), begun=0.0)
    assert (run.seconds, run.limit, run.trace) == (900.0, None, False)
    assert run.specs[:3] == ("tfdata_tuned", "tfrecord_sharded", "tfdata_saved")
    allowed = TuneOptions.of(given()).allowance(run)
    assert (allowed.disk_bytes, allowed.memory_bytes, allowed.epochs) == (None, None, None)


def test_no_epochs_are_refused() -> None:
    with pytest.raises(RequestError, match="--epochs 0"):
        TuneOptions.of(given(epochs="0"))
