"""Where a scenario is played: photos, a disk, and the command with all processes that it starts."""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.faults.disk import Disk
from tests.support.pace import paced
from tests.support.pipelines import loaders
from tests.support.waiting import alive

BLOCKS = 2
_MARK = "FEEDBENCH_FAULTS_STAGE"  # a variable by which all processes of a stage are known
_NOWHERE = "/proc/no-home"  # where not even root can make a folder


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int | None  # None: it did not end within its time
    out: str
    err: str
    seconds: float


class Stage:
    """A folder `disk` where the command runs, with photos next to it.

    R is the run's folder, P that of prepared files, tmp the scratch folder.
    """

    def __init__(
        self, folder: Path, photos: Path, specs: Sequence[str], disk: Disk | None = None
    ) -> None:
        self.disk = disk
        self.here = folder / "disk" if disk is None else disk.folder
        self.here.mkdir(exist_ok=True)
        self.photos = folder / "photos"
        shutil.copytree(photos, self.photos)
        loaders.write_loader(self.here, loaders.FEED)
        self.run = self.here / "R"
        self.scratch = self.here / "tmp"
        self.scratch.mkdir()
        self.clock = folder / "clock"  # what libfaketime reads
        self.clock.write_text("+0")
        self.specs = specs
        self._folder = folder
        self._mark = secrets.token_hex(8)
        self._command = Path(sys.executable).with_name("feedbench")
        self._process: subprocess.Popen[bytes] | None = None
        self._begun = 0.0

    @property
    def command(self) -> int:
        """The command's process."""
        assert self._process is not None
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    def start(self, *words: object, variables: Mapping[str, str] | None = None) -> None:
        """Start the command. What it prints goes to files that no fault touches."""
        caches = {"XDG_CACHE_HOME": str(self.here / "cache")}
        with (self._folder / "out").open("wb") as out, (self._folder / "err").open("wb") as err:
            self._process = subprocess.Popen(
                [self._command, *map(str, words)],
                cwd=self.here,
                env=os.environ
                | caches
                | {"TMPDIR": str(self.scratch), _MARK: self._mark}
                | paced()
                | {**(variables or {})},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
                preexec_fn=_heed_signals,  # noqa: PLW1509 - no thread runs here
            )
        self._begun = time.monotonic()

    def start_run(self, *more: object, variables: Mapping[str, str] | None = None) -> None:
        """Start a run of the stage's pipelines, with more options."""
        chosen = [word for spec in self.specs for word in ("-p", spec)]
        self.start(
            *("run", self.photos, "--image-size", "32", "--batch-size", "8", "--no-trace"),
            *("--blocks", BLOCKS, "--out", "R", "--prepared", "P", *chosen, *more),
            variables=variables,
        )

    def wait(self, seconds: float) -> Ended:
        """Wait until the command has ended, at most so long; then kill it."""
        assert self._process is not None
        code: int | None
        try:
            code = self._process.wait(max(seconds - (time.monotonic() - self._begun), 0.1))
        except subprocess.TimeoutExpired:
            code = None
            self.kill_all()
        out, err = ((self._folder / name).read_bytes() for name in ("out", "err"))
        took = time.monotonic() - self._begun
        return Ended(code, out.decode(errors="replace"), err.decode(errors="replace"), took)

    def family(self) -> list[int]:
        """Return all processes of this stage that are alive, whoever their parent is now."""
        marked = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(_MARK) == self._mark:
                    marked.append(process.pid)
            except (psutil.Error, OSError):
                continue
        return alive(marked)

    def forkserver(self) -> int | None:
        """Return the forkserver: the command's only child."""
        children = _children(self.command)
        return children[0] if children else None

    def trials(self) -> list[int]:
        """Return the processes of trials, those that may run first."""
        server = self.forkserver()
        found = [] if server is None else _children(server)
        return sorted(found, key=_is_stopped)

    def kill_all(self) -> None:
        for pid in self.family():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        if self._process is not None:
            self._process.wait()


def _heed_signals() -> None:
    """Take the signals that nohup and shells have the tests ignore, as at a terminal."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)


def _children(pid: int) -> list[int]:
    try:
        return [child.pid for child in psutil.Process(pid).children()]
    except psutil.NoSuchProcess:
        return []


def _is_stopped(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_STOPPED)
    except psutil.NoSuchProcess:
        return True


def homeless() -> dict[str, str]:
    """Return the variables of a user without a home."""
    return {
        "HOME": _NOWHERE,
        **{f"XDG_{name}_HOME": f"{_NOWHERE}/{name}" for name in ("CACHE", "STATE", "CONFIG")},
    }


def fake_clock(stage: Stage) -> dict[str, str]:
    """Return the variables of a command whose wall clock can be stepped; its others are true."""
    library = faketime()
    assert library is not None
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(stage.clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
    }


def faketime() -> Path | None:
    """Return the library that steps a process' clock; None if it is not installed."""
    package = importlib.util.find_spec("libfaketime")
    if package is None or package.origin is None:
        return None
    return next(Path(package.origin).parent.rglob("libfaketime.so.1"), None)
