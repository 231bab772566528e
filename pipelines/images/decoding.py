"""How TensorFlow decodes a file: for every tf.data pipeline, and for the check that comes before.

Imports TensorFlow; others import this inside functions.
"""

from __future__ import annotations

from collections.abc import Collection

import tensorflow as tf

_DECODE_JPEG_DECODES = {"JPEG", "PNG"}


def decoded(encoded: tf.Tensor, formats: Collection[str], dct: str) -> tf.Tensor:
    """Decode one file's bytes to three channels: `[height, width, 3]` uint8, a GIF's first frame.

    `decode_image` has no argument for the JPEG transform, so that JPEGs go to `decode_jpeg`, which
    decodes PNG as well. Where the files hold nothing else, the graph does not ask: asking added
    1 to 2 % to the CPU-seconds of real photos, and 17 to 20 % to those of PNGs of 28x28.
    """

    def jpeg() -> tf.Tensor:
        return tf.io.decode_jpeg(encoded, channels=3, dct_method=dct.upper())

    def other() -> tf.Tensor:
        return tf.io.decode_image(encoded, channels=3, expand_animations=False)

    if formats and _DECODE_JPEG_DECODES.issuperset(formats):
        return jpeg()
    colours = tf.cond(tf.io.is_jpeg(encoded), jpeg, other)
    colours.set_shape([None, None, 3])  # decode_image cannot tell
    return colours
