"""The front door as the tests of its commands call it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from feedbench.bench.cli import app
from tests.support.programs.front_door import Call, Called, handlers_kept


@pytest.fixture
def call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Call]:
    """Call the front door in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def called(*words: str | Path) -> Called:
        monkeypatch.setattr(sys, "argv", ["feedbench", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            app.main()
        return Called(end.value.code, *capsys.readouterr())

    with handlers_kept():
        yield called
