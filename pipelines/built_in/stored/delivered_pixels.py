"""Images as the pixels that are delivered: decoded and resized as tf.data pipelines do it.

Imports TensorFlow, and starts its runtime; pipelines import this inside `prepare`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import tensorflow as tf

from feedbench.pipelines.built_in import steps
from feedbench.pipelines.built_in.tensor_form import sized, whole_levels
from feedbench.pipelines.remote.address import is_address
from feedbench.pipelines.remote.reading import AT_ONCE, read

if TYPE_CHECKING:
    from feedbench.pipelines.built_in.tail_knobs import TailKnobs
    from feedbench.pipelines.contract import Workload


def pixels(
    files: Sequence[str], workload: Workload, knobs: TailKnobs, threads: int
) -> Iterator[bytes]:
    """Yield each file's image, `[height, width, channels]` uint8 in grey levels, in order.

    `threads` decode at once: TensorFlow's threads need no Python.
    """

    def load(path: tf.Tensor) -> tf.Tensor:
        colours = steps.decoded_file(contents(path), workload, knobs)
        return whole_levels(sized(colours, workload))

    def from_store(path: tf.Tensor) -> tf.Tensor:
        content = tf.numpy_function(lambda file: read(os.fsdecode(file)), [path], tf.string)
        content.set_shape([])
        return content

    is_here = not is_address(files[0])
    contents = tf.io.read_file if is_here else from_store
    threads = threads if is_here else AT_ONCE  # most of these wait
    dataset = tf.data.Dataset.from_tensor_slices([os.fsencode(file) for file in files])
    # Without AUTOTUNE, whose iterator takes seconds to end.
    dataset = dataset.map(load, num_parallel_calls=threads).prefetch(2 * threads)
    for image in dataset.as_numpy_iterator():
        yield image.tobytes()
