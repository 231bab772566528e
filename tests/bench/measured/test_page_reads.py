from __future__ import annotations

import mmap
from pathlib import Path

import numpy as np
import psutil
import pytest

from feedbench.bench.measured.page_reads import is_overlapping, page_values

SHAPE = (32, 64, 64, 3)


@pytest.mark.parametrize("dtype", ["uint8", "float16", "float32"])
@pytest.mark.parametrize("axes", [(0, 1, 2, 3), (0, 3, 1, 2), (3, 2, 1, 0)])
def test_a_value_of_each_page_of_an_array_is_read(
    dtype: str, axes: tuple[int, ...], tmp_path: Path
) -> None:
    np.ones(SHAPE, dtype).tofile(tmp_path / "images")
    array = np.memmap(tmp_path / "images", dtype, "r", shape=SHAPE)
    page_values(np.asarray(array).transpose(axes))
    assert resident_bytes(tmp_path / "images") >= array.nbytes // mmap.PAGESIZE * mmap.PAGESIZE


def test_a_mapped_array_that_nobody_read_is_not_there(tmp_path: Path) -> None:
    np.ones(SHAPE, np.float32).tofile(tmp_path / "images")
    array = np.memmap(tmp_path / "images", np.float32, "r", shape=SHAPE)
    array.item(0)
    assert resident_bytes(tmp_path / "images") < array.nbytes / 2


def test_an_array_that_was_written_to_reads_otherwise() -> None:
    array = np.zeros(SHAPE, np.float32)
    before = page_values(array)
    assert page_values(array) == before
    array[:] = 1
    assert page_values(array) != before


@pytest.mark.parametrize(
    "array",
    [
        np.broadcast_to(np.ones((64, 64, 3)), SHAPE),
        np.broadcast_to(np.float32(0), SHAPE),
        np.broadcast_to(np.ones((32, 64, 64, 1)), SHAPE),
        np.lib.stride_tricks.sliding_window_view(np.ones((33, 64, 64, 3)), 2, axis=0),
    ],
)
def test_values_that_share_memory_are_recognised(array: np.ndarray) -> None:
    assert is_overlapping(array)


@pytest.mark.parametrize(
    "array",
    [
        np.ones(SHAPE),
        np.ones((1, 64, 64, 3))[:1],
        np.broadcast_to(np.ones((64, 64, 3)), (1, 64, 64, 3)),
        np.ones(SHAPE)[:, :, ::-1],
        np.ones(SHAPE).transpose(0, 3, 1, 2),
        np.ones(SHAPE)[::2, 8:-8, 8:-8],
    ],
)
def test_views_of_other_arrays_share_nothing(array: np.ndarray) -> None:
    assert not is_overlapping(array)


def resident_bytes(file: Path) -> int:
    """Bytes of a mapped file that this process has read through its map."""
    maps = psutil.Process().memory_maps()
    return sum(it.rss for it in maps if it.path == str(file))
