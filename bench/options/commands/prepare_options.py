# ruff: noqa: RUF009 - `option` makes fields, as dataclasses.field does
"""What `feedbench prepare` is asked, as well as which images."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from feedbench.bench.options import values as read
from feedbench.bench.options.option import (
    Given,
    Option,
    option,
    options_of,
    typed_words,
    values,
)
from feedbench.bench.options.run_options import RunOptions
from feedbench.pipelines.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

Store = Literal["encoded", "resized", "raw"]
Runner = Literal["local", "beam"]

_STORES: dict[str, Store] = {"encoded": "encoded", "resized": "resized", "raw": "raw"}
_FORMATS = {"jpeg": "jpeg", "webp": "webp", "png": "png", "bmp": "bmp"}
_COMPRESSIONS = {"none": "none", "gzip": "gzip"}
_RUNNERS: dict[str, Runner] = {"local": "local", "beam": "beam"}
_USUAL = {"stored_format": "jpeg", "stored_size": None, "quality": None}
_OF_IMAGES = (
    *("labels", "label_column", "classes", "part", "classes_from", "follow_links"),
    *("image_size", "fit", "channels", "check", "bad_images", "max_pixels", "prepared"),
)


@dataclass(frozen=True, kw_only=True)
class PrepareOptions:
    """What record files hold, where they go, and what writes them."""

    out: Path | None = option(
        None,
        read=read.path,
        metavar="DIR",
        help="The folder for the record files: a new one, or that of a command that was"
        " interrupted. Required.",
    )
    store: Store = option(
        "encoded",
        read=read.one_of(_STORES),
        metavar="encoded|resized|raw",
        help="What a record holds: the photo's bytes, a smaller image, or the pixels of"
        " --image-size as uint8.",
    )
    stored_size: int | None = option(
        None,
        read=read.whole_number,
        metavar="N",
        help="With --store resized: the short side in pixels.",
        otherwise="8/7 of --image-size",
    )
    stored_format: str = option(
        "jpeg",
        read=read.one_of(_FORMATS),
        metavar="jpeg|webp|png|bmp",
        help="With --store resized: the format. bmp: pixels without compression.",
    )
    quality: int | None = option(
        None,
        read=read.whole_number,
        metavar="N",
        help="With --store resized: the quality of a JPEG or WebP, 1 to 100.",
        otherwise="95",
    )
    compression: str = option(
        "none",
        read=read.one_of(_COMPRESSIONS),
        metavar="none|gzip",
        help="The compression of the record files.",
    )
    shards: int | None = option(
        None,
        read=read.whole_number,
        metavar="N",
        help="The number of record files.",
        otherwise="about 150 MB each, and at least 16",
    )
    runner: Runner = option(
        "local",
        read=read.one_of(_RUNNERS),
        metavar="local|beam",
        help="What writes them: processes on this machine, or Apache Beam. Beam's own options"
        " follow --.",
    )

    @classmethod
    def of(cls, given: Given, arguments: Sequence[str]) -> Self:
        """Return the options as typed; `arguments` are those of Beam.

        Raises RequestError if they cannot be used.
        """
        asked = cls(**values(cls, given))
        asked.refuse_arguments(arguments)
        return asked

    def __post_init__(self) -> None:
        """Raise RequestError for options that contradict each other."""
        read.refuse_under_1("--shards", self.shards, "record files")
        for field, usual in _USUAL.items():
            if self.store != "resized" and getattr(self, field) != usual:
                name = f"--{field.replace('_', '-')}"
                raise RequestError(
                    f"{name}: expected --store resized as well; found --store {self.store}",
                    hint=f"leave {name} out, or add --store resized",
                )

    def refuse_arguments(self, arguments: Sequence[str]) -> None:
        """Raise RequestError for arguments that are no options of Beam, or without Beam."""
        if self.runner == "beam" and find_spec("apache_beam") is None:
            raise RequestError(
                "--runner beam: expected Apache Beam; it is not installed",
                hint="pip install 'feedbench[beam]', or leave --runner out",
            )
        if arguments and self.runner != "beam":
            raise RequestError(
                f"{arguments[0]}: expected nothing after FOLDER, except Beam's options with"
                " --runner beam",
                hint="add --runner beam, or leave it out",
            )
        if arguments and not arguments[0].startswith("--"):
            raise RequestError(
                f"{arguments[0]}: expected options of Apache Beam, such as --runner=FlinkRunner"
            )

    def spec(self, shards: int | Literal["auto"]) -> str:
        """Return the pipeline that writes the same records in so many files."""
        knobs = {
            "store": self.store,
            "stored_size": self.stored_size,
            "stored_format": self.stored_format if self.stored_format != "jpeg" else None,
            "quality": self.quality,
            "compression": self.compression if self.compression != "none" else None,
            "shards": shards,
        }
        given = [f"{knob}={value}" for knob, value in knobs.items() if value is not None]
        return f"tfrecord_sharded:{','.join(given)}"


def words_of_images(given: Given) -> list[str]:
    """Return what was typed about images, as the words of a command that measures them."""
    return typed_words(RunOptions, given, *_OF_IMAGES)


def options_of_preparation() -> tuple[Option, ...]:
    """Return the options of `feedbench prepare`: its own, and those of a run's images."""
    return (*options_of(PrepareOptions), *options_of(RunOptions, *_OF_IMAGES))
