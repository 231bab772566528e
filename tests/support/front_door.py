"""The front door, called in the process of the tests: a process of its own takes 0.6 s."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.builders import a_row, a_run, a_run_folder, trials_of

COMMAND = Path(sys.executable).with_name("feedbench")


@dataclass
class Called:
    """What came of a command that was called in this very process."""

    code: object
    out: str
    err: str


Call = Callable[..., Called]


def a_folder_of(name: str, factor: float = 1.0, blocks: int = 8, **given: Any) -> str:
    """A run folder in the current one, all of whose trials are at about 1,000 images/s."""
    rates = {
        label: [round(factor * (1000 + block)) for block in range(blocks)] for label in ("a", "b")
    }
    run = a_run(a_row("a"), a_row("b"), **given)
    a_run_folder(Path(name), run, trials_of(rates))
    return name
