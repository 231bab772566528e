"""A workload on its way to the measured processes. No TensorFlow."""

from __future__ import annotations

import os
from pathlib import Path

from PIL import Image

from feedbench.bench.processes.workload_file import read_workload, workload_of, write_workload
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.images.index import index_folder


def a_workload(folder: Path) -> Workload:
    """One photo, and everything asked for otherwise than by default."""
    (folder / "c").mkdir(parents=True)
    Image.new("RGB", (3, 2)).save(folder / "c" / os.fsdecode(b"\xff.png"))
    return workload_of(
        index_folder(folder),
        folder_images=7,
        image_size=(20, 30),
        channels=1,
        batch_size=5,
        dtype="uint8",
        value_range=(0.0, 255.0),
        label_mode="categorical",
        seed=3,
    )


def test_a_workload_is_what_was_asked_for_and_what_formats_its_files_have(tmp_path: Path) -> None:
    work = a_workload(tmp_path / "photos")
    assert (work.height, work.width, work.channels) == (20, 30, 1)
    assert (work.dtype, work.value_range, work.label_mode) == ("uint8", (0, 255), "categorical")
    assert (work.batch_size, work.seed, work.folder_images) == (5, 3, 7)
    assert work.formats == ("PNG",)
    assert work.image_bytes == 20 * 30


def test_a_workload_is_read_as_it_was_written(tmp_path: Path) -> None:
    work = a_workload(tmp_path / "photos")
    write_workload(work, tmp_path / "workload.json")
    assert read_workload(tmp_path / "workload.json") == work
