"""The pilots: what they show, and how long each may take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from feedbench.bench.processes.limit import Limit
from feedbench.bench.processes.progress import Quiet
from feedbench.bench.processes.workload_file import read_workload
from feedbench.bench.records.messages import Purpose
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.run.budget import PROCESS_SECONDS, Cost, budget_of
from feedbench.bench.run.pilots import cost_of, lineup_of, pilots
from feedbench.bench.run.plan import Plan
from feedbench.pipelines import catalog
from feedbench.pipelines.catalog import Spec
from feedbench.pipelines.contract import Workload
from tests.support import builders
from tests.support.runs.plans import GUESS, Notes, an_index, options


def a_pilot(**given: Any) -> TrialRecord:
    fields: dict[str, Any] = {
        "label": "a",
        "spec": "a",
        "purpose": "pilot",
        "block": 0,
        "started_at": "2026-01-01T00:00:00+00:00",
        "seconds": 3.5,
        "ended": "measured",
        "first_epoch_seconds": 2.0,
        "first_epoch_images": 100,
    }
    return builders.a_record(**fields | given)


@pytest.mark.parametrize("continuous", [True, False])
def test_a_cost_is_what_the_pilot_took_and_how_it_can_be_read(continuous: bool) -> None:
    cost = cost_of(a_pilot(continuous=continuous), GUESS, 100)
    assert cost == Cost(0.02, cost.start_seconds, continuous)
    assert cost.start_seconds == pytest.approx(1.5 - PROCESS_SECONDS)


def test_a_cost_tells_what_the_pilot_prepared_from_what_it_took_to_start() -> None:
    cost = cost_of(a_pilot(prepare_seconds=0.5), GUESS, 100)
    assert cost.start_seconds == pytest.approx(1.0 - PROCESS_SECONDS)
    assert cost.prepare_seconds == 0.005


def test_what_an_image_costs_is_told_from_what_it_takes_to_begin() -> None:
    """The first batch of 20 came after 1 s, and the other 80 images took another second."""
    cost = cost_of(a_pilot(first_batch_seconds=1.0), GUESS, 20)
    assert cost.image_seconds == pytest.approx(1.0 / 80)
    assert cost.start_seconds == pytest.approx(3.5 - PROCESS_SECONDS - 100 / 80)


def test_batches_that_were_ready_behind_the_first_do_not_make_images_cheap() -> None:
    cost = cost_of(a_pilot(first_batch_seconds=1.9), GUESS, 20)
    assert cost.image_seconds == 0.02


def test_the_start_of_workers_makes_images_no_dearer_and_the_start_longer() -> None:
    """Workers start for 1.9 s of the first epoch's 2; a second epoch takes 0.5 s."""
    cost = cost_of(a_pilot(first_batch_seconds=1.9, epoch_seconds=[0.5]), GUESS, 20)
    assert cost.image_seconds == 0.005
    assert cost.start_seconds == pytest.approx(3.5 - 0.5 - 0.5 - PROCESS_SECONDS)


def test_a_pilot_that_failed_leaves_the_guess() -> None:
    failed = a_pilot(ended="failed", first_epoch_seconds=None, first_epoch_images=None)
    assert cost_of(failed, GUESS, 32) is GUESS


class FailingTrials:
    """Has every pilot fail, and keeps the limits that they had."""

    def __init__(self) -> None:
        self.limits: dict[str, Limit] = {}

    def run(self, spec: Spec, purpose: Purpose, workload: Path, limit: Limit) -> TrialRecord:
        self.limits[spec.label] = limit
        return a_pilot(label=spec.label, ended="failed")


@pytest.mark.parametrize(("seconds", "most"), [(None, 3600.0), (300.0, 300.0 / 3)])
def test_a_pilot_that_prepares_may_take_its_time_for_that(
    tmp_path: Path, seconds: float | None, most: float
) -> None:
    trials: Any = FailingTrials()
    specs = {spec.label: spec for spec in catalog.parse_all(("tfdata_naive", "tfrecord_gzip"))}
    given = options(seconds=seconds, specs=tuple(specs), trace=False)
    index = an_index()
    plan = Plan(given, budget_of(given), specs, None, index, GUESS)
    pilots(plan, index, trials, {"tfrecord_gzip"}, tmp_path, Quiet())
    usual, longer = (trials.limits[label].seconds for label in specs)
    assert 20 <= usual < 30
    assert most - 5 < longer - usual <= most


def test_a_pipeline_whose_pilot_failed_is_not_in_the_lineup_and_what_it_takes_is_guessed() -> None:
    specs = {spec.label: spec for spec in catalog.parse_all(("a=tfdata_naive", "b=tfdata_tuned"))}
    records = [a_pilot(), a_pilot(label="b", ended="failed", first_epoch_seconds=None)]
    lineup = lineup_of(specs, options(), records, GUESS, images=100)
    assert lineup.labels == ("a",)
    assert lineup.trial_seconds.keys() == {"a", "b"}


