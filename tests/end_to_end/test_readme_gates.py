"""The gates that docs/gate.md hands out do what it says, run word for word."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from feedbench.bench.cli.gates import ci
from tests.support.markdown import GATE
from tests.support.pace import paced
from tests.support.pipelines import loaders

# Quicker than what people would ask for, and enough for whatever is not close.
QUICKER = "--time 100s --limit all --image-size 32 --batch-size 8"
SLEEPS = """
with open("files.txt", "a") as file:
    print(__file__, file=file)

def photos(workload):
    for batch in batches(workload):
        time.sleep(0.05)
        yield batch
"""


# Measures nothing; says what it was asked for, and ends as a gate may.
STAND_IN = """#!/bin/sh
echo "feedbench $*"
exit {code}
"""


class Repository:
    """Somebody's, with photos and a loader; what its base branch has lies in `base`."""

    def __init__(self, folder: Path, photos: Path) -> None:
        self.folder = folder
        self.summary = folder / "summary.md"
        shutil.copytree(photos, folder / "photos")
        (folder / "base").mkdir()
        loaders.write_loader(folder / "base", SLEEPS.replace("0.05", "0.0"))
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
        """Put a feedbench before the real one that ends with this code."""
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
                "GITHUB_ACTIONS": "true",
                "GITHUB_WORKSPACE": str(self.folder),
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


def recipes() -> tuple[str, str]:
    """The workflow for GitHub and the job for GitLab."""
    github, gitlab = re.findall(r"```yaml\n(.*?)```", GATE.read_text(), re.DOTALL)
    return str(github), str(gitlab)


def step() -> str:
    """What the workflow's step runs that is the gate."""
    (found,) = re.findall(r"run: \|\n((?: {10}.*\n)+)", recipes()[0])
    return re.sub(r"^ {10}", "", found, flags=re.MULTILINE)


def the_gate(text: str) -> str:
    """The one call of the gate in a text, up to its folder."""
    (found,) = re.findall(r"feedbench gate .* --out \S+", text)
    return str(found)


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
def test_the_gate_fails_where_a_loader_became_slower_and_keeps_what_says_so(
    repository: Repository,
) -> None:
    failed = repository.run(step().replace("--confirm", QUICKER))
    assert failed.returncode == 1, failed.stderr
    assert "loader.py:photos is slower than" in " ".join(failed.stdout.split())
    annotation = "::error file=loader.py,title=Feedbench gate::loader.py:photos is slower"
    assert annotation in failed.stderr
    assert "**loader.py:photos is slower than" in repository.summary.read_text()
    assert "path: gate\n" in recipes()[0]
    page = (repository.folder / "gate" / "report.html").read_text()
    assert page.startswith("<!DOCTYPE html>")
    record = json.loads((repository.folder / "gate" / "gate.json").read_text())
    assert record["new"]["spec"] == "loader.py:photos"
    assert record["stopped_because"] == "decided"
    # Both were imported by paths of one length, and the page shows their own.
    files = {*(repository.folder / "files.txt").read_text().split()}
    assert len(files) == 2
    assert len({len(file) for file in files}) == 1
    assert "base/loader.py:photos" in page
    assert not any(file in page for file in files)


@pytest.mark.tensorflow
@pytest.mark.end_to_end
def test_the_gate_passes_where_nothing_changed(repository: Repository) -> None:
    same = step().replace("--confirm", QUICKER).replace("--new loader", "--new base/loader")
    passed = repository.run(same)
    assert passed.returncode == 0, passed.stderr
    assert "::error" not in passed.stderr


def test_the_recipes_for_github_gitlab_and_tox_are_one_gate() -> None:
    github = the_gate(step())
    assert the_gate(recipes()[1]) == github
    _, (by_tox,), _ = commands()
    assert the_gate(by_tox).replace("tmp/base/", "base/").replace("tmp/gate", "gate") == github


def test_gitlab_allows_a_gate_that_cannot_tell_and_reads_what_it_writes() -> None:
    job = recipes()[1]
    assert "  allow_failure:\n    exit_codes: 3  # cannot tell\n" in job
    assert f"      codequality: gate/{ci.CODE_QUALITY}\n      metrics: gate/{ci.METRICS}\n" in job


@pytest.mark.parametrize(("code", "passes"), [(0, True), (1, False), (2, False), (3, True)])
def test_the_gates_pass_where_nothing_is_slower_and_where_it_cannot_be_told(
    code: int, passes: bool, repository: Repository
) -> None:
    repository.stand_in(code)
    _, within, _ = commands()
    by_tox = repository.run_by_tox(within)
    assert (by_tox.returncode == 0) == passes, by_tox.stderr
    assert by_tox.stdout.startswith("feedbench gate photos --base tmp/base/loader.py:photos")
    by_github = repository.run(step())
    assert (by_github.returncode == 0) == passes
    assert by_github.stdout.startswith("feedbench gate photos --base base/loader.py:photos")


def test_tox_may_run_what_the_environment_does_not_bring() -> None:
    (text,) = re.findall(r"^allowlist_externals = (.*)$", GATE.read_text(), re.MULTILINE)
    before, within, after = commands()
    needed = {shlex.split(line)[0] for line in (before, *within, after)}
    assert needed == {*text.split(", ")}


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
