"""Pipelines that augment, measured with and without it in the same blocks."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from feedbench.bench.options.run_options import RunOptions
from feedbench.bench.processes.other_python import arms
from feedbench.bench.processes.run_folder import RunFolder
from feedbench.bench.records.messages import Request
from feedbench.bench.records.proof import Work
from feedbench.bench.records.row import Row
from feedbench.bench.records.run import RunRecord
from feedbench.bench.run.keeper import Keeper
from feedbench.bench.run.sources import Sources
from feedbench.bench.verdicts.block_counts.stopping import exact_blocks
from feedbench.pipelines.augmentation.reading import augmentation
from feedbench.pipelines.catalog import augments, parse_all
from feedbench.reports.sentences.augmentation.augmentation_cost import cell
from feedbench.reports.sentences.notes import notes
from tests.support.builders import WORKLOAD, a_proof, a_run
from tests.support.pipelines.claimed_feeds import a_workload
from tests.support.runs.summaries import CALM, blocks

COPY = "b (not augmented)"


def run_of(
    folder: Path,
    rates: Mapping[str, list[int]],
    *,
    b: str = "b=tfdata_tuned",
    copy_work: Work = "same",
) -> RunRecord:
    """A run of a and b that augment, with these rates, and its record."""
    made = RunFolder(folder / "R")
    made.create()
    performed: Any = SimpleNamespace(
        records=[*blocks(rates)], probe_seconds=0.0, restore=lambda: None
    )
    specs = arms(parse_all(("a=image_data_generator", b)), None, unaugmented=True)
    keeper = Keeper(
        replace(a_run(), workload=replace(WORKLOAD, augmentation="flip")),
        specs,
        made,
        performed,
        rule=exact_blocks,
        begun=0.0,
        sources=Sources(a_workload(8), []),
    )
    proofs = {label: a_proof("same") for label in "ab"}
    keeper.add_proofs({**proofs, COPY: a_proof(copy_work)})
    return keeper.save(blocks=len(CALM))


def row_of(run: RunRecord, label: str) -> Row:
    return next(row for row in run.rows if row.label == label)


def times(factor: float) -> list[int]:
    return [round(factor * rate) for rate in CALM]


def test_each_pipeline_that_augments_has_a_copy_that_does_not() -> None:
    specs = parse_all(("tfdata_tuned", "m=tfdata_tuned:augment_in=model"))
    with_copies = arms(specs, None, unaugmented=True)
    assert [*with_copies] == ["tfdata_tuned", "tfdata_tuned (not augmented)", "m"]
    assert [augments(spec) for spec in with_copies.values()] == [True, False, False]
    assert [*arms(specs, None)] == ["tfdata_tuned", "m"]


def test_a_copy_is_given_the_workload_without_the_augmentation() -> None:
    work = dataclasses.replace(a_workload(8), augmentation=augmentation("--augment", "flip"))
    asked = {"label": "a", "spec": "a", "purpose": "main", "workload": "", "prepared": ""}
    plain = Request(**asked, scratch="", is_augmented=False)  # type: ignore[arg-type]
    assert plain.asked(work).augmentation is None
    assert Request(**asked, scratch="").asked(work) == work  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, False),
        ({"augment": "flip"}, True),
        ({"augment": "flip", "augment-cost": False}, False),
        ({"augment": "flip", "quick": True}, False),
        ({"augment": "flip", "validation": "20%", "subset": "validation"}, False),
    ],
)
def test_copies_are_measured_with_augmentation_unless_there_is_no_time_for_them(
    given: dict[str, Any], expected: bool
) -> None:
    assert RunOptions.of(given, Path("photos")).measures_unaugmented is expected


def test_the_cost_is_the_share_of_the_rate_without_it(tmp_path: Path) -> None:
    run = run_of(tmp_path, {"a": CALM, "b": times(2), COPY: times(8)})
    cost = row_of(run, "b").unaugmented
    assert cost is not None
    assert cost.rate == pytest.approx(8 * sum(CALM) / len(CALM), rel=0.01)
    assert cost.blocks == len(CALM)
    assert cost.share == pytest.approx(0.75, abs=0.01)
    assert 0.74 < (cost.share_low or 0) < 0.751
    assert 0.749 < (cost.share_high or 0) < 0.76
    assert any(note.startswith("Augmentation costs b 75% of its rate (") for note in notes(run))
    assert cell(row_of(run, "b")).startswith("75.0 (7")


def test_a_copy_has_no_row_and_does_not_count_among_the_fastest(tmp_path: Path) -> None:
    run = run_of(tmp_path, {"a": CALM, "b": times(2), COPY: times(8)})
    assert [row.label for row in run.rows] == ["a", "b"]
    assert run.best == ["b"]
    assert row_of(run, "b").verdict == "faster"


def test_no_cost_is_shown_where_the_copy_delivers_other_images(tmp_path: Path) -> None:
    rates = {"a": CALM, "b": times(2), COPY: times(8)}
    run = run_of(tmp_path, rates, copy_work="different")
    cost = row_of(run, "b").unaugmented
    assert cost is not None
    assert cost.share is None
    why = "What augmentation costs b is not known: without it, equal work is not proven."
    assert why in notes(run)


def test_a_copy_that_was_not_measured_is_reported(tmp_path: Path) -> None:
    run = run_of(tmp_path, {"a": CALM, "b": times(2)})
    assert "What augmentation costs b is not known: it was not measured." in notes(run)


def test_a_pipeline_whose_model_augments_has_no_verdict_against_those_that_do(
    tmp_path: Path,
) -> None:
    rates = {"a": CALM, "b": times(2)}
    run = run_of(tmp_path, rates, b="b=tfdata_tuned:augment_in=model")
    row = row_of(run, "b")
    assert (row.is_augmented, row.verdict, row.withheld) == (False, "withheld", "augmentation")
    assert row.ratio is None
    assert run.best == []
    assert any(note.startswith("b delivers images as they are") for note in notes(run))
