"""Images as the pixels that are delivered: decoded and resized as tf.data pipelines do it.

Imports TensorFlow, and starts its runtime; pipelines import this inside `prepare`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from feedbench.pipelines.built_in import steps
from feedbench.pipelines.built_in.autotune import untuned
from feedbench.pipelines.built_in.tensor_form import sized, whole_levels
from feedbench.pipelines.remote.address import is_address
from feedbench.pipelines.remote.reading import AT_ONCE, read
from feedbench.pipelines.system.regular_files import open_regular, pipes_released

if TYPE_CHECKING:
    from feedbench.pipelines.built_in.tail_knobs import TailKnobs
    from feedbench.pipelines.contract import Workload

_BATCH = 8  # images that Python asks for: each time takes 0.1 ms, an eighth of decoding a photo
_building = Lock()  # several record files begin at once


def pixels(
    files: Sequence[str], workload: Workload, knobs: TailKnobs, threads: int
) -> Iterator[memoryview]:
    """Yield each file's image, `[height, width, channels]` uint8 in grey levels, in order.

    `threads` decode at once: TensorFlow's threads need no Python. Raises OSError if a file is
    not a regular file any more, or is gone, and OpError if it cannot be decoded.
    """
    is_here = not is_address(files[0])
    form = replace(
        workload, files=(), labels=(), validation_files=(), validation_labels=(), records=None
    )
    threads = threads if is_here else AT_ONCE  # most of these wait
    dataset = tf.data.Dataset.from_tensor_slices([os.fsencode(file) for file in files])
    with _building:
        load = _loading(form, knobs, is_here)
    batches = max(threads // _BATCH, 1) + 1
    dataset = dataset.map(load, num_parallel_calls=threads).batch(_BATCH).prefetch(batches)
    dataset = untuned(dataset)
    most_awaited = threads + (batches + 2) * _BATCH
    taken = 0

    def awaited() -> Sequence[str]:
        return files[taken : taken + most_awaited] if is_here else ()

    with pipes_released(awaited):
        try:
            for images in dataset.as_numpy_iterator():
                for image in images:
                    taken += 1
                    yield memoryview(image).cast("B")  # a copy would take as long as writing it
        except tf.errors.OpError:
            for file in awaited():
                os.close(open_regular(file))  # raises OSError if it is none
            raise


@lru_cache(maxsize=1)
def _loading(form: Workload, knobs: TailKnobs, is_here: bool) -> Any:  # noqa: FBT001 - cached by it
    """Return the function of a path to its pixels. All record files share its graph.

    Without Autograph, which would convert the source of each step first: none needs it.
    """

    def load(path: tf.Tensor) -> tf.Tensor:
        colours = steps.decoded_file(contents(path), form, knobs)
        return whole_levels(sized(colours, form))

    def from_store(path: tf.Tensor) -> tf.Tensor:
        content = tf.numpy_function(lambda file: read(os.fsdecode(file)), [path], tf.string)
        content.set_shape([])
        return content

    contents = tf.io.read_file if is_here else from_store
    return tf.function(load, input_signature=[tf.TensorSpec([], tf.string)], autograph=False)
