"""Option values as users write them.

Each function reads the text of an option, and gets its name as the user sees it: `--time`, or
`--feedbench-time` in pytest. It raises RequestError with what was expected.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

from feedbench.pipelines.errors import RequestError, did_you_mean
from feedbench.pipelines.forms import LEAST_SHARE, DataFormat, Fit, FitRule
from feedbench.pipelines.preprocessing import PREPROCESSINGS
from feedbench.pipelines.remote.address import is_address

if TYPE_CHECKING:
    from feedbench.bench.records.conditions.page_cache import State
    from feedbench.pipelines.contract import Channels, Dtype, LabelMode
    from feedbench.pipelines.images.layouts import ClassesFrom

CHANNELS: dict[str, Channels] = {"1": 1, "3": 3}
DTYPES: dict[str, Dtype] = {
    "float32": "float32",
    "float16": "float16",
    "bfloat16": "bfloat16",
    "uint8": "uint8",
}
DATA_FORMATS: dict[str, DataFormat] = {
    "channels_last": "channels_last",
    "channels_first": "channels_first",
}
LABEL_MODES: dict[str, LabelMode] = {
    "int": "int",
    "categorical": "categorical",
    "binary": "binary",
}
SUBSETS: dict[str, Literal["training", "validation"]] = {
    "training": "training",
    "validation": "validation",
}
CLASSES_FROM: dict[str, ClassesFrom] = {"top": "top", "leaf": "leaf"}
PAGE_CACHES: dict[str, State] = {"warm": "warm", "cold": "cold"}
CHECKS: dict[str, Literal["none", "header", "decode"]] = {
    "none": "none",
    "header": "header",
    "decode": "decode",
}
BAD_IMAGES: dict[str, Literal["error", "skip"]] = {"error": "error", "skip": "skip"}
FITS: dict[str, FitRule] = {"stretch": "stretch", "crop": "crop", "pad": "pad"}
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0}
T = TypeVar("T")


def seconds(option: str, text: str) -> float:
    """Read a time such as 90s, 5m, 1h or 1h30m, in seconds."""
    parts = re.fullmatch(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?", text)
    if re.fullmatch(r"\d+(?:\.\d+)?", text):
        raise RequestError(
            f"{option} {text}: {text}s or {text}m?",
            hint=f"write {option} {text}s for seconds, or {option} {text}m for minutes",
        )
    if not text or parts is None:
        raise RequestError(f"{option} {text!r}: expected a time such as 90s, 5m or 1h")
    numbers = zip(parts.groups(), _UNITS.values(), strict=True)
    return sum(float(number) * unit for number, unit in numbers if number is not None)


def image_size(option: str, text: str) -> tuple[int, int]:
    """Read pixels a side, or HEIGHTxWIDTH; returns (height, width)."""
    parts = re.fullmatch(r"(\d+)(?:[xX](\d+))?", text)
    if parts is None:
        raise RequestError(
            f"{option} {text!r}: expected pixels such as 224, or HEIGHTxWIDTH such as 180x240"
        )
    height, width = parts.groups()
    return int(height), int(width or height)


def width_and_height(option: str, text: str) -> tuple[int, int]:
    """Read the size of a photo as cameras have it, WIDTHxHEIGHT; returns (width, height)."""
    parts = re.fullmatch(r"(\d+)[xX](\d+)", text)
    if parts is None:
        raise RequestError(f"{option} {text!r}: expected WIDTHxHEIGHT such as 2272x1704")
    width, height = parts.groups()
    return int(width), int(height)


@dataclass(frozen=True)
class OneOf(Generic[T]):
    """Reads one of a few words, each of which stands for a value."""

    choices: Mapping[str, T]

    def __call__(self, option: str, text: str) -> T:
        """Return the value of the word `text`."""
        if text not in self.choices:
            *others, last = self.choices
            raise RequestError(
                f"{option} {text!r}: expected {', '.join(others)} or {last}",
                hint=did_you_mean(text, filter(str.isidentifier, self.choices)),  # no numbers
            )
        return self.choices[text]


def one_of(choices: Mapping[str, T]) -> OneOf[T]:
    """Return a reader of one of a few words."""
    return OneOf(choices)


def fit(option: str, text: str) -> Fit:
    """Read how images are fitted: stretch, crop, crop=SHARE or pad."""
    rule, _, number = text.partition("=")
    if text in FITS:
        return Fit(FITS[text])
    if rule == "crop" and re.fullmatch(r"\d*\.?\d+", number):
        share = float(number)
        if LEAST_SHARE <= share <= 1:
            return Fit("crop", share)
    raise RequestError(
        f"{option} {text!r}: expected stretch, crop, pad, or crop=SHARE with a share from"
        f" {LEAST_SHARE:g} to 1",
        hint="crop=0.875 is what ImageNet models are usually evaluated with",
    )


def network(option: str, text: str) -> str:
    """Read the name of a network of keras.applications: mobilenet_v2, or MobileNetV2 as there."""
    key = network_key(text)
    if key not in PREPROCESSINGS:
        raise RequestError(
            f"{option} {text!r}: expected a network of keras.applications, such as mobilenet_v2,"
            " resnet50 or vgg16",
            hint=did_you_mean(text, PREPROCESSINGS),
        )
    return key


def network_key(typed: object) -> str:
    """Return a network's name in PREPROCESSINGS, for the name of its function too."""
    text = str(typed or "")
    by_function = {each.function.lower(): name for name, each in PREPROCESSINGS.items()}
    return text if text in PREPROCESSINGS else by_function.get(text.lower(), text)


