"""From what the trials took to a row's figures."""

from __future__ import annotations

from typing import Any

import pytest

from feedbench.bench.records.conditions.usage import GpuUsage, Latency, Usage
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.records.windows import Window
from tests.support.runs.summaries import a_trial, row_of, summary_of


def a_usage(**given: Any) -> Usage:
    fields = {"seconds": 4.0, "cores": 2.0, "cpu_seconds": 6.0, "read_bytes": 8000}
    return Usage(**fields | given)


def gpu(**given: Any) -> GpuUsage:
    fields: dict[str, Any] = {
        "name": "NVIDIA A",
        "utilisation": 0.5,
        "memory_bytes": 1e9,
        "watts": 50.0,
    }
    return GpuUsage(**fields | given)


def trials(*usages: Usage | None, **given: Any) -> list[TrialRecord]:
    """A trial for each block, all at 1,000 images/s."""
    return [a_trial(block=block, usage=usage, **given) for block, usage in enumerate(usages, 1)]


def the_row(measured: list[TrialRecord]) -> Any:
    return row_of(summary_of(measured), "a")


def test_cpu_seconds_are_those_of_all_blocks_over_the_images_of_the_same_time() -> None:
    measured = [
        a_trial(block=1, rate=1000, usage=a_usage(seconds=4.0, cpu_seconds=6.0)),
        a_trial(block=2, rate=500, usage=a_usage(seconds=12.0, cpu_seconds=14.0)),
    ]
    assert the_row(measured).cpu_seconds_per_1000_images == pytest.approx(20.0 / (4 + 6))


def test_utilisation_is_of_the_cores_that_could_be_used_in_that_time() -> None:
    measured = trials(a_usage(seconds=4.0, cpu_seconds=6.0), a_usage(seconds=6.0, cpu_seconds=9.0))
    assert the_row(measured).cpu_utilisation == pytest.approx(15 / 20)
    half = trials(a_usage(seconds=4.0, cores=0.5, cpu_seconds=2.0))
    assert the_row(half).cpu_utilisation == pytest.approx(1.0)


def test_bytes_read_are_those_of_all_blocks_over_the_images_of_the_same_time() -> None:
    measured = trials(a_usage(read_bytes=8000), a_usage(read_bytes=0))
    assert the_row(measured).read_bytes_per_image == pytest.approx(1.0)


def test_a_trial_whose_figure_is_missing_is_no_trial_that_used_nothing() -> None:
    lacking = a_usage(cpu_seconds=None, read_bytes=None)
    for missing in (lacking, None):
        row = the_row(trials(a_usage(), missing))
        alone = the_row(trials(a_usage()))
        assert row.cpu_seconds_per_1000_images == alone.cpu_seconds_per_1000_images
        assert row.cpu_utilisation == alone.cpu_utilisation
        assert row.read_bytes_per_image == alone.read_bytes_per_image


@pytest.mark.parametrize("usage", [None, a_usage(cpu_seconds=None, read_bytes=None)])
def test_what_no_trial_has_is_not_known(usage: Usage | None) -> None:
    row = the_row(trials(usage, usage))
    assert row.cpu_seconds_per_1000_images is None
    assert row.cpu_utilisation is None
    assert row.read_bytes_per_image is None


def test_nothing_used_is_a_figure() -> None:
    row = the_row(trials(a_usage(cpu_seconds=0.0, read_bytes=0)))
    assert (row.cpu_seconds_per_1000_images, row.read_bytes_per_image) == (0.0, 0.0)


def test_the_memory_is_the_most_of_any_trial() -> None:
    measured = [
        a_trial(block=n, peak_memory_bytes=peak) for n, peak in enumerate((5, None, 9, 7), 1)
    ]
    assert the_row(measured).peak_memory_bytes == 9
    assert the_row([a_trial()]).peak_memory_bytes is None


def test_percentiles_are_means_over_the_trials_and_the_longest_is_of_all() -> None:
    one = Latency(batches=10, p50=1.0, p95=2.0, p99=3.0, longest=9.0)
    other = Latency(batches=30, p50=2.0, p95=4.0, p99=6.0, longest=7.0)
    measured = [a_trial(block=1, latency=one), a_trial(block=2, latency=other), a_trial(block=3)]
    assert the_row(measured).latency == Latency(batches=40, p50=1.5, p95=3.0, p99=4.5, longest=9.0)
    assert the_row([a_trial()]).latency is None


def test_second_copies_pilots_and_failed_trials_are_no_part_of_it() -> None:
    other = a_usage(cpu_seconds=99.0)
    more: dict[str, Any] = {"usage": other, "peak_memory_bytes": 10**12}
    measured = [
        *trials(a_usage(), peak_memory_bytes=5),
        a_trial(block=1, purpose="control", **more),
        a_trial(block=0, purpose="pilot", **more),
        a_trial(block=2, ended="failed", why="it raised", windows=[], **more),
    ]
    alone = the_row(trials(a_usage(), peak_memory_bytes=5))
    row = the_row(measured)
    assert row.cpu_seconds_per_1000_images == alone.cpu_seconds_per_1000_images
    assert row.peak_memory_bytes == 5


def test_without_a_gpu_the_row_says_so_and_without_a_trial_it_says_nothing() -> None:
    assert the_row(trials(a_usage(), a_usage())).gpus == "no GPU"
    assert the_row(trials(a_usage(gpus="not available"))).gpus == "not available"
    assert the_row(trials(None)).gpus is None


def test_gpus_are_summed_up_device_by_device() -> None:
    one = [gpu(utilisation=0.25, memory_bytes=5e9, watts=60.0), gpu(name="NVIDIA B")]
    other = [gpu(utilisation=0.75, memory_bytes=3e9, watts=100.0), gpu(name="NVIDIA B")]
    first, second = the_row(trials(a_usage(gpus=one), None, a_usage(gpus=other))).gpus
    assert first == gpu(utilisation=0.5, memory_bytes=5e9, watts=80.0)
    assert second == gpu(name="NVIDIA B")


@pytest.mark.parametrize("figure", ["utilisation", "memory_bytes", "watts"])
@pytest.mark.parametrize("reason", ["not supported", "not available"])
def test_a_gpus_figure_that_a_trial_lacks_keeps_its_reason(figure: str, reason: str) -> None:
    lacking = a_usage(gpus=[gpu(**{figure: reason})])
    for order in ([a_usage(gpus=[gpu()]), lacking], [lacking, a_usage(gpus=[gpu()])]):
        (reading,) = the_row(trials(*order)).gpus
        assert getattr(reading, figure) == reason


def test_the_consumers_share_is_its_cost_a_batch_times_the_batches_of_the_time() -> None:
    windows = [Window(1000, 1.0)] * 3  # which all count
    latency = Latency(batches=3000, p50=0.001, p95=0.001, p99=0.001, longest=0.002)
    one = a_trial(windows=windows, latency=latency, consumer_seconds=10e-6)
    two = a_trial(windows=windows, latency=latency, consumer_seconds=30e-6)
    none = a_trial(windows=windows, latency=latency)
    assert the_row([one, two, none]).consumer_share == pytest.approx(0.02)
    assert the_row([none]).consumer_share is None
