"""What --model names: a built-in network, a function of a file, or a saved model."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from feedbench.pipelines.contract import LabelMode
from feedbench.pipelines.errors import RequestError, did_you_mean
from feedbench.pipelines.networks.applications import APPLICATIONS
from feedbench.pipelines.networks.course import COURSE_NETWORKS

_RANK = 4  # of a batch of images
_OLD = (".h5", ".hdf5")
_WEIGHTS = (*_OLD, ".keras")


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """A network as --model names it: NAME, FILE.py:FUNCTION or FILE.keras."""

    text: str  # as it was typed
    kind: Literal["course", "application", "function", "saved"]
    name: str  # of the network in its table, of the function, or of the saved file
    file: str = ""  # the path of the user's file; "": the network is built in
    image_size: tuple[int, int] | None = None  # its own (height, width); None: not known
    channels: int | None = None
    label_mode: LabelMode | None = None
    weights: str = ""  # the path of a file of weights to begin with; "": those of the seed

    @property
    def source(self) -> Path | None:
        """The user's file of Python."""
        return Path(self.file) if self.kind == "function" else None


def network_names() -> tuple[str, ...]:
    """Return the names of all built-in networks."""
    return (*COURSE_NETWORKS, *APPLICATIONS)


def parse_model(text: str, weights: str = "") -> ModelSpec:
    """Read what --model and --weights name, without importing TensorFlow or the user's code.

    Raises RequestError for an unknown name and a missing file.
    """
    spec = _parsed(text)
    if not weights:
        return spec
    if not Path(weights).is_file():
        raise RequestError(
            f"--weights {weights}: there is no such file; the working directory is {Path.cwd()}"
        )
    if not weights.endswith(_WEIGHTS):
        raise RequestError(
            f"--weights {weights}: expected a file of Keras weights, .weights.h5, .h5 or .keras",
            hint="model.save_weights('model.weights.h5') writes one",
        )
    return dataclasses.replace(spec, weights=weights)


def _parsed(text: str) -> ModelSpec:
    if text.endswith(".keras"):
        return _saved(text)
    if ".py" in text or ":" in text:
        return _function(text)
    if text.endswith(_OLD):
        raise RequestError(
            f"--model {text}: expected a .keras file; found Keras' old format",
            hint="save it anew: keras.models.load_model(OLD).save('model.keras')",
        )
    return _network(text)


def _network(text: str) -> ModelSpec:
    plain = _plain(text)
    for name, course in COURSE_NETWORKS.items():
        if plain == _plain(name):
            return ModelSpec(
                text=text,
                kind="course",
                name=name,
                image_size=(course.side, course.side),
                channels=course.channels,
                label_mode=course.label_mode,
            )
    for name, (_, side) in APPLICATIONS.items():
        if plain == _plain(name):
            return ModelSpec(text=text, kind="application", name=name, image_size=(side, side))
    raise RequestError(f"--model {text}: there is no such network", hint=_meant(text))


def _plain(name: str) -> str:
    """Return a name as both mobilenet_v2 and MobileNetV2 have it."""
    return name.lower().replace("_", "").replace("-", "")


def _meant(text: str) -> str:
    """Return a hint on the network that may be meant."""
    if Path(f"{text}.keras").is_file():
        return f"did you mean {text}.keras?"
    if Path(f"{text}.py").is_file():
        return f"did you mean {text}.py:build?"
    by_plain = {_plain(name): name for name in network_names()}
    if near := did_you_mean(_plain(text), by_plain):
        plain = near.removeprefix("did you mean ").removesuffix("?")
        return f"did you mean {by_plain[plain]}?"
    courses = ", ".join(COURSE_NETWORKS)
    return (
        f"choose among {courses} and the networks of keras.applications, such as mobilenet_v2;"
        " your own is FILE.py:FUNCTION or FILE.keras"
    )


def _function(text: str) -> ModelSpec:
    file, colon, function = text.partition(":")
    if not colon:
        raise RequestError(
            f"--model {text}: expected FILE.py:FUNCTION, a function that returns a Keras model",
            hint=f"such as --model {text}:build",
        )
    if not file.endswith(".py"):
        raise RequestError(
            f"--model {text}: expected FILE.py:FUNCTION; found {file!r} before the colon"
        )
    _refuse_missing(text, Path(file))
    if not function.isidentifier():
        raise RequestError(
            f"--model {text}: expected FILE.py:FUNCTION, the name of a function in {file}; found"
            f" {function!r}"
        )
    return ModelSpec(text=text, kind="function", name=function, file=file)


def _saved(text: str) -> ModelSpec:
    file = Path(text)
    _refuse_missing(text, file)
    shape = _saved_shape(file)
    if shape is None:
        return ModelSpec(text=text, kind="saved", name=file.name, file=text)
    height, width, channels = shape
    is_size_free = height is None or width is None
    return ModelSpec(
        text=text,
        kind="saved",
        name=file.name,
        file=text,
        image_size=None if is_size_free else (height, width),
        channels=channels,
    )


def _refuse_missing(text: str, file: Path) -> None:
    if not file.is_file():
        raise RequestError(
            f"--model {text}: there is no file {file}; the working directory is {Path.cwd()}"
        )


def _saved_shape(file: Path) -> tuple[Any, Any, Any] | None:
    """Return (height, width, channels) of a saved model's images; None if it has no such input.

    A .keras file is a ZIP archive, and its config.json has the model's first layer. Raises
    RequestError if it is no archive.
    """
    import json
    import zipfile

    try:
        with zipfile.ZipFile(file) as archive:
            config = json.loads(archive.read("config.json"))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise RequestError(
            f"--model {file}: expected a model that Keras saved as .keras; it cannot be read"
            f" ({error})",
            hint="save it again with model.save('model.keras')",
        ) from error
    shape = _first_shape(config)
    # Its layout is not in the file: where the channels are last is what Keras does.
    if shape is None or len(shape) != _RANK or shape[3] not in {1, 3}:
        return None
    return shape[1], shape[2], shape[3]


def _first_shape(config: Any) -> list[Any] | None:
    """Return the batch shape of the first input layer in a saved configuration."""
    match config:
        case {"config": {"layers": [{"config": {"batch_shape": list(shape)}}, *_]}}:
            return shape
        case {"build_config": {"input_shape": list(shape)}}:
            return shape
    return None
