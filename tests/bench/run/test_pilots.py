"""What comes before the blocks: the images that are taken, and times that are too short."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedbench.bench.processes.progress import Quiet
from feedbench.bench.processes.trials import Limit
from feedbench.bench.records.messages import Purpose
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.run.budget import Cost, budget_of
from feedbench.bench.run.choose_images import choose, guesses
from feedbench.bench.run.options import RunOptions
from feedbench.bench.run.pilots import cost_of, pilots
from feedbench.bench.run.plan import Plan, refuse_label_mode, refuse_no_block, refuse_too_short
from feedbench.pipelines import catalog
from feedbench.pipelines.catalog import Spec
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.index import Index
from tests.support import builders

GUESS = Cost(image_seconds=0.003, start_seconds=0.7)
COSTS = st.builds(Cost, st.floats(1e-5, 0.5), st.floats(0.0, 20.0), st.booleans())


def an_index(images: int = 600, classes: int = 5) -> Index:
    labels = tuple(sorted(place % classes for place in range(images)))
    files = tuple(f"{label}/{place}.jpg" for place, label in enumerate(labels))
    return Index(Path("/photos"), tuple(map(str, range(classes))), files, labels, 0)


def options(**given: Any) -> RunOptions:
    usual: dict[str, Any] = {"folder": Path("photos"), "specs": ("a", "b"), "out": Path("run")}
    usual["prepared"] = Path("prepared")
    return RunOptions(**usual | given)


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


def test_binary_labels_are_taken_for_two_classes_alone() -> None:
    binary = options(label_mode="binary")
    refuse_label_mode(binary, an_index(classes=2))
    for classes, found in ((1, "1 class"), (3, "3 classes")):
        sentence = (
            f"--label-mode binary: expected 2 classes; /photos has {found}; take --label-mode"
        )
        with pytest.raises(RequestError, match=f"^{sentence} int or categorical$"):
            refuse_label_mode(binary, an_index(classes=classes))


@pytest.mark.parametrize("mode", ["int", "categorical"])
def test_other_labels_are_taken_for_any_number_of_classes(mode: str) -> None:
    for classes in (1, 2, 3):
        refuse_label_mode(options(label_mode=mode), an_index(classes=classes))


def test_without_time_and_limit_and_with_the_limit_all_the_whole_folder_is_taken() -> None:
    index = an_index()
    assert choose(options(seconds=None), index, [GUESS], None) is index
    assert choose(options(limit="all"), index, [GUESS], 1.0) is index


def test_as_many_are_taken_as_were_asked_for_whatever_the_time() -> None:
    assert len(choose(options(limit=77), an_index(), [GUESS], 1.0).files) == 77


@pytest.mark.parametrize("seconds", [1.0, 30.0, 90.0, 1e6])
def test_what_is_chosen_from_a_part_lies_in_that_part(seconds: float) -> None:
    slow = Cost(image_seconds=0.01)
    given = options(trace=False)
    part = choose(given, an_index(), [GUESS] * 2, 90.0)
    fewer = choose(given, part, [slow] * 2, seconds)
    assert set(fewer.files) <= set(part.files)
    assert 64 <= len(part.files) < 600


def test_a_slower_pipeline_takes_fewer_of_a_part() -> None:
    given = options(trace=False)
    part = choose(given, an_index(), [GUESS] * 2, 90.0)
    fewer = choose(given, part, [Cost(image_seconds=0.01)] * 2, 90.0)
    assert 64 <= len(fewer.files) < len(part.files)


def test_a_pipeline_of_tfdata_is_guessed_to_decode_on_every_core_and_another_on_one() -> None:
    specs = map(catalog.parse, ["image_data_generator", "tfrecord_gzip", "tfdata_naive", "a.py:b"])
    assert [cost.image_seconds for cost in guesses(specs, GUESS, cores=4.0)] == [
        0.003,
        0.00075,
        0.00075,
        0.003,
    ]


@settings(deadline=None)
@given(COSTS, st.integers(1, 5), st.sampled_from([None, "all", 50]))
def test_the_time_that_is_advised_is_accepted(guess: Cost, count: int, limit: Any) -> None:
    specs = tuple(map(str, range(count)))
    with pytest.raises(RequestError) as caught:
        refuse_too_short(options(seconds=1.0, specs=specs, limit=limit), an_index(), guess)
    found = re.search(r"expected at least (\d+)s, and (\d+)s for the 4 blocks", str(caught.value))
    assert found is not None
    block, four = map(float, found.groups())
    for seconds in (block, four):
        refuse_too_short(options(seconds=seconds, specs=specs, limit=limit), an_index(), guess)
    with pytest.raises(RequestError):  # it was no more than needed
        refuse_too_short(options(seconds=block - 1, specs=specs, limit=limit), an_index(), guess)
    assert four > block


def test_no_time_is_too_short_where_there_is_no_limit_on_it() -> None:
    refuse_too_short(options(seconds=None), an_index(), Cost(1e6))
    refuse_no_block(options(seconds=None), an_index(), [Cost(1e6)], None)


def test_what_the_pilots_have_shown_may_make_the_time_too_short_after_all() -> None:
    refuse_no_block(options(seconds=60.0), an_index(), [GUESS] * 2, 40.0)
    with pytest.raises(RequestError, match="--time 60s is too short for one block of 2 pipelines"):
        refuse_no_block(options(seconds=60.0), an_index(), [Cost(0.5)] * 2, 40.0)


@pytest.mark.parametrize("continuous", [True, False])
def test_a_cost_is_what_the_pilot_took_and_how_it_can_be_read(continuous: bool) -> None:
    assert cost_of(a_pilot(continuous=continuous), GUESS) == Cost(0.02, 1.5, continuous)


def test_a_cost_tells_what_the_pilot_prepared_from_what_it_took_to_start() -> None:
    found = cost_of(a_pilot(prepare_seconds=0.5), GUESS)
    assert (found.start_seconds, found.prepare_seconds) == (1.0, 0.005)


def test_a_pilot_that_failed_leaves_the_guess() -> None:
    failed = a_pilot(ended="failed", first_epoch_seconds=None, first_epoch_images=None)
    assert cost_of(failed, GUESS) is GUESS


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


def test_a_whole_folder_is_taken_where_it_fits_without_the_time_that_is_kept() -> None:
    cost, index = Cost(0.002), an_index(600)
    given, kept = options(seconds=300.0), 60.0
    whole = next(
        seconds
        for seconds in range(60, 600)
        if len(choose(given, index, [cost], seconds).files) == 600
    )
    assert len(choose(given, index, [cost], whole - 1.0, kept).files) == 600
    assert len(choose(given, index, [cost], whole - 62.0, kept).files) < 600
    large = an_index(600_000)
    assert len(choose(given, large, [cost], whole, kept).files) == len(
        choose(given, large, [cost], whole).files
    )
