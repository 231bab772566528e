"""Reads a value of each memory page of a batch, so that the batch must really be there. Pure.

A memory map, or an array that is computed when it is read, costs nothing until it is read. So every
batch of every pipeline is read like this, and nothing but the values read is copied. A batch of 32
images of 224x224 takes 5 microseconds as uint8 and 18 as float32, on the machine of the studies.
"""

from __future__ import annotations

from feedbench.bench.measured.batch_forms import Array

# A page has 4096 bytes. Steps of exactly as many would all fall into the same sets of a processor's
# cache, which took twice as long.
_STEP_BYTES = 4032


def page_values(array: Array) -> bytes:
    """Read a value of each page that an array covers, and return the values that were read.

    Two readings of an array that nobody wrote to between them are equal.
    """
    if array.flags.c_contiguous:
        values = array.reshape(-1)
        return values[:: max(_STEP_BYTES // array.itemsize, 1)].tobytes()
    steps = (slice(None, None, _step(abs(stride))) for stride in array.strides)
    return array[tuple(steps)].tobytes()


def _step(stride_bytes: int) -> int:
    return max(_STEP_BYTES // stride_bytes, 1) if stride_bytes else 1


def is_overlapping(array: Array) -> bool:
    """Whether some values of an array are the same memory, as those of a broadcast array are."""
    if array.flags.c_contiguous:
        return False
    sides = zip(array.shape, array.strides, strict=True)
    extent_bytes = sum((size - 1) * abs(stride) for size, stride in sides) + array.itemsize
    return bool(extent_bytes < array.nbytes)
