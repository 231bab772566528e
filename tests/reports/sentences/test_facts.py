"""How to have a run again, as its page says."""

from __future__ import annotations

import pytest

from feedbench.reports.sentences.facts import command
from tests.support.builders import a_row, a_run

SUITE = ("test_pipelines.py", "--feedbench-data=photos")


def repeated(*words: str) -> str:
    return command(a_run(a_row("a"), command=list(words)))


@pytest.mark.parametrize(
    ("program", "name"),
    [
        ("/env/bin/feedbench", "feedbench"),
        ("/env/lib/python3.11/site-packages/feedbench/__main__.py", "feedbench"),
        ("-c", "feedbench"),
        ("/env/bin/pytest", "pytest"),
        ("/env/bin/py.test", "pytest"),
        ("/env/lib/python3.11/site-packages/pytest/__main__.py", "pytest"),
    ],
)
def test_the_program_is_called_by_its_name(program: str, name: str) -> None:
    assert repeated(program, *SUITE) == f"{name} {' '.join(SUITE)}"


@pytest.mark.parametrize("program", ["/opt/pytest/something.py", "setup.py"])
def test_nobody_is_told_to_run_another_program(program: str) -> None:
    assert repeated(program, *SUITE) == ""


@pytest.mark.parametrize("option", ["--out", "--feedbench-out"])
def test_the_runs_own_folder_which_is_in_use_is_left_out(option: str) -> None:
    for words in ([option, "my run"], [f"{option}=my run"]):
        assert repeated("pytest", "a", *words, "-x", "b c") == "pytest a -x 'b c'"


def test_what_only_begins_like_it_stays() -> None:
    words = ("--output", "x", "--feedbench-outer=y")
    assert repeated("pytest", *words) == "pytest --output x --feedbench-outer=y"
