"""What `feedbench train` is asked, as well as images and pipelines."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from feedbench.bench.options import values as read
from feedbench.bench.options.delivery_options import DeliveryOptions
from feedbench.bench.options.option import Given, Option, Typed, flag, option, options_of, values
from feedbench.bench.options.run_options import RunOptions
from feedbench.bench.options.source_options import SourceOptions
from feedbench.bench.options.time_options import MOST_SEED
from feedbench.bench.options.training_options import TrainingOptions
from feedbench.pipelines.errors import RequestError

if TYPE_CHECKING:
    from pathlib import PurePath
    from typing import Self

    from feedbench.pipelines.networks.spec import ModelSpec

DEFAULT_SPECS = ("image_data_generator", "tfdata_tuned")
"""The pipelines of a training for which nobody named any."""

_GROUPS = (SourceOptions, DeliveryOptions, TrainingOptions)
_OF_A_RUN = {"limit", "seed", "out", "prepared", "fresh_interpreter", "debug"}
_OF_THE_MODEL = {"image_size": "224", "channels": "3", "label_mode": "int"}  # else
_SENTENCES = {
    "specs": "A pipeline to train through: NAME[:knob=value,...], FILE.py:FUNCTION or"
    " PACKAGE.MODULE:FUNCTION. Give it once per pipeline. Others are compared with the first.",
    "limit": "Train with N images only, spread evenly over all classes.",
    "out": "A new folder for the results and the models.",
    "fresh_interpreter": "Start a new Python for each training. By default, a training is forked"
    " from one Python.",
}


def _validation(option: str, text: str) -> float | Literal["none"]:
    return "none" if text == "none" else read.split_share(option, text)


@dataclass(frozen=True, kw_only=True)
class FitOptions:
    """The model, and how long it is trained."""

    model: str | None = option(
        None,
        read=read.as_it_is,
        metavar="NAME|FILE.py:FUNCTION|FILE.keras",
        help="The network to train: flowers_cnn, cats_dogs_cnn, mnist_cnn, cifar_cnn, one of"
        " keras.applications such as mobilenet_v2 (without weights), a function"
        " that returns a Keras model, or a saved model. Required.",
    )
    weights: str | None = option(
        None,
        read=read.as_it_is,
        metavar="FILE",
        help="Weights to begin with, of the same network: a .weights.h5, .h5 or .keras file. Layers"
        " of another shape, such as a last one for other classes, begin with those of the seed.",
        otherwise="those of the seed, or of FILE.keras",
    )
    epochs: int = option("5", read=read.whole_number, metavar="N", help="Epochs to train.")
    repeats: int = option(
        "1",
        read=read.whole_number,
        metavar="N",
        help="Train N times through each pipeline, in turns, from the seeds --seed, --seed + 1 and"
        " so on. This shows how much the seeds differ.",
    )
    validation: float | Literal["none"] | None = option(  # a share of each class
        None,
        read=_validation,
        metavar="SHARE|none",
        help="Keep this share of each class for validation, such as 20% or 0.2, chosen by --seed."
        " All pipelines get the same images. none: do not split the images.",
        otherwise="20%, or the parts of FOLDER if it has train and val",
    )
    stop_at_nan: bool = flag(
        default=False,
        help="End a training when its loss is no longer a number. Without it, training continues,"
        " and the epoch is named.",
    )

    @classmethod
    def of(cls, given: Given) -> Self:
        """Return the options as typed. Raises RequestError if they cannot be used."""
        return cls(**values(cls, given))

    def __post_init__(self) -> None:
        """Raise RequestError for a model that is not there, and for no epochs."""
        if not self.model:
            raise RequestError(
                "expected a model to train; there is no --model",
                hint="such as --model flowers_cnn, --model mobilenet_v2 or --model model.py:build",
            )
        self.spec  # noqa: B018 - it refuses what it cannot be made of
        read.refuse_under_1("--epochs", self.epochs, "epochs")
        read.refuse_under_1("--repeats", self.repeats, "seeds")

    @property
    def spec(self) -> ModelSpec:
        """The model. Raises RequestError for an unknown name and a missing file."""
        from feedbench.pipelines.networks.spec import parse_model

        assert self.model is not None
        return parse_model(self.model, self.weights or "")

    def of_run(self, given: Given, folder: PurePath) -> RunOptions:
        """Return the images, the pipelines and what they deliver, as the options of a run.

        What was not typed is what the model takes. Raises RequestError if they cannot be used.
        """
        spec = self.spec
        typed: dict[str, Typed] = {
            "pipeline": given.get("pipeline") or DEFAULT_SPECS,
            "image-size": given.get("image-size") or _size(spec),
            "channels": given.get("channels") or _text(spec.channels),
            "label-mode": given.get("label-mode") or spec.label_mode,
            "limit": given.get("limit") or "all",
            "model": None,  # a run would feed it
            "validation": None if self.validation == "none" else given.get("validation"),
        }
        asked = RunOptions.of({**given, **typed}, folder)
        if asked.seed + self.repeats - 1 > MOST_SEED:
            raise RequestError(
                f"--seed {asked.seed} with --repeats {self.repeats}: expected seeds up to"
                f" {MOST_SEED}"
            )
        return dataclasses.replace(asked, seconds=None)


def options_of_training() -> tuple[Option, ...]:
    """Return the options of `feedbench train`: its own, and those of a run that it has too."""
    groups = (each for group in _GROUPS for each in options_of(group))
    of_run = (each for each in options_of(RunOptions) if each.field in _OF_A_RUN)
    model, *others = options_of(FitOptions)
    return (
        dataclasses.replace(model, words=_networks),
        *others,
        *map(_for_training, (*groups, *of_run)),
    )


def _networks() -> tuple[str, ...]:
    """Return the names that a shell completes; the tables are not needed for `--help`."""
    from feedbench.pipelines.networks.spec import network_names

    return network_names()


def _for_training(each: Option) -> Option:
    """Return an option of a run as training has it."""
    if each.field in _SENTENCES:
        each = dataclasses.replace(each, help=_SENTENCES[each.field])
    if each.field in _OF_THE_MODEL:
        usual = _OF_THE_MODEL[each.field]
        return dataclasses.replace(each, default=None, otherwise=f"the model's, or {usual}")
    if each.field == "limit":
        return dataclasses.replace(each, otherwise="all")
    if each.field == "specs":
        return dataclasses.replace(each, otherwise=", ".join(DEFAULT_SPECS))
    return each


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)


def _size(spec: ModelSpec) -> str | None:
    """Return a model's own image size as --image-size takes it."""
    return None if spec.image_size is None else "x".join(map(str, spec.image_size))
