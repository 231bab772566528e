"""What tests ask for, and the plugin's options: what its hooks and its runs share."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from feedbench.bench.options.option import Given, Option, options_of
from feedbench.bench.options.run_options import RunOptions

PREFIX = "--feedbench-"


class BlockTimer:
    """A clock that shows the seconds per image that have been handed over."""

    __name__ = "seconds per image"

    def __init__(self) -> None:
        self._now = 0.0

    def __call__(self) -> float:
        """Return the seconds so far."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let so many seconds have passed."""
        self._now += seconds


class Wanted:
    """What a test asks for: a pipeline over a folder."""

    def __init__(self, label: str, spec: str, folder: Path | None) -> None:
        self.label = label
        self.spec = spec
        self.text = spec if label == spec else f"{label}={spec}"
        self.folder = folder  # None: the sample photos
        self.timer = BlockTimer()


WANTED: pytest.StashKey[Wanted] = pytest.StashKey()


def plugin_options(kind: type[RunOptions] = RunOptions) -> list[Option]:
    """Return the options of a run as pytest has them.

    Tests name the pipelines. The run lies among pytest's temporary folders, and nobody waits for
    the reasons unless they ask for them.
    """
    return [_for_pytest(option) for option in options_of(kind) if option.field != "specs"]


def _for_pytest(option: Option) -> Option:
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
        help="Photos, for tests that name none. Without it: 512 sample photos.",
    )
    for option in options:
        shown = f" (default: {option.shown_default})" if option.shown_default else ""
        # Options are called so here; and argparse would fill in what stands behind a %.
        text = f"{option.help}{shown}".replace("--", PREFIX).replace("%", "%%")
        name = f"{PREFIX}{option.name}"
        if isinstance(option.default, bool):
            group.addoption(name, action="store_true", default=option.default, help=text)
        else:
            group.addoption(name, metavar=option.metavar, default=option.default, help=text)


def given_to(config: pytest.Config, options: list[Option]) -> Given:
    """Return what was given for each option of a run, by its name."""
    return {option.name: config.getoption(f"{PREFIX}{option.name}") for option in options}
