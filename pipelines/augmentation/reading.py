"""Reads an augmentation as `--augment` takes it."""

from __future__ import annotations

import math
import re
from dataclasses import fields

from feedbench.pipelines.augmentation.ranges import Augmentation
from feedbench.pipelines.errors import RequestError, did_you_mean

EXAMPLE = "flip,rotate=20,shift=0.1,zoom=0.2"

_SHIFTS = ("width_shift", "height_shift")
_FIELDS = {
    **{field.name: (field.name,) for field in fields(Augmentation)},
    "shift": _SHIFTS,
    # As ImageDataGenerator's arguments are called.
    "horizontal_flip": ("flip",),
    "rotation_range": ("rotate",),
    "width_shift_range": ("width_shift",),
    "height_shift_range": ("height_shift",),
    "zoom_range": ("zoom",),
    "brightness_range": ("brightness",),
}
"""The fields that each name sets."""

_FLAGS = {"flip", "vertical_flip"}
_WORDS = {"": True, "true": True, "false": False}  # of a flag
_NUMBER = re.compile(r"\d+(?:\.\d*)?|\.\d+")
_MOST_DEGREES = 180


def augmentation(option: str, text: str) -> Augmentation:
    """Read parts between commas, such as flip or rotate=20.

    Raises RequestError for a name that does not exist, a value out of its range, and a part that
    is given twice.
    """
    values: dict[str, bool | float] = {}
    for part in (part.strip() for part in text.split(",")):
        name, equals, number = (piece.strip() for piece in part.partition("="))
        if name not in _FIELDS:
            raise RequestError(
                f"{option} {text!r}: there is no augmentation {name!r}",
                hint=did_you_mean(name, _FIELDS) or f"such as {option} {EXAMPLE}",
            )
        value = _value(option, name, number if equals else None)
        for field in _FIELDS[name]:
            if field in values:
                raise RequestError(f"{option} {text!r}: {field} is given twice")
            values[field] = value
    if not any(values.values()):
        raise RequestError(
            f"{option} {text!r}: nothing is augmented by that", hint=f"leave {option} out"
        )
    # The values have the fields' types, by `_value`.
    return Augmentation(**values)  # type: ignore[arg-type]


def _value(option: str, name: str, text: str | None) -> bool | float:
    """Return the value of one part; `text` is what follows its =, None without one."""
    if _FIELDS[name][0] in _FLAGS:
        word = (text or "").lower()
        if word not in _WORDS or text == "":
            raise RequestError(
                f"{option} {name}={text}: expected {name} alone", hint=f"write {option} {name}"
            )
        return _WORDS[word]
    number = float(text) if text is not None and _NUMBER.fullmatch(text) else math.nan
    is_angle = _FIELDS[name] == ("rotate",)
    if not (0 <= number <= _MOST_DEGREES if is_angle else 0 <= number < 1):
        wanted = f"degrees from 0 to {_MOST_DEGREES}" if is_angle else "a share from 0 to under 1"
        given = name if text is None else f"{name}={text}"
        raise RequestError(
            f"{option} {given}: expected {wanted}",
            hint=f"such as {name}={20 if is_angle else 0.2}",
        )
    return number
