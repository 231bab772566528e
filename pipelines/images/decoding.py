"""How TensorFlow decodes a file, in every tf.data pipeline and in the check of the images.

Imports TensorFlow; other modules import this one inside functions.
"""

from __future__ import annotations

from collections.abc import Collection

import tensorflow as tf

_DECODE_JPEG_DECODES = {"JPEG", "PNG"}


def decoded(encoded: tf.Tensor, formats: Collection[str], dct: str) -> tf.Tensor:
    """Decode one file's bytes to three channels: `[height, width, 3]` uint8, a GIF's first frame.

    `decode_image` has no argument for the JPEG transform. So JPEGs go to `decode_jpeg`, which also
    decodes PNG. If all files are JPEG or PNG, the graph does not test the format. That test added
    1 to 2 % to the CPU-seconds of real photos, and 17 to 20 % to those of PNGs of 28x28.
    """

    def jpeg() -> tf.Tensor:
        return tf.io.decode_jpeg(encoded, channels=3, dct_method=dct.upper())

    def other() -> tf.Tensor:
        return tf.io.decode_image(encoded, channels=3, expand_animations=False)

    if formats and _DECODE_JPEG_DECODES.issuperset(formats):
        return jpeg()
    colours = tf.cond(tf.io.is_jpeg(encoded), jpeg, other)
    colours.set_shape([None, None, 3])  # decode_image leaves the shape open
    return colours
