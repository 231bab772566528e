"""Whether a model takes a workload's images, and gives an answer for each class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from feedbench.pipelines.errors import RequestError

if TYPE_CHECKING:
    from pathlib import Path

    from feedbench.pipelines.contract import Workload

_IMAGE_RANK = 3
_ANSWER_RANK = 2
_PAIR = 2  # classes that binary labels tell apart


def refuse_other_images(model: Any, workload: Workload, text: str) -> None:
    """Raise RequestError if a model's declared input is not one batch of the workload's images.

    A model without a declared input takes what its first batch is; `text` is what --model names.
    """
    inputs = _inputs(model)
    if not inputs:
        return
    if len(inputs) > 1:
        raise RequestError(
            f"--model {text}: expected a model with one input, the images; it has {len(inputs)}"
        )
    taken = tuple(inputs[0].shape)[1:]
    if len(taken) == _IMAGE_RANK and _takes(taken, workload.shape):
        return
    raise RequestError(
        f"--model {text} takes images of {_shown(taken)}; the workload has"
        f" {_shown(workload.shape)}",
        hint=_image_hint(taken, workload),
    )


def refuse_other_answers(answers: Any, workload: Workload, text: str) -> None:
    """Raise RequestError unless a model's output for one image suits the labels.

    That is `[1, classes]`, and `[1, 1]` for binary labels.
    """
    shape = getattr(answers, "shape", None)
    if shape is None:
        raise RequestError(
            f"--model {text}: expected a model with one output; it has"
            f" {len(answers) if isinstance(answers, Sequence) else 'another kind of'} outputs"
        )
    classes = len(workload.class_names)
    wanted = 1 if workload.label_mode == "binary" else classes
    if len(shape) == _ANSWER_RANK and shape[1] == wanted:
        return
    found = f"[B, {', '.join(map(str, tuple(shape)[1:]))}]"
    raise RequestError(
        f"--model {text} ends in {found}; expected [B, {wanted}], for {classes} classes and"
        f" --label-mode {workload.label_mode}",
        hint=_answer_hint(tuple(shape), workload, wanted),
    )


def refuse_failing(model: Any, workload: Workload, text: str, source: Path | None) -> Any:
    """Return a model's output for one black image. Raises RequestError if it raises."""
    import numpy as np

    from feedbench.pipelines.exceptions import raised

    image = np.zeros((1, *workload.shape), np.float32)
    try:
        return model(image, training=False)
    except Exception as error:
        raise RequestError(
            f"--model {text} cannot take an image of {_shown(workload.shape)}: it raised"
            f" {raised(error, source)}",
            hint="--image-size, --channels and --layout say what images are like",
        ) from error


def _inputs(model: Any) -> list[Any]:
    """Return the declared inputs of a model; none if it was not built yet."""
    try:
        return list(model.inputs or [])
    except AttributeError:  # a Sequential without an Input
        return []


def _takes(taken: Sequence[Any], shape: Sequence[int]) -> bool:
    return all(side in {None, given} for side, given in zip(taken, shape, strict=True))


def _shown(shape: Sequence[Any]) -> str:
    return f"[{', '.join('any' if side is None else str(side) for side in shape)}]"


def _image_hint(taken: Sequence[Any], workload: Workload) -> str:
    """Return which options deliver what the model takes."""
    if len(taken) != _IMAGE_RANK:
        return f"begin the model with keras.Input({workload.shape})"
    is_first = workload.data_format == "channels_first"
    places = {True: (taken[1], taken[2], taken[0]), False: tuple(taken)}
    height, width, channels = places[is_first]
    layout = ""
    if channels not in {None, 1, 3} and places[not is_first][2] in {1, 3}:
        height, width, channels = places[not is_first]
        layout = f"--layout {'channels_last' if is_first else 'channels_first'}"
    size = ""
    if (height or workload.height, width or workload.width) != (workload.height, workload.width):
        both = (height or workload.height, width or workload.width)
        size = (
            f"--image-size {both[0]}" if both[0] == both[1] else f"--image-size {both[0]}x{both[1]}"
        )
    colours = (
        f"--channels {channels}" if channels in {1, 3} and channels != workload.channels else ""
    )
    options = " ".join(filter(None, [size, colours, layout]))
    if not options or channels not in {None, 1, 3}:
        return f"begin the model with keras.Input({workload.shape})"
    return f"use {options}"


def _answer_hint(shape: Sequence[Any], workload: Workload, wanted: int) -> str:
    """Return which option, or which last layer, suits the labels."""
    classes = len(workload.class_names)
    if len(shape) != _ANSWER_RANK:
        return f"end the model with GlobalAveragePooling2D() or Flatten(), and Dense({wanted})"
    if shape[1] == 1 and classes == _PAIR:
        return "use --label-mode binary"
    if shape[1] == classes and workload.label_mode == "binary":
        return "use --label-mode int"
    return f"end the model with Dense({wanted}), or choose classes with --classes"