class RecordingTrials(FailingTrials):
    """Keeps what each pilot was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.workloads: dict[str, Workload] = {}

    def run(self, spec: Spec, purpose: Purpose, workload: Path, limit: Limit) -> TrialRecord:
        self.workloads[spec.label] = read_workload(workload)
        return super().run(spec, purpose, workload, limit)


def piloted(tmp_path: Path, *preparing: str, **given: Any) -> RecordingTrials:
    """Pilots of 6,000 images by two built-in pipelines and by two of the user's own."""
    (tmp_path / "loader.py").touch()
    texts = [f"{label}={tmp_path}/loader.py:{label}" for label in ("mine", "theirs")]
    built_in = ("naive=tfdata_naive", "records=tfrecord_existing")
    specs = {spec.label: spec for spec in catalog.parse_all((*built_in, *texts))}
    trials: Any = RecordingTrials()
    given = {"trace": False, "specs": tuple(specs), "records": "*.tfrecord", **given}
    plan = Plan(options(**given), budget_of(options(**given)), specs, None, an_index(6000), GUESS)
    pilots(plan, an_index(6000), trials, preparing, tmp_path, Quiet())
    recorded: RecordingTrials = trials
    return recorded


class Warned(FailingTrials):
    """Has a cache in every pilot that does not fit."""

    def run(self, spec: Spec, purpose: Purpose, workload: Path, limit: Limit) -> TrialRecord:
        return a_pilot(label=spec.label, remarks=["cache=file instead of cache=memory: too large"])


def test_a_knob_that_is_overruled_is_reported_before_the_blocks(tmp_path: Path) -> None:
    specs = {spec.label: spec for spec in catalog.parse_all(("tfdata_tuned:cache_at=decoded",))}
    given = options(specs=tuple(specs), trace=False)
    plan = Plan(given, budget_of(given), specs, None, an_index(), GUESS)
    trials: Any = Warned()
    notes = Notes()
    pilots(plan, an_index(), trials, (), tmp_path, notes)
    assert notes.lines == [
        "tfdata_tuned:cache_at=decoded: cache=file instead of cache=memory: too large."
    ]


class Measured(FailingTrials):
    """Measures every pilot."""

    def run(self, spec: Spec, purpose: Purpose, workload: Path, limit: Limit) -> TrialRecord:
        return a_pilot(label=spec.label)


class Clocks(Quiet):
    """Keeps the seconds that are shown as left."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def trial_started(self, block: int, label: str, seconds_left: float | None) -> None:
        self.seconds.append(seconds_left or 0.0)

    def trial_ended(self, record: TrialRecord, seconds_left: float | None) -> None:
        self.seconds.append(seconds_left or 0.0)


def test_what_is_shown_as_left_is_the_time_of_the_run_and_what_a_block_takes_is_in_it(
    tmp_path: Path,
) -> None:
    specs = {spec.label: spec for spec in catalog.parse_all(("tfdata_naive", "tfdata_tuned"))}
    given = options(seconds=300.0, specs=tuple(specs), trace=False)
    plan = Plan(given, budget_of(given), specs, None, an_index(), GUESS)
    trials: Any = Measured()
    clocks = Clocks()
    pilots(plan, an_index(), trials, (), tmp_path, clocks)
    assert len(clocks.seconds) == 4
    assert clocks.seconds == sorted(clocks.seconds, reverse=True)
    assert clocks.seconds[0] - clocks.seconds[-1] < 5  # a block takes longer


def test_a_loaders_pilot_asks_for_the_images_of_its_trials_and_one_that_prepares_for_few(
    tmp_path: Path,
) -> None:
    workloads = piloted(tmp_path, "theirs").workloads
    assert {label: work.images for label, work in workloads.items()} == {
        "naive": 256,
        "records": 6000,  # it would read all of its files for a few images
        "mine": 6000,
        "theirs": 256,
    }
    assert {work.folder_images for work in workloads.values()} == {6000}


def test_a_loaders_pilot_may_read_an_epoch_but_takes_no_more_than_a_share_of_the_time(
    tmp_path: Path,
) -> None:
    limits = piloted(tmp_path, seconds=None).limits
    assert limits["mine"].seconds == 20 + 0.7 + 4 * 6000 * 0.003
    assert limits["naive"].seconds == 20 + 0.7 + 4 * 256 * 0.003
    limits = piloted(tmp_path, seconds=120.0).limits
    assert 40 < limits["mine"].seconds <= 20.7 + 120 / 4
