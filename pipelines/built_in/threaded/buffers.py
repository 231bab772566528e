"""Memory of batches that is used again once nothing refers to it."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

_UNUSED = 3  # references: the pool's, the variable of a loop, and the argument of getrefcount


class Buffers:
    """Arrays of one shape. The first touch of new memory costs as much as filling it."""

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any], most: int) -> None:
        """Take the arrays' form, and how many of them are kept at `most`."""
        self._shape, self._dtype, self._most = shape, dtype, most
        self._kept: list[Array] = []

    def take(self) -> Array:
        """Return an array that nothing else refers to, nor to a part of it."""
        for array in self._kept:
            if sys.getrefcount(array) <= _UNUSED:
                return array
        array = np.zeros(self._shape, self._dtype)
        if len(self._kept) < self._most:
            self._kept.append(array)
        return array
