from __future__ import annotations

import mmap

import numpy as np
import pytest

from feedbench.bench.measured.batches.page_reads import is_overlapping, page_values

SHAPE = (32, 64, 64, 3)


@pytest.mark.parametrize("dtype", ["uint16", "float32", "float64"])
@pytest.mark.parametrize("axes", [(0, 1, 2, 3), (0, 3, 1, 2), (3, 2, 1, 0)])
@pytest.mark.parametrize("shape", [SHAPE, (5, 7, 1000, 1), (2, 3000, 3, 3)])
def test_a_value_of_each_page_of_an_array_is_read(
    dtype: str, axes: tuple[int, ...], shape: tuple[int, ...]
) -> None:
    flat = np.arange(np.prod(shape))
    pages = (flat * np.dtype(dtype).itemsize // mmap.PAGESIZE).astype(dtype)
    values = page_values(pages.reshape(shape).transpose(axes))
    assert set(np.frombuffer(values, dtype)) == set(pages)


def test_each_row_of_a_part_of_an_array_is_read() -> None:
    rows = np.arange(200)[:, np.newaxis] * np.ones((1, 5000), np.int64)
    values = np.frombuffer(page_values(rows[::-2, 7:-7]), np.int64)
    assert set(values) == set(range(1, 200, 2))
    assert len(values) > 200 * 5000 * 8 / mmap.PAGESIZE / 2


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_few_values_more_than_one_a_page_are_read(dtype: str) -> None:
    array = np.zeros((32, 224, 224, 3), dtype)
    values = len(page_values(array)) // array.itemsize
    assert values < 1.1 * array.nbytes / mmap.PAGESIZE


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
