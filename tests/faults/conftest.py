"""Where scenarios of faults are played, and which faults can be made here."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.disk import is_possible, small_disk
from tests.faults.play import Outcome, play
from tests.faults.scenario import FAULTS, OF_CLOCK, OF_DISK, Scenario
from tests.faults.stage import Stage, faketime

Played = Callable[[Scenario, tuple[str, ...]], Outcome]


@pytest.fixture(scope="session")
def possible(tmp_path_factory: pytest.TempPathFactory) -> frozenset[str]:
    """The faults that can be made here."""
    missing = frozenset() if is_possible(tmp_path_factory.mktemp("disk")) else OF_DISK
    return frozenset(FAULTS) - missing - (OF_CLOCK if faketime() is None else frozenset())


@pytest.fixture
def played(photos: Path, tmp_path: Path) -> Iterator[Played]:
    """Plays a scenario in a folder of its own, on a disk of its own if it needs one."""
    with ExitStack() as held:

        def play_one(scenario: Scenario, specs: tuple[str, ...]) -> Outcome:
            needs_disk = any(line.fault in OF_DISK for line in scenario)
            disk = held.enter_context(small_disk(tmp_path / "disk")) if needs_disk else None
            return play(Stage(tmp_path, photos, specs, disk), scenario)

        yield play_one
    shutil.rmtree(tmp_path, ignore_errors=True)
