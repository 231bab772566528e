"""The process that checks a model, and the one that trains it through a pipeline's feed.

The model is built from the seed before the feed is opened: so its first weights are the same
through each pipeline. `fit` does the rest.
"""

from __future__ import annotations

import dataclasses
import os
import time
import warnings
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from feedbench.bench.fitting.fit_data import FitData, fit_data
from feedbench.bench.fitting.follower import Follower, Logs, finite
from feedbench.bench.fitting.task import TrainingTask
from feedbench.bench.processes.workload_file import read_workload
from feedbench.bench.records.messages import Event, FitEnded, Fitting, Modelled, Request
from feedbench.bench.records.trained_epoch import TrainedEpoch
from feedbench.pipelines.contract import Pipeline, Workload
from feedbench.pipelines.errors import FeedbenchError
from feedbench.pipelines.networks.fitted import fitted_model

_VALIDATION = "validation"
_MOST_NOTES = 10


def checked(file: Path, workload: Workload) -> Modelled:
    """Build the task's model once. Raises RequestError if it does not suit the workload."""
    task = TrainingTask.read(file)
    fitted = fitted_model(task.spec, workload, task.seed)
    return Modelled(
        parameters=fitted.parameters, compiled_with=fitted.compiled_with, note=fitted.note
    )


def train(
    pipeline: Pipeline, request: Request, workload: Workload, say: Callable[[Event], Any]
) -> FitEnded:
    """Train the task's model through a pipeline, and report each epoch.

    Raises whatever the pipeline, the model or `fit` raises.
    """
    task = TrainingTask.read(Path(request.training))
    fitted = fitted_model(task.spec, workload, task.seed)
    begun = time.monotonic()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("ignore")
        warnings.simplefilter("default", UserWarning)
        training, validation = _opened(pipeline, request, task, workload)
    remarks = [" ".join(str(each.message).split()) for each in caught]
    say(
        Fitting(
            initial_weights=fitted.weights,
            open_seconds=time.monotonic() - begun,
            notes=list(dict.fromkeys([*training.notes, *remarks]))[:_MOST_NOTES],
        )
    )
    with ExitStack() as held:
        kept = _Kept(fitted.model, task, held)
        follower = Follower(say, kept.epoch, images=workload.images, batches=training.batches)
        callbacks = [_callback(follower)]
        if task.stop_at_nan:
            import keras

            callbacks.append(keras.callbacks.TerminateOnNaN())
        try:
            model = _augmenting(fitted.model, pipeline, workload)
            _fit(model, task, training, validation, callbacks)
        except Exception as error:
            raise _explained(error, training, validation, workload) from error
        return FitEnded(is_stopped=task.stop_at_nan and kept.epochs < task.epochs)


def _opened(
    pipeline: Pipeline, request: Request, task: TrainingTask, workload: Workload
) -> tuple[FitData, FitData | None]:
    """Open the feeds of both parts, each in a scratch of its own."""
    prepared, scratch = Path(request.prepared), Path(request.scratch)
    training = fit_data(pipeline.open(request.given(workload), prepared, scratch), workload)
    if not task.validation:
        return training, None
    part = read_workload(Path(task.validation))
    own = scratch / _VALIDATION
    own.mkdir()
    folder = task.validation_folder or part.folder
    given = dataclasses.replace(part, folder=folder, scratch=str(own))
    opened = pipeline.open(given, Path(task.validation_prepared), own)
    return training, fit_data(opened, part)


def _augmenting(model: Any, pipeline: Pipeline, workload: Workload) -> Any:
    """Return the model behind layers that augment, if the pipeline leaves that to the model.

    Those layers pass images on as they are in validation. Raises RequestError as `model_layers`.
    """
    augmentation = workload.augmentation
    if augmentation is None or getattr(pipeline, "augment_in", "pipeline") != "model":
        return model
    import keras

    from feedbench.pipelines.augmentation.layers import model_layers

    layers = model_layers(
        augmentation,
        workload.seed,
        value_range=workload.value_range,
        normalization=workload.normalization,
        data_format=workload.data_format,
    )
    whole = keras.Sequential([keras.Input(workload.shape), *layers, model])
    whole.compile_from_config(model.get_compile_config())
    return whole


def _fit(
    model: Any,
    task: TrainingTask,
    training: FitData,
    validation: FitData | None,
    callbacks: list[Any],
) -> None:
    model.fit(
        training.data,
        epochs=task.epochs,
        steps_per_epoch=training.steps,
        shuffle=training.shuffle,
        validation_data=None if validation is None else validation.data,
        validation_steps=None if validation is None else validation.steps,
        callbacks=callbacks,
        verbose=0,
    )


def _callback(follower: Follower) -> Any:
    """Return a Keras callback that calls the follower."""
    import keras

    class Following(keras.callbacks.Callback):  # type: ignore[misc]
        _epoch = 0

        def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:  # noqa: ARG002
            self._epoch = epoch
            follower.epoch_begins()

        def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:  # noqa: ARG002
            follower.step_ends(self._epoch, logs or {})

        def on_test_begin(self, logs: Logs | None = None) -> None:  # noqa: ARG002
            follower.validation_begins()

        def on_test_end(self, logs: Logs | None = None) -> None:  # noqa: ARG002
            follower.validation_ends()

        def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
            follower.epoch_ends(epoch, logs or {})

    return Following()


class _Kept:
    """Keeps on disk what an epoch changed: the best model, and TensorBoard's event files."""

    def __init__(self, model: Any, task: TrainingTask, held: ExitStack) -> None:
        import tensorflow as tf

        self.epochs = 0
        self._model = model
        self._saved = Path(task.saved) if task.saved else None
        parts = ("train", *([_VALIDATION] if task.validation else []))
        self._writers = {}
        for part in parts if task.events else ():
            writer = tf.summary.create_file_writer(str(Path(task.events) / part))
            held.callback(writer.close)
            self._writers[part] = writer

    def epoch(self, epoch: TrainedEpoch, logs: Logs, is_best: bool) -> None:  # noqa: FBT001 - a callback
        """Keep an epoch. When this returns, its files are whole."""
        self.epochs = epoch.number
        if is_best and self._saved is not None:
            self._save(self._saved)
        for part, writer in self._writers.items():
            prefix = "val_" if part == _VALIDATION else ""
            self._write(writer, epoch.number - 1, logs, prefix)

    def _save(self, file: Path) -> None:
        new = file.with_name(f".{file.name}")  # a name that ends in .keras too
        self._model.save(new)
        os.replace(new, file)  # noqa: PTH105

    def _write(self, writer: Any, step: int, logs: Logs, prefix: str) -> None:
        """Write the figures of a part under the names that Keras' own callback gives them."""
        import tensorflow as tf

        with writer.as_default():
            for name, value in logs.items():
                if name.startswith("val_") == bool(prefix) and finite(value) is not None:
                    tf.summary.scalar(f"epoch_{name.removeprefix(prefix)}", value, step=step)
        writer.flush()


def _explained(
    error: Exception, training: FitData, validation: FitData | None, workload: Workload
) -> Exception:
    """Return an exception of `fit` as what it comes from."""
    import tensorflow as tf

    for part in (training, validation):
        if part is not None and part.error is not None:
            error = part.error
    if not isinstance(error, tf.errors.ResourceExhaustedError | MemoryError):
        return error
    half = max(workload.batch_size // 2, 1)
    return FeedbenchError(
        f"memory ran out in a batch of {workload.batch_size} images of"
        f" {workload.height}x{workload.width}",
        hint=f"use --batch-size {half}, or a smaller --image-size or model",
    )
