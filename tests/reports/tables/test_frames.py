from __future__ import annotations

import math
from pathlib import Path

import msgspec
import pandas as pd
import pytest
from msgspec.structs import replace

from feedbench.bench.records.conditions.usage import GpuUsage, Latency
from feedbench.pipelines.errors import RequestError
from feedbench.reports.tables import frames
from tests.support.builders import (
    a_preparation,
    a_row,
    a_run,
    a_run_folder,
    a_trial,
    compared,
    empty_row,
    trials_of,
)
from tests.support.runs.rotated import turns_of


def test_a_pipeline_is_a_row_with_its_figures_under_names_that_say_their_units() -> None:
    row = compared(
        "tuned",
        4.5,
        "faster",
        latency=Latency(batches=90, p50=0.01, p95=0.02, p99=0.03, longest=0.5),
        preparation=a_preparation(naive=12.5, other=None),
        read_bytes_per_image=0.0,
        knobs={"cache": "none"},
    )
    frame = frames.pipelines(a_run(a_row("naive"), row))
    assert list(frame["label"]) == ["naive", "tuned"]
    found = frame.iloc[1]
    assert found["images_per_second"] == 4500
    assert found["ratio"] == 4.5
    assert found["verdict"] == "faster"
    assert found["latency_longest_seconds"] == 0.5
    assert found["latency_batches"] == 90
    assert found["preparation_bytes"] == 37_100_000
    assert found["pays_off_after"] == "naive: 13 epochs; other: never"
    assert found["read_bytes_per_image"] == 0
    assert found["knobs"] == "cache=none"


def test_every_figure_of_a_row_has_its_column() -> None:
    """So that a field that is added to the schema is not forgotten here."""
    elsewhere = {"rate", "rate_low", "rate_high", "latency", "preparation", "proof", "failures"}
    frame = frames.pipelines(a_run(a_row("a")))
    fields = {field.name for field in msgspec.structs.fields(a_row("a"))}
    elsewhere |= {"attempts", "disturbed", "page_cache"}
    assert fields - elsewhere <= set(frame.columns)
    assert {"trials", "disturbed_trials", "page_cache_certified"} <= set(frame.columns)


def test_figures_that_are_missing_or_no_number_are_na_and_never_zero() -> None:
    row = a_row("a", math.nan, rate_high=math.inf)
    frame = frames.pipelines(a_run(row, empty_row("mine", "it raised")))
    for column in ("images_per_second", "images_per_second_high", "ratio", "peak_memory_bytes"):
        assert frame[column].isna().all(), column
    assert list(frame["failed_trials"]) == [0, 1]


def test_each_gpu_has_its_columns_and_a_sensor_that_is_not_there_is_na() -> None:
    gpu = GpuUsage(name="H200", utilisation=0.34, memory_bytes=1e9, watts="not supported")
    rows = [a_row("a", gpus=[gpu]), a_row("b", gpus="no GPU"), a_row("c")]
    frame = frames.pipelines(a_run(*rows))
    assert list(frame["gpus"])[:2] == ["1", "no GPU"]
    assert list(frame["gpus"].isna()) == [False, False, True]
    assert frame["gpu_0_utilisation"][0] == 0.34
    assert frame["gpu_0_watts"].isna().all()
    assert frame["gpu_0_utilisation"].isna().sum() == 2


def test_a_block_is_a_row_with_its_rate_and_its_ratio_to_the_baseline_in_that_block() -> None:
    trials = trials_of({"a": [100, 200], "b": [300, 400]})
    frame = frames.blocks(a_run(a_row("a"), a_row("b"), blocks=2), trials)
    main = frame[~frame["control"]].set_index(["label", "block"])
    assert main.loc[("b", 1), "images_per_second"] == 300
    ratios = {("a", 1): 1, ("a", 2): 1, ("b", 1): 3, ("b", 2): 2}
    assert main["ratio"].to_dict() == pytest.approx(ratios)


def test_the_baselines_second_copy_is_told_apart() -> None:
    trials = [
        replace(trial, turns=turns_of([trial.rate] * 5))
        for trial in (a_trial(1, "a", 100), a_trial(1, "a", 110, purpose="control"))
    ]
    frame = frames.blocks(a_run(a_row("a"), blocks=1), trials)
    assert list(frame["control"]) == [False, True]
    assert list(frame["ratio"]) == pytest.approx([1.0, 1.1])


def test_blocks_hold_what_was_measured_in_whole_blocks_only() -> None:
    trials = [
        a_trial(0, "a", purpose="pilot"),
        *(a_trial(block, "a") for block in (1, 2)),
        a_trial(1, "b", ended="failed", windows=[]),
    ]
    frame = frames.blocks(a_run(a_row("a"), empty_row("b", "it raised"), blocks=1), trials)
    assert list(zip(frame["label"], frame["block"], strict=True)) == [("a", 1)]


def test_without_a_whole_block_what_there_is_is_shown_as_the_rows_do() -> None:
    frame = frames.blocks(a_run(a_row("a"), blocks=0), [a_trial(1, "a")])
    assert len(frame) == 1


def test_where_the_baseline_was_not_measured_there_is_no_ratio() -> None:
    run = a_run(empty_row("a", "it raised"), a_row("b"))
    assert frames.blocks(run, [a_trial(1, "b")])["ratio"].isna().all()


def test_a_run_of_nothing_has_frames_without_rows() -> None:
    assert len(frames.blocks(a_run(), [])) == 0
    assert isinstance(frames.pipelines(a_run()), pd.DataFrame)


def test_a_folder_without_its_trials_is_refused_by_the_name_of_the_file(tmp_path: Path) -> None:
    folder = a_run_folder(tmp_path, a_run(a_row("a")), [])
    (folder / "trials.jsonl").unlink()
    with pytest.raises(
        RequestError, match=r"not a complete run folder: cannot read .*trials\.jsonl"
    ):
        frames.read(folder)
