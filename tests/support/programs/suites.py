"""Somebody's own suite, for the tests of the pytest plugin."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.pace import paced
from tests.support.pipelines import loaders
from tests.support.programs.command import finished


class Suite:
    """A package of somebody's tests, and pytest in the folder around it."""

    def __init__(self, folder: Path, tests: str) -> None:
        self.folder = folder
        package = folder / "theirs"
        package.mkdir()
        (folder / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers\n")
        (package / "__init__.py").write_text("")
        (package / "test_loading.py").write_text(tests)
        loaders.write_loader(package, loaders.GOOD)

    def start(self, *words: object) -> subprocess.Popen[str]:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
        return subprocess.Popen(
            [sys.executable, "-m", "pytest", *map(str, words)],
            cwd=self.folder,
            env=environment | paced() | {"XDG_CACHE_HOME": str(self.folder / "cache")},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: object) -> subprocess.CompletedProcess[str]:
        return finished(self.start(*words))


def run_here(
    pytester: pytest.Pytester, tests: str, *words: str
) -> subprocess.CompletedProcess[str]:
    """Run somebody's suite in the process of our own tests, which takes less than one of its own.

    For what does not depend on what is imported, and measures nothing.
    """
    Suite(pytester.path, tests)
    # Hypothesis' plugin would import the whole of it anew at the end of each session.
    with pytest.MonkeyPatch.context() as patch:
        # pytest-benchmark would take the suite for one of our own workers, and measure nothing.
        patch.delenv("PYTEST_XDIST_WORKER", raising=False)
        done = pytester.runpytest_inprocess("-p", "no:hypothesispytest", *words)
    return subprocess.CompletedProcess(words, done.ret, done.stdout.str(), done.stderr.str())
