"""A place in which the documented commands are typed: photos, loaders, runs, and the command."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from msgspec.structs import replace

from feedbench.bench.records.storage import read_run, write_run
from feedbench.bench.run import benchmark_json
from feedbench.reports.tables import frames
from tests.support.markdown import LOADER, Block, blocks
from tests.support.pace import paced
from tests.support.programs.front_door import a_folder_of

RUNS = ("RUN", "BASE", "NEW", "LAPTOP", "SERVER")

# The real command, with fewer images and blocks than a reader would take.
BRIEF = """#!{python}
import os, sys
words = sys.argv[1:]
if words[0] in ("run", "verify"):
    words += ["--limit", "24", "--image-size", "32", "--batch-size", "8"]
if words[0] == "run":
    words += ["--blocks", "1", "--no-trace"]
os.execv({real!r}, [{real!r}, *words])
"""


class Place:
    """A home with photos, and a working folder with what the pages say is in it."""

    def __init__(self, folder: Path, photos: Path) -> None:
        self.home = folder / "home"
        self.work = folder / "work"
        self.bin = folder / "bin"
        self.cache = folder / "cache"
        for each in (self.work, self.bin, self.cache):
            each.mkdir()
        shutil.copytree(photos, self.home / "photos")
        command = self.bin / "feedbench"
        real = str(Path(sys.executable).with_name("feedbench"))
        command.write_text(BRIEF.format(python=sys.executable, real=real))
        command.chmod(0o755)

    def add_loader(self) -> None:
        """Write loader.py, which is the first block of its page."""
        (self.work / "loader.py").write_text(blocks(LOADER, "python")[0].text)

    def add_runs(self) -> None:
        """Write the runs that the pages name."""
        for name in RUNS:
            folder = Path(a_folder_of(str(self.work / name)))
            run = read_run(folder)
            first, second = run.rows
            ratio = {"ratio": 1.0, "ratio_low": 0.99, "ratio_high": 1.01}
            write_run(folder, replace(run, rows=[first, replace(second, **ratio)]))
            benchmark_json.write(folder, *frames.read(folder))

    def call(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the working folder, and wait for it."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
        path = [str(self.bin), str(Path(sys.executable).parent), os.environ["PATH"]]
        return subprocess.run(
            words,
            cwd=self.work,
            env=own
            | paced()
            | {
                "HOME": str(self.home),
                "PATH": os.pathsep.join(path),
                "PYTHONPATH": str(self.work),
                "XDG_CACHE_HOME": str(self.cache),
                "GITHUB_STEP_SUMMARY": str(self.work / "summary.md"),
            },
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def type(self, block: Block) -> None:
        """Run the lines of a block as a shell does that stops at the first failure."""
        done = self.call("bash", "-e", "-c", block.text)
        assert done.returncode == 0, f"{block.name}: {done.stdout}{done.stderr}"
