"""A process with descendants that do as told, for meters to look at from outside."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Self

import psutil

_HEAD = """
import os, signal, sys, time
from feedbench.pipelines.system.signals import adopt_orphans

adopt_orphans()

def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass

def child(*steps):  # takes steps one after another, and says the CPU-seconds that it has used
    pid = os.fork()
    if pid == 0:
        try:
            for step in steps:
                step()
        finally:
            os._exit(0)
    return pid

def say():
    tell(time.process_time())

def tell(what):
    os.write(1, f"{what}\\n".encode())

def sleep():
    time.sleep(60)

def read(file):
    with open(file, "rb") as opened:
        os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        opened.read()

def write(file, count):
    with open(file, "wb") as opened:
        opened.write(os.urandom(count))
        opened.flush()
        os.fsync(opened.fileno())

for line in sys.stdin:
    exec(line)
"""


class Family:
    """The root, which adopts orphans and obeys; children that it forks can burn, read, write."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _HEAD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.do("tell(0)")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in psutil.Process(self.root).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):  # its parent was killed a moment ago
                process.kill()
        self._process.kill()
        self._process.communicate()

    @property
    def root(self) -> int:
        return self._process.pid

    def do(self, line: str, answers: int = 1) -> float:
        """Have the root do this; return the sum of what it or its descendants told then."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        return sum(float(self._process.stdout.readline()) for _ in range(answers))


def has_disk(folder: Path) -> bool:
    """Tell whether files here lie on a block device of their own, whose traffic is counted."""
    return os.major(folder.stat().st_dev) != 0
