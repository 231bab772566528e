"""A rung without time for the default: the next run has fewer images. No process is begun."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from feedbench.bench.options.run_options import RunOptions
from feedbench.bench.processes.progress import Listener, Quiet
from feedbench.bench.records.run import RunRecord
from feedbench.bench.records.tuning.tuning import Allowance
from feedbench.bench.tuning import tuning
from feedbench.pipelines import catalog
from tests.support.builders import a_proof, a_row, a_run, a_run_folder
from tests.support.runs.summaries import blocks

DEFAULT = "tfdata_naive"


def limits_of(
    photos: Path, out: Path, monkeypatch: pytest.MonkeyPatch, *, images: int, failures: list[str]
) -> list[object]:
    """Tune, where the first run measures so many images, and not the default: return limits."""
    limits: list[object] = []

    def perform(options: RunOptions, _: Listener) -> RunRecord:
        is_first = not limits
        limits.append(options.limit)
        options.out.parent.mkdir(exist_ok=True)
        rows, rates = [], {}
        for place, spec in enumerate(catalog.parse_all(options.specs)):
            if not (is_first and spec.label == DEFAULT):
                rates[spec.label] = 100 + 10 * place
                rows.append(a_row(spec.label, rates[spec.label], spec=spec.text, proof=a_proof()))
            elif failures:
                rows.append(replace(a_row(spec.label, None, spec=spec.text), failures=failures))
        record = a_run(*rows)
        record = replace(record, workload=replace(record.workload, images=images))
        trials = blocks({label: [rate] * 8 for label, rate in rates.items()})
        a_run_folder(options.out, record, trials)
        return record

    monkeypatch.setattr(tuning, "perform", perform)
    asked = RunOptions(folder=photos, out=out, seconds=900.0, specs=(DEFAULT, "tfdata_tuned"))
    tuning.tune(asked, Allowance(), Quiet())
    return limits


def test_without_time_for_the_default_the_next_runs_have_a_quarter_of_the_images(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = limits_of(photos, tmp_path / "T", monkeypatch, images=400, failures=[])
    assert limits[1:]
    assert set(limits[1:]) == {100}


def test_a_default_that_failed_would_fail_with_fewer_images_too(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = limits_of(photos, tmp_path / "T", monkeypatch, images=400, failures=["no file"])
    assert set(limits) == {limits[0]}


def test_two_batches_are_the_least(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = limits_of(photos, tmp_path / "T", monkeypatch, images=70, failures=[])
    assert set(limits[1:]) == {64}


def test_the_last_run_has_as_many_images_as_two_pipelines_have_time_for(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuning, "images_for", lambda _, costs, **__: 400 // len(costs))
    limits = limits_of(photos, tmp_path / "T", monkeypatch, images=400, failures=["no file"])
    *rungs, last = limits
    assert {*rungs} == {limits[0]}
    assert limits[0] != 200
    assert last == 200
