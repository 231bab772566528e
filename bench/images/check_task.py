"""The process that checks image files: it forks workers, which may crash.

It is a child of the forkserver, which has imported TensorFlow. The workers are forked before
TensorFlow's runtime starts. To check headers only, the parent itself forks the workers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple, Self

import msgspec

from feedbench.bench.records.messages import Checked, Event
from feedbench.pipelines.images import image_check
from feedbench.pipelines.images.image_check import Finding
from feedbench.pipelines.remote.address import is_address
from feedbench.pipelines.remote.file_systems import load
from feedbench.pipelines.system.workers import LostError, each

_FILE_LIMIT_SECONDS = 60.0  # for one file, however large


class CheckTask(NamedTuple):
    """The files to check."""

    files: tuple[str, ...]
    channels: int  # 0: headers only
    most_pixels: int
    workers: int

    @classmethod
    def read(cls, file: Path) -> Self:
        """Read a task that `write` wrote."""
        return cls(**json.loads(file.read_text(encoding="ascii")))

    def write(self, file: Path) -> None:
        """Write the task as ASCII JSON, which keeps names that are not UTF-8."""
        file.write_text(json.dumps(self._asdict()), encoding="ascii")

    def results(self) -> Iterable[tuple[int, Finding]]:
        """Check the files in separate processes, and yield each one's place and finding."""
        if self.files and is_address(self.files[0]):
            load(self.files[0])  # once, before the workers are forked
        answers = each(self._begin, len(self.files), self.workers, _FILE_LIMIT_SECONDS)
        for place, answer in answers:
            if isinstance(answer, LostError):
                yield place, Finding(str(answer), lasts=False)
            else:
                yield place, msgspec.json.decode(answer, type=Finding)

    def _begin(self) -> Callable[[int], bytes]:
        if self.channels:
            image_check.prepare_to_decode()
        image_check.limit_memory(self.most_pixels)

        def look(place: int) -> bytes:
            return msgspec.json.encode(
                image_check.check(self.files[place], self.channels, self.most_pixels)
            )

        return look


def serve(file: Path, say: Callable[[Event], object]) -> None:
    """Check the files of the task in `file`, and report each finding."""
    for place, finding in CheckTask.read(file).results():
        say(Checked(place=place, finding=finding))
