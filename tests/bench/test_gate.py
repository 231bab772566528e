"""The gates that the README hands out do what it says, run as they stand there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import loaders
from tests.bench.command import calm

README = Path(__file__).parents[2] / "README.md"
# Quicker than what people would ask for, and enough for whatever is not close.
QUICKER = "--blocks 4 --limit all --image-size 32 --batch-size 8"
SLEEPS = """
def photos(workload):
    for batch in batches(workload):
        time.sleep(0.05)
        yield batch
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
        bin_ = str(Path(sys.executable).parent)
        environment = (
            os.environ
            | calm()
            | {
                "PATH": f"{bin_}{os.pathsep}{os.environ['PATH']}",
                "GITHUB_STEP_SUMMARY": str(self.summary),
                "XDG_CACHE_HOME": str(self.folder / "cache"),
                "GIT_CONFIG_GLOBAL": os.devnull,
            }
        )
        return subprocess.run(
            ["bash", "-e", "-c", script],
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


def scripts() -> list[str]:
    """What the workflow's steps run, but the installation."""
    (workflow,) = re.findall(r"```yaml\n(.*?)```", README.read_text(), re.DOTALL)
    found = re.findall(r"run: \|\n((?: {10}.*\n)+)", workflow)
    return [re.sub(r"^ {10}", "", step, flags=re.MULTILINE) for step in found]


def commands() -> tuple[str, list[str], str]:
    """What the environment of tox runs before, in it and after it, its folder being `tmp`."""
    (text,) = re.findall(r"```ini\n(\[testenv:gate\].*?)```", README.read_text(), re.DOTALL)
    text = text.replace("{env_tmp_dir}", "tmp").replace("{env:BASE:origin/main}", "base")
    (before,), (after,) = (
        re.findall(rf"^commands_{when} = (.*)$", text, re.MULTILINE) for when in ("pre", "post")
    )
    (block,) = re.findall(r"^commands =\n((?: {4}.*\n)+)", text, re.MULTILINE)
    return before, [line.strip() for line in block.splitlines()], after


@pytest.mark.tensorflow
def test_the_workflow_fails_where_a_loader_became_slower_and_says_it_in_its_summary(
    repository: Repository,
) -> None:
    measure, gate = scripts()
    done = repository.run(measure.replace("--blocks 12 --limit all", QUICKER))
    assert done.returncode == 0, done.stderr
    assert (repository.folder / "after" / "report.html").exists()
    failed = repository.run(gate)
    assert failed.returncode == 1, failed.stderr
    assert "**mine is slower by more than 10%.**" in repository.summary.read_text()
    # And where nothing became slower, or it cannot be told, it does not.
    assert repository.run(gate.replace("before after", "before before")).returncode == 0


def test_the_environment_of_tox_does_the_same(repository: Repository) -> None:
    measure, gate = scripts()
    _, within, _ = commands()
    same = [line.replace("tmp/base/", "base/").replace("tmp/", "") for line in within]
    assert same[:2] == measure.splitlines()
    assert gate.splitlines()[1].startswith(same[2])


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
