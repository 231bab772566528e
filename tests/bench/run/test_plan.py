"""What is refused before anything is written: labels that cannot be, and too short a time."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedbench.bench.options.run_options import QUICK_SPECS
from feedbench.bench.options.time_options import pace_for
from feedbench.bench.processes.progress import Quiet
from feedbench.bench.records.run import left_out_sentence
from feedbench.bench.run.budget import Cost, budget_of
from feedbench.bench.run.forecast.candidates import Candidate
from feedbench.bench.run.plan import (
    Plan,
    candidates_of,
    guessed_costs,
    refuse_label_mode,
    refuse_no_block,
    refuse_too_short,
    refuse_unsuitable,
)
from feedbench.pipelines import catalog
from feedbench.pipelines.catalog import DEFAULT_SPECS
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.remote import file_systems
from feedbench.pipelines.remote.address import Address
from tests.support.runs.plans import GUESS, Notes, an_index, options

COSTS = st.builds(Cost, st.floats(1e-5, 0.5), st.floats(0.0, 20.0), st.booleans())


def test_binary_labels_are_taken_for_two_classes_alone() -> None:
    binary = options(label_mode="binary")
    refuse_label_mode(binary, an_index(classes=2))
    for classes, words in ((1, "1 class"), (3, "3 classes")):
        sentence = (
            f"--label-mode binary: expected 2 classes; /photos has {words}\n"
            "hint: use --label-mode int or categorical"
        )
        with pytest.raises(RequestError, match=f"^{sentence}$"):
            refuse_label_mode(binary, an_index(classes=classes))


@pytest.mark.parametrize("mode", ["int", "categorical"])
def test_other_labels_are_taken_for_any_number_of_classes(mode: str) -> None:
    for classes in (1, 2, 3):
        refuse_label_mode(options(label_mode=mode), an_index(classes=classes))


def test_what_a_store_needs_is_named_before_what_a_pipeline_needs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(file_systems, "find_spec", lambda _: None)
    asked = options(folder=Address("s3:/bucket/photos"))
    with pytest.raises(RequestError, match=r"s3:// needs fsspec and s3fs.*\n.*feedbench\[remote\]"):
        refuse_unsuitable(catalog.parse_all(("spdl",)), asked)


def a_plan(guess: Cost = GUESS, **given: Any) -> Plan:
    """Return the plan of a run over 600 photos."""
    asked = options(**{"specs": ("tfdata_naive", "tfdata_tuned"), "trace": False, **given})
    specs = {spec.label: spec for spec in catalog.parse_all(asked.specs)}
    return Plan(asked, budget_of(asked), specs, None, an_index(), guess)


@given(COSTS, st.sampled_from([None, "all", 50]))
def test_the_time_that_is_advised_is_accepted_with_the_pipeline_that_is_named(
    guess: Cost, limit: Any
) -> None:
    with pytest.raises(RequestError) as caught:
        refuse_too_short(a_plan(guess, seconds=1.0, limit=limit))
    advised = re.search(r"hint: --time (\d+)s is enough for (\w+) alone", str(caught.value))
    assert advised is not None
    least, label = float(advised[1]), advised[2]
    refuse_too_short(a_plan(guess, seconds=least, specs=(label,), limit=limit))
    with pytest.raises(RequestError):  # it was no more than needed
        refuse_too_short(a_plan(guess, seconds=least - 5.1, specs=(label,), limit=limit))


def test_the_advice_is_the_users_command_with_a_time_and_a_pipeline_that_work() -> None:
    specs = ("tfdata_naive", "fast=tfdata_tuned:cache=file")
    words = ["feedbench", "run", "my photos", "--time", "5s", "-p", specs[0], "--seed", "3"]
    command = (*words, f"--pipeline={specs[1]}")
    with pytest.raises(RequestError) as caught:
        refuse_too_short(a_plan(seconds=5.0, specs=specs, command=command))
    assert re.fullmatch(
        r"--time 5s is too short for one block of fast: expected at least (\d+)s\n"
        r"hint: feedbench run 'my photos' --seed 3 --time \1s -p fast=tfdata_tuned:cache=file",
        str(caught.value),
    )


def test_no_time_is_too_short_where_there_is_no_limit_on_it() -> None:
    refuse_too_short(a_plan(Cost(1e6), seconds=None))
    refuse_no_block(a_plan(seconds=None), Candidate(label="a", costs=(Cost(1e6),)), 0.0)


def test_what_the_pilots_have_shown_may_make_the_time_too_short_after_all() -> None:
    plan = a_plan(seconds=60.0)
    refuse_no_block(plan, Candidate(label="tfdata_tuned", costs=(GUESS,)), 20.0)
    slow = Candidate(label="tfdata_tuned", costs=(Cost(0.5),))
    with pytest.raises(RequestError, match="--time 60s is too short for one block of tfdata_tuned"):
        refuse_no_block(plan, slow, 20.0)


def test_thirty_seconds_are_enough_for_the_default_pipelines() -> None:
    refuse_too_short(a_plan(specs=DEFAULT_SPECS, seconds=30.0, pace=pace_for(30.0)))


def test_a_plan_without_a_pipeline_keeps_its_name_and_why() -> None:
    plan = a_plan(specs=("tfdata_naive", "fast=tfdata_tuned", "tfrecord_gzip"))
    fewer = plan.without({"fast": 40.0}).without({"tfrecord_gzip": None})
    assert list(fewer.specs) == ["tfdata_naive"]
    assert fewer.options.specs == ("tfdata_naive",)
    assert left_out_sentence(fewer.dropped) == (
        "Left out for lack of time: fast (40 times slower in its pilot); tfrecord_gzip (no time for"
        " a pilot)."
    )


def test_a_gate_needs_both_of_its_loaders() -> None:
    plan = a_plan(specs=("base=tfdata_naive", "new=tfdata_tuned"), seconds=30.0, tolerance=0.1)
    assert plan.without({}).specs == plan.specs
    with pytest.raises(RequestError, match="--time 30s is too short to measure both loaders"):
        plan.without({"new": 2.0})


@pytest.mark.parametrize(
    ("seconds", "hint"),
    [
        (30.0, "feedbench gate photos --base a --new b"),  # which has ten minutes
        (600.0, "raise --time, or use fewer images with --limit"),
    ],
)
def test_a_gate_that_is_too_short_is_answered_by_one_that_is_not(seconds: float, hint: str) -> None:
    plan = a_plan(
        specs=("base=tfdata_naive", "new=tfdata_tuned"),
        seconds=seconds,
        tolerance=0.1,
        command=("x", "gate", "photos", "--time", "30s", "--base", "a", "--new", "b"),
    )
    with pytest.raises(RequestError) as refused:
        plan.without({"new": 2.0})
    assert refused.value.hint == hint


def test_one_that_gave_way_to_a_cache_is_not_called_slower_in_its_pilot() -> None:
    plan = a_plan(specs=("tfdata_naive", "tfdata_tuned", "tfrecord_sharded"))
    assert left_out_sentence(plan.without({"tfrecord_sharded": 0.6}).dropped) == (
        "Left out for lack of time: tfrecord_sharded (not slower in its pilot, but probably in"
        " later epochs)."
    )


def test_pipelines_for_whose_pilots_there_is_no_time_are_left_out_before_them() -> None:
    begun = time.monotonic() - 20.0  # the import is over
    short = a_plan(specs=DEFAULT_SPECS, seconds=60.0, pace=pace_for(60.0), begun=begun)
    kept = list(short.for_pilots(Quiet()).specs)
    assert kept[0] == "image_data_generator"
    assert "tfdata_tuned" in kept
    assert len(kept) < len(DEFAULT_SPECS)
    long = a_plan(specs=DEFAULT_SPECS, seconds=300.0)
    assert list(long.for_pilots(Quiet()).specs) == list(DEFAULT_SPECS)


def a_late_plan(seconds: float = 60.0, used: float = 50.0, **given: Any) -> Plan:
    """Return the plan of a quick run that has used most of its minute, as on a busy machine."""
    begun = time.monotonic() - used
    given = {"quick": True, "specs": QUICK_SPECS, "pace": pace_for(60.0), **given}
    return a_plan(seconds=seconds, begun=begun, **given)


def test_a_quick_run_on_a_busy_machine_takes_the_time_to_compare_two_pipelines() -> None:
    notes = Notes()
    plan = a_late_plan().for_pilots(notes)
    assert plan.options.seconds is not None
    assert 60 < plan.options.seconds <= 180
    (line,) = notes.lines
    assert line.endswith(f"the run has {plan.options.seconds:.0f} s.")
    assert {"image_data_generator", "tfdata_tuned"} <= set(plan.specs)
    candidates = candidates_of(plan, guessed_costs(plan))
    pair = [each for each in candidates if each.label != "tfrecord_sharded"]
    left = plan.budget.seconds_left(0)
    assert left is not None
    assert plan.terms.needed_seconds(pair, 2) <= left
    assert plan.for_pilots(notes).options == plan.options
    assert len(notes.lines) == 1


@pytest.mark.parametrize(
    "given",
    [
        {"used": 5.0},
        {"seconds": 61.0},
        {"quick": False},
        {"used": 600.0},
        {"specs": ("tfdata_tuned",)},
    ],
    ids=["in time", "time given", "not quick", "hopeless", "nothing to compare"],
)
def test_no_other_run_takes_longer_than_was_asked_for(given: dict[str, Any]) -> None:
    plan, notes = a_late_plan(**given), Notes()
    candidates = candidates_of(plan, guessed_costs(plan))
    assert plan.with_time_to_compare(candidates, notes).options.seconds == plan.options.seconds
    assert notes.lines == []
