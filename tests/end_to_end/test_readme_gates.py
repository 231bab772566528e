"""The gates that docs/gate.md hands out do what it says, run word for word."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import loaders
from tests.support.markdown import GATE
from tests.support.pace import paced

# Quicker than what people would ask for, and enough for whatever is not close.
QUICKER = "--blocks 4 --limit all --image-size 32 --batch-size 8"
SLEEPS = """
def photos(workload):
    for batch in batches(workload):
        time.sleep(0.05)
        yield batch
"""


# Measures nothing; says what it was asked for, and ends as a comparison may.
STAND_IN = """#!/bin/sh
echo "feedbench $*"
test "$1" != compare || exit {code}
"""


class Repository:
    """Somebody's, with photos and a loader; what its base branch has lies in `base`."""

    def __init__(self, folder: Path, photos: Path) -> None:
        self.folder = folder
        self.summary = folder / "summary.md"
        shutil.copytree(photos, folder / "photos")
        (folder / "base").mkdir()
        loaders.write_loader(folder / "base", loaders.GOOD)
        loaders.write_loader(folder, SLEEPS)

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run a script as a job of GitHub's does: it ends at the first command that fails."""
        return self.call(["bash", "-e", "-c", script])

    def run_by_tox(self, lines: list[str]) -> subprocess.CompletedProcess[str]:
        """Run commands as tox does, each without a shell, up to the first that fails."""
        said = ""
        for line in lines:
            done = self.call(shlex.split(line))
            said += done.stdout
            if done.returncode:
                break
        return subprocess.CompletedProcess(done.args, done.returncode, said, done.stderr)

    def stand_in(self, code: int) -> None:
        """Put a feedbench before the real one whose comparison ends with this code."""
        file = self.folder / "bin" / "feedbench"
        file.parent.mkdir()
        file.write_text(STAND_IN.format(code=code))
        file.chmod(0o755)

    def call(self, words: list[str]) -> subprocess.CompletedProcess[str]:
        """Run a command in the repository, and wait for it."""
        bin_ = str(Path(sys.executable).parent)
        environment = (
            os.environ
            | paced()
            | {
                "PATH": os.pathsep.join([str(self.folder / "bin"), bin_, os.environ["PATH"]]),
                "GITHUB_STEP_SUMMARY": str(self.summary),
                "XDG_CACHE_HOME": str(self.folder / "cache"),
                "GIT_CONFIG_GLOBAL": os.devnull,
            }
        )
        return subprocess.run(
            words,
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )


@pytest.fixture
def repository(tmp_path: Path, photos: Path) -> Repository:
    return Repository(tmp_path, photos)


def workflow() -> str:
    (found,) = re.findall(r"```yaml\n(.*?)```", GATE.read_text(), re.DOTALL)
    return str(found)


def scripts() -> list[str]:
    """What the workflow's steps run, but the installation."""
    found = re.findall(r"run: \|\n((?: {10}.*\n)+)", workflow())
    return [re.sub(r"^ {10}", "", step, flags=re.MULTILINE) for step in found]


def artefacts() -> list[str]:
    """What the workflow keeps."""
    (found,) = re.findall(r"path: \|\n((?: {12}.*\n)+)", workflow())
    return [line.strip() for line in found.splitlines()]


def commands() -> tuple[str, list[str], str]:
    """What the environment of tox runs before, in it and after it, its folder being `tmp`."""
    (text,) = re.findall(r"```ini\n(\[testenv:gate\].*?)```", GATE.read_text(), re.DOTALL)
    text = text.replace("{env_tmp_dir}", "tmp").replace("{env:BASE:origin/main}", "base")
    (before,), (after,) = (
        re.findall(rf"^commands_{when} = (.*)$", text, re.MULTILINE) for when in ("pre", "post")
    )
    (block,) = re.findall(r"^commands =\n((?: {4}.*\n)+)", text, re.MULTILINE)
    return before, [line.strip() for line in block.splitlines()], after


@pytest.mark.tensorflow
@pytest.mark.end_to_end
def test_the_gates_fail_where_a_loader_became_slower_and_keep_what_says_so(
    repository: Repository,
) -> None:
    measure, gate = scripts()
    done = repository.run(measure.replace("--blocks 12 --limit all", QUICKER))
    assert done.returncode == 0, done.stderr
    failed = repository.run(gate)
    assert failed.returncode == 1, failed.stderr
    assert "**mine is slower by more than 10%.**" in repository.summary.read_text()
    assert artefacts() == ["after/report.html", "comparison.html"]
    for file in artefacts():
        assert (repository.folder / file).read_text().startswith("<!DOCTYPE html>")
    # As tox does it, whose folder for the time being is another.
    shutil.copytree(repository.folder / "before", repository.folder / "tmp" / "before")
    shutil.copytree(repository.folder / "after", repository.folder / "tmp" / "after")
    failed = repository.run_by_tox(commands()[1][-1:])
    assert failed.returncode == 1, failed.stderr
    assert "mine is slower by more than 10%." in failed.stdout
    assert (repository.folder / "tmp" / "comparison.html").exists()
    # And where nothing became slower, or it cannot be told, it does not.
    assert repository.run(gate.replace("before after", "before before")).returncode == 0


def test_the_environment_of_tox_does_the_same(repository: Repository) -> None:
    measure, gate = scripts()
    _, within, _ = commands()
    same = [line.replace("tmp/base/", "base/").replace("tmp/", "") for line in within]
    assert same[:2] == measure.splitlines()
    compared, _, _ = shlex.split(same[2])[-1].partition(" ||")
    assert gate.splitlines()[1].startswith(f"{compared} ")


@pytest.mark.parametrize(("code", "passes"), [(0, True), (1, False), (2, False), (3, True)])
def test_the_gates_pass_where_nothing_is_slower_and_where_it_cannot_be_told(
    code: int, passes: bool, repository: Repository
) -> None:
    repository.stand_in(code)
    _, within, _ = commands()
    by_tox = repository.run_by_tox(within)
    assert (by_tox.returncode == 0) == passes, by_tox.stderr
    asked = [line.split()[:2] for line in by_tox.stdout.splitlines()]
    assert asked == [["feedbench", word] for word in ("run", "run", "compare")]
    assert "--html tmp/comparison.html" in by_tox.stdout
    _, gate = scripts()
    assert (repository.run(gate).returncode == 0) == passes
    assert "--html comparison.html" in repository.summary.read_text()


def test_tox_may_run_what_the_environment_does_not_bring() -> None:
    (text,) = re.findall(r"^allowlist_externals = (.*)$", GATE.read_text(), re.MULTILINE)
    before, within, after = commands()
    needed = {shlex.split(line)[0] for line in (before, *within, after)}
    assert needed == {"feedbench", *text.split(", ")}


def test_the_environment_of_tox_has_the_other_branch_beside_it_and_leaves_nothing(
    repository: Repository,
) -> None:
    git = "git -c user.name=n -c user.email=e@x -c init.defaultBranch=main"
    (repository.folder / ".gitignore").write_text("base/\ntmp/\n")
    made = repository.run(
        f"{git} init -q && {git} add . && {git} commit -qm one && git branch base"
    )
    assert made.returncode == 0, made.stderr
    (repository.folder / "loader.py").write_text("changed")
    before, _, after = commands()
    assert repository.run(before).returncode == 0
    assert (repository.folder / "tmp" / "base" / "loader.py").read_text().endswith(SLEEPS)
    assert repository.run(after).returncode == 0
    assert not (repository.folder / "tmp" / "base").exists()
