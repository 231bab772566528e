"""A real model: each step is one of Keras' own train function, as `fit` calls it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from feedbench.bench.measured.batches.batch_forms import pair
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.networks.fitted import fitted_model
from feedbench.pipelines.networks.spec import parse_model

_FIRST_STEPS = 3  # of each size of a batch: they trace and compile
_PAIR = 2

Batches = Callable[[int, int], tuple[Any, Any]]
"""Returns random images and labels: from how many images, and a seed."""


class NetworkModel:
    """A Keras model that trains. Building it imports TensorFlow, and takes seconds.

    A step begins when the batch is there and ends when its loss is known, so a copy to a device is
    part of it. `fit` on a GPU asks for the next batch a little earlier.
    """

    def __init__(self, text: str, workload: Workload, batches: Batches) -> None:
        """Build the model that --model names, and take its first steps.

        Raises RequestError for a model that does not suit the workload, that ignores the images, or
        for which the memory does not suffice.
        """
        self.first_steps_seconds = 0.0
        self._text = text
        self._workload = workload
        try:
            self._model = fitted_model(parse_model(text), workload, workload.seed).model
            self._model.make_train_function()
            begun = time.monotonic()
            self._begin(batches)
        except Exception as error:
            if not _is_of_memory(error):
                raise
            raise self._too_large() from error
        self.first_steps_seconds = time.monotonic() - begun

    def step(self, delivered: object, arrived: float) -> int:  # noqa: ARG002 - as any model has it
        """Train with a batch until its loss is known; return its number of images."""
        images, labels = _tensors(delivered)
        logs = self._model.train_function(_only((images, labels)))
        float(next(iter(logs.values())))  # waits for a device
        return int(images.shape[0])

    def _begin(self, batches: Batches) -> None:
        """Trace both sizes of a batch, and check that the model uses its images."""
        ignores_before = self._ignores(batches)
        for count in self._sizes():
            for seed in range(_FIRST_STEPS):
                self.step(batches(count, seed), 0.0)
        # A last layer that begins at zero ignores its images too, but only until it has trained.
        if ignores_before and self._ignores(batches):
            raise RequestError(
                f"--model {self._text} gives the same output for any images, so it has no appetite",
                hint="check that its layers lead from the images to its output",
            )

    def _sizes(self) -> list[int]:
        """Return the sizes of an epoch's batches: the usual one, and that of the last."""
        size = min(self._workload.batch_size, self._workload.images)
        rest = self._workload.images % size
        return [size, rest] if rest else [size]

    def _ignores(self, batches: Batches) -> bool:
        """Return whether the images change nothing, neither the outputs nor by their gradient.

        Before a model with batch normalisation has trained, its outputs for any images may be the
        same to the last bit: MobileNetV2's are. So its gradient is checked as it trains.
        """
        images = np.asarray(batches(_PAIR, 0)[0])
        different = np.concatenate([images, np.zeros_like(images)[:1]])
        outputs = np.asarray(self._model(different, training=False))
        return bool((outputs == outputs[:1]).all()) and not self._gradient(different).any()

    def _gradient(self, images: np.ndarray) -> np.ndarray:
        """Return what the images change, `[batch, height, width, channels]`; 0 if nothing."""
        import tensorflow as tf

        inputs = tf.cast(tf.convert_to_tensor(images), tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = tf.cast(self._model(inputs, training=True), tf.float32)
            # Not their plain sum: that of softmax is always 1.
            weighted = tf.reduce_sum(outputs * tf.random.stateless_uniform(outputs.shape, (0, 0)))
        gradient = tape.gradient(weighted, inputs)
        return np.zeros(1) if gradient is None else np.asarray(gradient)

    def _too_large(self) -> RequestError:
        work = self._workload
        return RequestError(
            f"--model {self._text} needs more memory than there is, for batches of"
            f" {work.batch_size} images of {work.height}x{work.width}",
            hint="use a smaller model, --batch-size or --image-size",
        )


def _tensors(delivered: object) -> tuple[Any, Any]:
    """Return a batch's images and labels as tensors; those that are tensors are not copied."""
    import tensorflow as tf

    if (
        isinstance(delivered, tuple)
        and len(delivered) == _PAIR
        and all(map(tf.is_tensor, delivered))
    ):
        return delivered
    images, labels = pair(delivered)
    return tf.convert_to_tensor(images), tf.convert_to_tensor(labels)


def _only(data: object) -> Iterator[object]:
    """Yield one batch, which is how `train_on_batch` gives it to the train function."""
    yield data


def _is_of_memory(error: BaseException | None) -> bool:
    """Return whether an exception is for want of memory, or is caused by one that is."""
    import tensorflow as tf

    while error is not None:
        if isinstance(error, MemoryError | tf.errors.ResourceExhaustedError):
            return True
        error = error.__cause__
    return False
