"""Option values as people write them. Each raises RequestError with what was expected."""

from __future__ import annotations

import csv
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

if TYPE_CHECKING:
    from feedbench.bench.records.page_cache import State
    from feedbench.pipelines.contract import Channels, Dtype, LabelMode

from feedbench.bench.images.check import Checks, How
from feedbench.bench.run.options import RunOptions, pace_asked_for
from feedbench.pipelines.catalog import DEFAULT_SPECS
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.index import image_id
from feedbench.pipelines.images.layouts import Layout

CHANNELS: dict[str, Channels] = {"1": 1, "3": 3}
DTYPES: dict[str, Dtype] = {"float32": "float32", "uint8": "uint8"}
LABEL_MODES: dict[str, LabelMode] = {
    "int": "int",
    "categorical": "categorical",
    "binary": "binary",
}
PAGE_CACHES: dict[str, State] = {"warm": "warm", "cold": "cold"}
_RANGES = {"0..1": (0.0, 1.0), "-1..1": (-1.0, 1.0), "0..255": (0.0, 255.0)}
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0}
_DEFAULT_SECONDS = 300.0
_T = TypeVar("_T")


def seconds(text: str | None) -> float:
    """Read a time such as 90s, 5m, 1h or 1h30m, in seconds; None: five minutes."""
    if text is None:
        return _DEFAULT_SECONDS
    parts = re.fullmatch(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?", text)
    if not text or parts is None:
        raise RequestError(f"--time {text!r}: expected a time such as 90s, 5m or 1h")
    values = zip(parts.groups(), _UNITS.values(), strict=True)
    return sum(float(value) * unit for value, unit in values if value is not None)


def image_size(text: str) -> tuple[int, int]:
    """Read pixels a side, or HEIGHTxWIDTH; returns (height, width)."""
    parts = re.fullmatch(r"(\d+)(?:[xX](\d+))?", text)
    if parts is None:
        raise RequestError(
            f"--image-size {text!r}: expected pixels such as 224, or HEIGHTxWIDTH such as 180x240"
        )
    height, width = parts.groups()
    return int(height), int(width or height)


def one_of(option: str, text: str, choices: Mapping[str, _T]) -> _T:
    """Read one of a few words; returns what it stands for."""
    if text not in choices:
        *others, last = choices
        raise RequestError(f"{option} {text!r}: expected {', '.join(others)} or {last}")
    return choices[text]


def value_range(text: str | None, dtype: str) -> tuple[float, float]:
    """Read the values of black and white, such as -1..1; None: what is usual for the dtype."""
    if text is None:
        text = "0..255" if dtype == "uint8" else "0..1"
    return one_of("--range", text, _RANGES)


def share(option: str, text: str) -> float:
    """Read a share such as 5%."""
    parts = re.fullmatch(r"(\d+(?:\.\d+)?)\s*%", text)
    if parts is None:
        raise RequestError(f"{option} {text!r}: expected a share such as 5%")
    return float(parts[1]) / 100


def limit(text: str | None) -> int | Literal["all"] | None:
    """Read a number of images, or all; None: as many as the time allows."""
    if text is None:
        return None
    if text == "all":
        return "all"
    if not text.isdecimal():
        raise RequestError(f"--limit {text!r}: expected a number of images, or all")
    return int(text)


def layout(labels: str | None, classes: str | None, part: str | None) -> Layout:
    """Read where the labels stand; a class's name that holds a comma stands in double quotes."""
    names = None if classes is None else tuple(next(csv.reader([classes]), []))
    return Layout(labels=labels, classes=names, part=part)


def checks(how: str, bad_images: str, most_pixels: int | None) -> Checks:
    """Read how images are looked at; what is found is remembered in the user's cache folder."""
    import platformdirs

    from feedbench.pipelines.images.image_check import MOST_PIXELS

    return Checks(
        how=cast("How", how),
        bad_images=cast("Literal['error', 'skip']", bad_images),
        most_pixels=MOST_PIXELS if most_pixels is None else most_pixels,
        cache=platformdirs.user_cache_path("feedbench") / "checked",
    )


def run_options(
    *,
    labels: str | None,
    classes: str | None,
    part: str | None,
    check: str,
    bad_images: str,
    max_pixels: int | None,
    specs: Sequence[str] | None,
    image_size: str,
    channels: str,
    dtype: str,
    value_range: str | None,
    label_mode: str,
    limit: str | None,
    **rest: Any,
) -> RunOptions:
    """Read the options that say which images are delivered and in what form; `rest` is taken on."""
    return RunOptions(
        layout=layout(labels, classes, part),
        checks=checks(check, bad_images, max_pixels),
        specs=tuple(specs or DEFAULT_SPECS),
        image_size=_image_size(image_size),
        channels=one_of("--channels", channels, CHANNELS),
        dtype=one_of("--dtype", dtype, DTYPES),
        value_range=_value_range(value_range, dtype),
        label_mode=one_of("--label-mode", label_mode, LABEL_MODES),
        limit=_limit(limit),
        proofs=proofs_folder(),
        command=[image_id(word) for word in sys.argv],
        pace=pace_asked_for(),
        **rest,
    )


@contextmanager
def sheets_folder(asked: Path | None) -> Iterator[Path]:
    """Give a folder for contact sheets: the one asked for, or one that goes again."""
    if asked is not None:
        yield asked
        return
    with tempfile.TemporaryDirectory(prefix="feedbench-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


# Under names that an option of the same name does not hide.
_image_size, _value_range, _limit = image_size, value_range, limit


def new_run_folder() -> Path:
    """Return where a run goes that was given no folder."""
    return Path("feedbench-runs") / datetime.now().astimezone().strftime("%Y-%m-%dT%H%M%S")


def proofs_folder() -> Path:
    """Return where proofs of equal work are remembered."""
    import platformdirs

    return platformdirs.user_cache_path("feedbench") / "proofs"


def prepared_folder() -> Path:
    """Return where what pipelines write beforehand is kept, unless it is told otherwise."""
    import platformdirs

    return platformdirs.user_cache_path("feedbench") / "prepared"
