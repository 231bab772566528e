"""How TensorFlow decodes a file, in every tf.data pipeline and in the check of the images.

Imports TensorFlow; other modules import this one inside functions.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial

import tensorflow as tf

from feedbench.pipelines.images.placement import DECODE_RATIOS

MayReduce = Callable[[tf.Tensor, int], tf.Tensor]
"""An image's (height, width) and a ratio -> whether it may be decoded at that part of its size."""

_DECODE_JPEG_DECODES = {"JPEG", "PNG"}


def decoded(
    encoded: tf.Tensor,
    formats: Collection[str],
    dct: str,
    may_reduce: MayReduce | None = None,
) -> tf.Tensor:
    """Decode one file's bytes to three channels: `[height, width, 3]` uint8, a GIF's first frame.

    With `may_reduce`, a JPEG is decoded at the smallest of 1/1, 1/2, 1/4 and 1/8 of its size that
    it allows. Other formats are decoded in full.

    `decode_image` has no argument for the JPEG transform. So JPEGs go to `decode_jpeg`, which also
    decodes PNG. If all files are JPEG or PNG, the graph does not test the format. That test added
    1 to 2 % to the CPU-seconds of real photos, and 17 to 20 % to those of PNGs of 28x28.
    """
    jpeg = partial(tf.io.decode_jpeg, encoded, channels=3, dct_method=dct.upper())

    def other() -> tf.Tensor:
        return tf.io.decode_image(encoded, channels=3, expand_animations=False)

    in_full = _DECODE_JPEG_DECODES if may_reduce is None else {"PNG"}
    if formats and in_full.issuperset(formats):
        return jpeg()
    if may_reduce is not None:
        jpeg = partial(_reduced, encoded, jpeg, may_reduce)
        if set(formats) == {"JPEG"}:
            return jpeg()
    colours = tf.cond(tf.io.is_jpeg(encoded), jpeg, other)
    colours.set_shape([None, None, 3])  # decode_image leaves the shape open
    return colours


def _reduced(encoded: tf.Tensor, jpeg: partial[tf.Tensor], may_reduce: MayReduce) -> tf.Tensor:
    """Decode a JPEG at the smallest part of its size that is allowed.

    The ratio is an attribute of the operation, so the graph has one for each.
    """
    sides = tf.io.extract_jpeg_shape(encoded)[:2]
    allowed = [
        tf.where(may_reduce(sides, ratio), number, 0)
        for number, ratio in enumerate(DECODE_RATIOS, start=1)
    ]
    at_each = [partial(jpeg, ratio=ratio) for ratio in (1, *DECODE_RATIOS)]
    colours = tf.switch_case(tf.reduce_max(allowed), at_each)
    colours.set_shape([None, None, 3])
    return colours
