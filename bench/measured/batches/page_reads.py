"""Reads a value of each memory page of a batch, so that the batch must really be there. Pure.

A memory map, or an array that is computed when it is read, costs nothing until it is read. So every
batch of every pipeline is read like this, and nothing but the values read is copied. A batch of 32
images of 224x224 takes 5 microseconds as uint8 and 18 as float32, on the machine of the studies.
"""

from __future__ import annotations

from feedbench.bench.measured.batches.batch_forms import Array

# A page has 4096 bytes. Steps of exactly as many would all fall into the same sets of a processor's
# cache, which took twice as long.
_STEP_BYTES = 4032


def page_values(array: Array) -> bytes:
    """Read a value of each page that an array covers, and return the values that were read.

    Two readings of an array that nobody wrote to between them are equal.
    """
    step = max(_STEP_BYTES // array.itemsize, 1)
    runs = array.reshape(-1) if array.flags.c_contiguous else _runs(array)
    return runs[..., ::step].tobytes() + runs[..., -1].tobytes()


def _runs(array: Array) -> Array:
    """Return the same memory as `[..., values]`, of values next to one another in each row."""
    forwards = array[tuple(slice(None, None, -1 if it < 0 else 1) for it in array.strides)]
    order = sorted(range(array.ndim), key=lambda axis: -forwards.strides[axis])
    rows = forwards.transpose(order)
    axis, values = rows.ndim, 1
    while axis and rows.strides[axis - 1] == values * rows.itemsize:
        axis -= 1
        values *= rows.shape[axis]
    return rows.reshape(*rows.shape[:axis], values)


def is_overlapping(array: Array) -> bool:
    """Whether some values of an array are the same memory, as those of a broadcast array are."""
    if array.flags.c_contiguous:
        return False
    sides = zip(array.shape, array.strides, strict=True)
    extent_bytes = sum((size - 1) * abs(stride) for size, stride in sides) + array.itemsize
    return bool(extent_bytes < array.nbytes)
