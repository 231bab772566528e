"""The command as a person calls it, for the tests that run it from end to end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import IO, Any, Literal

from tests.support.pace import paced
from tests.support.pipelines import loaders
from tests.support.waiting import until

SMALL = ["--image-size", "32", "--batch-size", "8"]


def finished(process: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
    """Wait for a command, and return what it said."""
    with process:
        out, err = process.communicate(timeout=300)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


class Feedbench:
    """The command, in a folder of its own with a scratch folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.machine: Literal["calm", "restless", "unhurried", "real"] = "calm"
        self.scratch = folder / "tmp"
        self.scratch.mkdir()
        self._command = Path(sys.executable).with_name("feedbench")

    def start(self, *words: object, into: IO[bytes] | None = None) -> subprocess.Popen[str]:
        """Start the command. `into` is what reads all of its output; None: two pipes."""
        if words[0] == "run" and not {"--trace", "--resume"} & {*words}:
            words = (*words, "--no-trace")  # which takes a minute more
        return subprocess.Popen(
            [self._command, *map(str, words)],
            cwd=self.folder,
            env=os.environ
            | {"TMPDIR": str(self.scratch), "XDG_CACHE_HOME": str(self.folder / "cache")}
            | paced(self.machine),
            stdout=into or subprocess.PIPE,
            stderr=into or subprocess.PIPE,
            text=True,
        )

    def run(self, *words: object) -> subprocess.CompletedProcess[str]:
        return finished(self.start(*words))

    def left_in_scratch(self) -> list[str]:
        return [file.name for file in self.scratch.iterdir()]

    def loader(self, text: str, name: str = "loader.py") -> str:
        return f"{loaders.write_loader(self.folder, text, name).name}:photos"


def trials_until(feedbench: Feedbench, process: subprocess.Popen[str], enough: Any) -> list[Any]:
    """Wait until trials.jsonl holds enough, and return its lines."""
    file = feedbench.folder / "R" / "trials.jsonl"

    def found() -> list[Any]:
        assert process.poll() is None, process.communicate()
        text = file.read_text() if file.exists() else ""
        lines = [json.loads(line) for line in text.split("\n")[:-1]]
        return lines if enough(lines) else []

    return until(found)
