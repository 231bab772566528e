"""A run that feeds a model, from end to end: what it waits for, and what is enough."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from feedbench.bench.records.storage import read_run
from tests.support.programs.command import SMALL, Feedbench

pytestmark = [pytest.mark.tensorflow, pytest.mark.end_to_end]

# 8 images in 80 ms: 100 images/s, and nothing is made while the model works.
SLOW = """
import time

def photos(workload):
    class Feed:
        def __iter__(self):
            for images, labels in batches(workload):
                time.sleep(0.08 * len(images) / 8)
                yield images, labels
    return Feed()
"""
IGNORING = """
import keras

def build(workload):
    images = keras.Input(workload.shape)
    nothing = keras.layers.Rescaling(0.0)(keras.layers.GlobalAveragePooling2D()(images))
    return keras.Model(images, keras.layers.Dense(len(workload.class_names))(nothing))
"""


def fed(feedbench: Feedbench, photos: Path, *words: str) -> tuple[dict[str, Any], str]:
    done = feedbench.run("run", photos, *SMALL, *words, "--out", "R")
    assert done.returncode == 0, done.stderr
    run: dict[str, Any] = json.loads((feedbench.folder / "R" / "run.json").read_bytes())
    return run, done.stdout


def test_a_step_shows_for_which_pipelines_the_model_waits(
    feedbench: Feedbench, photos: Path
) -> None:
    words = ("-p", "tfdata_tuned", "-p", f"slow={feedbench.loader(SLOW)}", "--margin", "20%")
    run, text = fed(feedbench, photos, "--step", "20ms", "--blocks", "4", *words)
    demand = run["demand"]
    fast, slow = demand["rows"]
    assert demand["blocks"] == 4
    assert demand["appetite"]["value"] == pytest.approx(400, rel=0.1)  # 8 images in 20 ms
    assert slow["verdict"] == "waits"
    assert slow["wait"]["value"] == pytest.approx(0.8, abs=0.06)  # 20 ms of 100 ms are a step
    assert fast["wait"]["value"] < 0.2
    assert "slow (waits 8" in text or "slow (waits 7" in text


def test_a_further_block_of_a_run_has_a_further_one_of_the_model_and_of_the_curves(
    feedbench: Feedbench, photos: Path
) -> None:
    run, text = fed(
        feedbench, photos, "--step", "20ms", "--demand", "--blocks", "1", "-p", "tfdata_naive"
    )
    (curve,) = run["demand"]["curves"]
    assert curve["fed_at_90"]["value"] > 0
    assert "feeds 90%" in text
    done = feedbench.run("run", "--resume", "R", "--blocks", "+1")
    assert done.returncode == 0, done.stderr
    again = read_run(feedbench.folder / "R").demand
    assert again is not None
    assert (again.blocks, again.curve_blocks) == (2, 2)
    assert again.rows[0].wait is not None
    assert again.rows[0].wait.blocks == 2


def test_a_real_model_trains_and_its_steps_are_timed(feedbench: Feedbench, photos: Path) -> None:
    run, text = fed(
        feedbench, photos, "--model", "mnist_cnn", "--blocks", "1", "-p", "tfdata_naive"
    )
    (row,) = run["demand"]["rows"]
    assert run["demand"]["appetite"]["value"] > row["rate"]["value"] * 0.5
    assert 0 < row["utilisation"] <= 1
    assert "Your model takes" in text


def test_a_model_that_ignores_its_images_is_refused(feedbench: Feedbench, photos: Path) -> None:
    (feedbench.folder / "model.py").write_text(IGNORING)
    done = feedbench.run("run", photos, *SMALL, "--model", "model.py:build", "--blocks", "1")
    assert done.returncode == 2
    assert "gives the same output for any images, so it has no appetite" in done.stderr
    assert not (feedbench.folder / "feedbench-runs").exists() or not list(
        (feedbench.folder / "feedbench-runs").iterdir()
    )
