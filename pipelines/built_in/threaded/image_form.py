"""One decoded picture in the workload's form, by OpenCV and NumPy. Imports OpenCV."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from feedbench.pipelines.built_in.form import in_range
from feedbench.pipelines.contract import LUMA
from feedbench.pipelines.images.placement import placement

if TYPE_CHECKING:
    from feedbench.pipelines.built_in.threaded.drawn import Drawn
    from feedbench.pipelines.contract import Workload

Array = np.ndarray[Any, Any]


class ImageForm:
    """Brings a decoded picture into the workload's size, range, dtype and layout, in any thread."""

    def __init__(self, workload: Workload) -> None:
        """Take the workload whose form the pictures get."""
        self._workload = workload
        self._size = (workload.height, workload.width)
        is_plain = workload.channels == 3 and workload.data_format == "channels_last"  # noqa: PLR2004
        self._is_bytes = is_plain and workload.dtype == "uint8"
        self._memory = threading.local()
        self._is_float = is_plain and workload.dtype == "float32"
        low, high = workload.value_range
        self._scale, self._low = np.float32((high - low) / 255), np.float32(low)
        self._is_bgr = workload.normalization != "none" and workload.values.is_bgr
        self._table: Any = None
        if self._is_float and workload.normalization != "none":
            self._table = self._table_of(np.arange(256, dtype=np.float32))

    def put(self, pixels: Array, delivered: Array, drawn: Drawn | None = None) -> None:
        """Fit a picture `[height, width, 3]` uint8, and write it to its place in the batch.

        With `drawn`, the fitted picture is augmented.
        """
        if self._is_bytes and drawn is None:
            self._fit(pixels, delivered)
            return
        levels = self._fit(pixels, self._levels())
        if drawn is not None:
            levels = drawn.moved(levels)
        if drawn is None or drawn.brightness == 1:
            self._write(levels, delivered)
        else:
            self._write_by(drawn.brightened(), levels, delivered)

    def _write(self, levels: Array, delivered: Array) -> None:
        """Write an image `[height, width, 3]` uint8 in the workload's form."""
        if self._is_bytes:
            delivered[...] = levels
        elif not self._is_float:
            delivered[...] = self._values(levels)
        elif self._table is None:
            np.multiply(levels, self._scale, out=delivered, dtype=np.float32)
            if self._low:
                delivered += self._low
        else:  # NumPy is slow with three numbers in turn: this is a table of the 256 levels
            cv2.LUT(self._in_order(levels), self._table, delivered)

    def _write_by(self, values: Array, levels: Array, delivered: Array) -> None:
        """Write an image whose grey levels have these values, `[256]` from 0 to 255."""
        if self._is_bytes:
            cv2.LUT(levels, np.rint(values).astype(np.uint8), delivered)
        elif self._is_float:
            cv2.LUT(self._in_order(levels), self._table_of(values), delivered)
        else:
            delivered[...] = self._values(values[levels])

    def _table_of(self, values: Array) -> Array:
        """Return what is delivered of grey levels with these values: `[1, 256, 3]` float32."""
        delivered = in_range(np.stack([values] * 3, axis=-1), self._workload)
        return np.ascontiguousarray(delivered.reshape(1, 256, 3), dtype=np.float32)

    def _in_order(self, levels: Array) -> Array:
        """Return an image with its channels in the order in which they are delivered."""
        return levels[..., ::-1].copy() if self._is_bgr else levels

    def _levels(self) -> Array:
        """Return memory of this thread for an image, which it uses again."""
        levels: Array | None = getattr(self._memory, "levels", None)
        if levels is None:
            levels = self._memory.levels = np.empty((*self._size, 3), np.uint8)
        return levels

    def _fit(self, pixels: Array, levels: Array) -> Array:
        """Resize a picture by OpenCV's bilinear rule, which is TensorFlow's, into `levels`."""
        height, width = self._size
        place = placement(self._workload.fit, pixels.shape[:2], self._size)
        left, top, right, bottom = place.box
        part, size = pixels[top:bottom, left:right], (place.width, place.height)
        if (place.height, place.width, place.top, place.left) == (height, width, 0, 0):
            cv2.resize(part, size, dst=levels, interpolation=cv2.INTER_LINEAR)
            return levels
        resized = cv2.resize(part, size, interpolation=cv2.INTER_LINEAR)
        rows, of_rows = _overlap(place.top, place.height, height)
        columns, of_columns = _overlap(place.left, place.width, width)
        levels[...] = 0
        levels[rows, columns] = resized[of_rows, of_columns]
        return levels

    def _values(self, levels: Array) -> Array:
        """Return levels `[height, width, 3]` as the workload's values, in its layout."""
        work = self._workload
        if work.channels == 1:
            levels = (levels @ np.asarray(LUMA, np.float32))[..., np.newaxis]
        values = np.rint(levels) if work.dtype == "uint8" else in_range(levels, work)
        return np.moveaxis(values, -1, 0) if work.data_format == "channels_first" else values


def _overlap(at: int, length: int, side: int) -> tuple[slice, slice]:
    """Return where a part that begins `at` is on a side, and which of it is there."""
    return slice(max(at, 0), at + length), slice(max(-at, 0), side - at)
