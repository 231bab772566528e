"""Options, an index, a guessed cost and a listener: what the tests of plans need."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from feedbench.bench.options.run_options import RunOptions
from feedbench.bench.processes.progress import Quiet
from feedbench.bench.run.budget import Cost
from feedbench.pipelines.images.index import Index

GUESS = Cost(image_seconds=0.003, start_seconds=0.7)


class Notes(Quiet):
    """Keeps what is shown."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, line: str) -> None:
        self.lines.append(line)


def an_index(images: int = 600, classes: int = 5) -> Index:
    labels = tuple(sorted(place % classes for place in range(images)))
    files = tuple(f"{label}/{place}.jpg" for place, label in enumerate(labels))
    return Index(Path("/photos"), tuple(map(str, range(classes))), files, labels, 0)


def options(**given: Any) -> RunOptions:
    usual: dict[str, Any] = {"folder": Path("photos"), "specs": ("a", "b"), "out": Path("run")}
    usual["prepared"] = Path("prepared")
    return RunOptions(**usual | given)