def share(option: str, text: str) -> float:
    """Read a share such as 5%."""
    parts = re.fullmatch(r"(\d+(?:\.\d+)?)\s*%", text)
    if parts is None:
        raise RequestError(f"{option} {text!r}: expected a share such as 5%")
    return float(parts[1]) / 100


def split_share(option: str, text: str) -> float:
    """Read a share between nothing and all, such as 20% or 0.2."""
    parts = re.fullmatch(r"(\d*\.?\d+)\s*(%?)", text)
    value = float(parts[1]) / (100 if parts[2] else 1) if parts is not None else 0.0
    if not 0 < value < 1:
        is_percent = re.fullmatch(r"\d+", text) and 1 < int(text) < 100  # noqa: PLR2004
        raise RequestError(
            f"{option} {text}: expected a share of more than 0% and less than 100%, such as 20% or"
            " 0.2",
            hint=f"write {option} {text}%" if is_percent else "",
        )
    return value


def limit(option: str, text: str) -> int | Literal["all"]:
    """Read a number of images, or all."""
    if text == "all":
        return "all"
    if not text.isdecimal():
        raise RequestError(f"{option} {text!r}: expected a number of images, or all")
    return int(text)


def whole_number(option: str, text: str) -> int:
    """Read a whole number, which may be negative."""
    try:
        return int(text)
    except ValueError:
        raise RequestError(f"{option} {text!r}: expected a whole number") from None


def number(option: str, text: str) -> float:
    """Read a number such as 3 or 2.5."""
    if not re.fullmatch(r"\d+(?:\.\d+)?", text):
        raise RequestError(f"{option} {text!r}: expected a number such as 3 or 2.5")
    return float(text)


def size(option: str, text: str) -> int:
    """Read an amount of memory or disk such as 500MB, 5GB or 2GiB, in bytes."""
    parts = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kKMGT]i?B)", text)
    if parts is None:
        raise RequestError(f"{option} {text!r}: expected an amount such as 500MB, 5GB or 2GiB")
    unit = parts[2].upper()
    return int(float(parts[1]) * (1024 if "I" in unit else 1000) ** (1 + "KMGT".index(unit[0])))


def names(option: str, text: str) -> tuple[str, ...]:  # noqa: ARG001 - a reader is given both
    """Read names between commas. A name with a comma is in double quotes."""
    return tuple(next(csv.reader([text]), []))


def is_number(text: str) -> bool:
    """Return whether a text is a number such as -3, 1786 or 0.5."""
    return re.fullmatch(r"-?\d+(?:\.\d+)?", text) is not None


def as_it_is(option: str, text: str) -> str:  # noqa: ARG001 - a reader is given both
    """Return the text as it is."""
    return text


def path(option: str, text: str) -> Path:
    """Read the name of a file or a folder on this machine. Raises RequestError for an address."""
    if is_address(text):
        raise RequestError(
            f"{option} {text}: expected a name on this machine; found an address",
            hint=f"name a folder such as {option} {text.rstrip('/').rpartition('/')[2]}",
        )
    return Path(text)


def refuse_under_1(option: str, value: int | None, unit: str) -> None:
    """Raise RequestError for a number that is given and is under 1."""
    if value is not None and value < 1:
        raise RequestError(f"{option} {value}: expected 1 or more {unit}")
