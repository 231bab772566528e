"""What `compare` prints and how it ends: a build goes by its exit code, whatever goes wrong."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from feedbench.bench.cli import app
from tests.support.programs.front_door import COMMAND, a_folder_of

FORMATS = ["table", "markdown", "json"]
ONE_FORMAT = [
    FORMATS[0],
    *(pytest.param(form, marks=pytest.mark.thorough) for form in FORMATS[1:]),
]
# What is not there when it is needed, as a fault of ours would have it.
BROKEN = """
from feedbench.bench.verdicts import comparison
from feedbench.reports import formats

def broken(*_):
    raise ValueError("two\\nlines")

comparison.compare = formats.render = broken
"""
Feedbench = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def feedbench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Feedbench:
    """The command as a shell starts it, in a folder with a run `base` and a slower one `slow`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    a_folder_of("base")
    a_folder_of("slow", factor=0.7)

    def run(*words: str, **given: Any) -> subprocess.CompletedProcess[str]:
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | given
        return subprocess.run([COMMAND, *words], text=True, check=False, **streams)

    return run


@pytest.fixture
def unread() -> Iterator[int]:
    """The end of a pipe that nobody reads any more."""
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


def test_json_has_the_answer_as_a_word_and_as_a_sentence_beside_the_figures(
    feedbench: Feedbench,
) -> None:
    answer = json.loads(feedbench("compare", "base", "slow", "--format", "json").stdout)
    assert answer["word"] == "slower"
    assert answer["answer"] == "a and b are slower by more than 5%."
    assert [pipeline["word"] for pipeline in answer["pipelines"]] == ["slower", "slower"]
    assert (answer["base"], answer["new"], answer["schema"]) == ("base", "slow", 1)


@pytest.mark.parametrize("form", ONE_FORMAT)
def test_the_page_is_written_and_where_it_lies_is_said_beside_what_is_printed(
    form: str, feedbench: Feedbench
) -> None:
    bare = feedbench("compare", "base", "slow", "--format", form)
    done = feedbench("compare", "base", "slow", "--format", form, "--html", "page.html")
    assert done.stderr == "The page is page.html\n"
    assert (done.returncode, done.stdout) == (1, bare.stdout)
    assert Path("page.html").read_text().startswith("<!DOCTYPE html>")


def test_a_page_that_cannot_be_written_is_told_by_the_option_that_names_it(
    feedbench: Feedbench,
) -> None:
    done = feedbench("compare", "base", "slow", "--html", "no/page.html")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "feedbench: cannot write no/page.html: No such file or directory\n"
        "hint: name another file with --html\n"
    )


@pytest.mark.parametrize("form", ONE_FORMAT)
def test_an_answer_that_finds_no_room_on_the_disk_is_not_that_something_is_slower(
    form: str, feedbench: Feedbench
) -> None:
    with Path("/dev/full").open("w") as full:
        done = feedbench("compare", "base", "slow", "--format", form, stdout=full)
    assert done.returncode == 2
    assert done.stderr == "feedbench: No space left on device\n"


@pytest.mark.parametrize("form", ONE_FORMAT)
@pytest.mark.parametrize(("new", "code"), [("base", 0), ("slow", 1)])
def test_the_exit_code_is_the_answer_where_nobody_reads_on(
    new: str, code: int, form: str, feedbench: Feedbench, unread: int
) -> None:
    done = feedbench("compare", "base", new, "--format", form, stdout=unread)
    assert (done.returncode, done.stderr) == (code, "")


def test_runs_that_cannot_be_compared_end_so_where_nobody_reads_why(
    feedbench: Feedbench, unread: int
) -> None:
    assert feedbench("compare", "base", "nowhere", stderr=unread).returncode == 2
    with Path("/dev/full").open("w") as full:
        assert feedbench("compare", "base", "nowhere", stderr=full).returncode == 2


@pytest.mark.parametrize(
    ("words", "code"), [(("compare", "base", "slow"), 2), (("report", "base"), 1)]
)
def test_a_fault_of_feedbench_is_one_sentence_and_never_the_answer_that_something_is_slower(
    words: tuple[str, ...], code: int, feedbench: Feedbench, tmp_path: Path
) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "sitecustomize.py").write_text(BROKEN)
    broken = os.environ | {"PYTHONPATH": str(tmp_path / "broken")}
    done = feedbench(*words, env=broken)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr == (
        "feedbench: this is a bug in Feedbench: ValueError: two lines\n"
        "hint: add --debug to see where\n"
    )
    shown = feedbench(*words, "--debug", env=broken)
    assert shown.returncode == code
    assert "Traceback" in shown.stderr
    assert "in broken" in shown.stderr


def test_every_command_can_show_where_an_error_came_from() -> None:
    group = typer.main.get_group(app.app)
    can = {
        name
        for name, command in group.commands.items()
        if any("--debug" in each.opts for each in command.params)
    }
    assert can == {*group.commands}
    assert {"compare", "pipelines", "photos"} <= can


def test_two_pipelines_of_one_run_are_compared_by_their_labels(feedbench: Feedbench) -> None:
    done = feedbench("compare", "base", "--base", "a", "--new", "b", "--format", "json")
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["word"]) == (0, "not slower")
    assert (answer["base"], answer["new"], answer["is_paired"]) == ("a", "b", True)
    for words in (("slow", "--base", "a", "--new", "b"), ("--new", "b")):
        wrong = feedbench("compare", "base", *words)
        assert wrong.returncode == 2
        assert "expected both, and one folder" in wrong.stderr
