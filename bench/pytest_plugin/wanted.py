"""What tests ask for, and the plugin's options. Its hooks and its runs share both."""

from __future__ import annotations

import dataclasses
from pathlib import PurePath

import pytest

from feedbench.bench.options.demand_options import DEMAND_FIELDS
from feedbench.bench.options.option import Given, Option, options_of
from feedbench.bench.options.run_options import RunOptions
from feedbench.pipelines.errors import RequestError

PREFIX = "--feedbench-"
_OF_RECORDS = ("records", "image-key", "label-key")  # of tests that name no folder


class FeedbenchWarning(pytest.PytestWarning):
    """A pipeline could not be judged."""


class BlockTimer:
    """A clock that pytest-benchmark reads: it shows the seconds per image so far."""

    __name__ = "seconds per image"

    def __init__(self) -> None:
        self._now = 0.0

    def __call__(self) -> float:
        """Return the seconds so far."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Advance the clock by so many seconds."""
        self._now += seconds


class Wanted:
    """What a test asks for: a pipeline over a folder."""

    def __init__(self, label: str, spec: str, folder: PurePath | None) -> None:
        self.label = label
        self.spec = spec
        self.text = spec if label == spec else f"{label}={spec}"
        self.folder = folder  # None: the sample photos
        self.timer = BlockTimer()


WANTED: pytest.StashKey[Wanted] = pytest.StashKey()

_NOT_OF_TESTS = DEMAND_FIELDS | {"specs"}


def plugin_options(kind: type[RunOptions] = RunOptions) -> list[Option]:
    """Return the options of a run as pytest has them.

    Tests name the pipelines. The run is among pytest's temporary folders. By default it does not
    find out why pipelines are slow, which takes time.
    """
    return [_for_pytest(option) for option in options_of(kind) if option.field not in _NOT_OF_TESTS]


def _for_pytest(option: Option) -> Option:
    if option.field == "records":
        text = "Your TFRecord files, in place of --data, for tests that name no folder. Quote the"
        help_ = f"{text} pattern: 'train-*.tfrecord'. tfrecord_existing is the files themselves."
        return dataclasses.replace(option, help=help_)
    if option.field == "out":
        return dataclasses.replace(option, otherwise="among pytest's temporary folders")
    if option.field == "trace":
        return dataclasses.replace(option, default=False)
    return option


def add_options(group: pytest.OptionGroup, options: list[Option]) -> None:
    """Add each option of a run to those of pytest."""
    group.addoption(
        f"{PREFIX}data",
        metavar="FOLDER",
        help="Images for tests that name no folder. Without it: 512 sample photos.",
    )
    group.addoption(
        f"{PREFIX}strict",
        action="store_true",
        help="Fail a test if its pipeline could not be judged, because the machine was busy or the"
        " time was up. Without it, a warning says so, and a test without a figure is skipped.",
    )
    for option in options:
        shown = f" (default: {option.shown_default})" if option.shown_default else ""
        # Options have this prefix here, and argparse would fill in what follows a %.
        text = f"{option.help}{shown}".replace("--", PREFIX).replace("%", "%%")
        name = f"{PREFIX}{option.name}"
        if isinstance(option.default, bool):
            group.addoption(name, action="store_true", default=option.default, help=text)
        else:
            group.addoption(name, metavar=option.metavar, default=option.default, help=text)


def refuse_two_sources(config: pytest.Config) -> None:
    """Raise RequestError for both a folder of images and records."""
    data, records = (config.getoption(f"{PREFIX}{name}") for name in ("data", "records"))
    if data is not None and records is not None:
        raise RequestError(
            f"{PREFIX}records {records}: expected no {PREFIX}data as well; found {data}",
            hint="leave one of them out",
        )


def given_to(config: pytest.Config, options: list[Option], folder: PurePath | None) -> Given:
    """Return what was typed for each option of the run of a folder, by its name.

    The options of records are not for a test that names a folder.
    """
    given = {option.name: config.getoption(f"{PREFIX}{option.name}") for option in options}
    return given if folder is None else {**given, **dict.fromkeys(_OF_RECORDS)}
