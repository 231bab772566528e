"""The built-in PyDataset: what is proven of it, and that its knobs act."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from feedbench.pipelines import catalog
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.keras_fit import FitFeed, is_py_dataset
from tests.support.pipelines.feeds import proof_of

pytestmark = [pytest.mark.tensorflow, pytest.mark.thorough]


def opened(spec: str, workload: Workload, folder: Path) -> FitFeed:
    dataset = catalog.load(catalog.parse(spec)).open(workload, folder, folder)
    assert is_py_dataset(dataset)
    return FitFeed(dataset, workload)


@pytest.mark.parametrize(
    ("knobs", "form"),
    [
        ("", {}),
        (":workers=3", {"dtype": "uint8", "value_range": (0, 255)}),
        (":workers=2,use_multiprocessing=true", {"value_range": (-1, 1)}),
        ("", {"channels": 1, "label_mode": "categorical"}),
        ("", {"channels": 1, "dtype": "uint8", "value_range": (0, 255)}),
    ],
    ids=str,
)
def test_its_images_are_those_of_pillow_in_a_new_order_each_epoch(
    natural: Workload, tmp_path: Path, knobs: str, form: dict[str, Any]
) -> None:
    work = replace(natural, **form)
    proof = proof_of(tmp_path, opened(f"py_dataset{knobs}", work, tmp_path), work)
    assert proof.work == "near"
    assert proof.reason is not None
    assert "Pillow's antialiased bilinear filter" in proof.reason
    assert proof.shuffle is not None
    assert proof.shuffle.kind == "full"


def test_another_interpolation_is_noticed(natural: Workload, tmp_path: Path) -> None:
    feed = opened("py_dataset:interpolation=nearest", natural, tmp_path)
    assert proof_of(tmp_path, feed, natural).work == "different"


def test_without_a_shuffle_the_images_of_a_batch_stay_together(
    natural: Workload, tmp_path: Path
) -> None:
    feed = opened("py_dataset:shuffle=false", natural, tmp_path)
    epochs = [{tuple(np.asarray(labels)) for _, labels in feed} for _ in range(2)]
    assert epochs[0] == epochs[1]
    proof = proof_of(tmp_path, feed, natural)
    assert proof.shuffle is not None
    assert proof.shuffle.kind == "partial"


def test_its_workers_are_processes_while_an_epoch_lasts(natural: Workload, tmp_path: Path) -> None:
    feed = opened("py_dataset:workers=2,use_multiprocessing=true", natural, tmp_path)
    before = set(psutil.Process().children())
    batches = iter(feed)
    next(batches)
    workers = set(psutil.Process().children()) - before
    assert len(workers) == 2
    assert len(list(batches)) == 3
    assert not psutil.wait_procs(workers, timeout=10)[1]
