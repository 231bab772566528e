"""The help of the command and its completion: what is shown before anything is run."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import typer

from feedbench.bench.cli.app import app
from feedbench.bench.cli.top import SHORT_HELP
from tests.support.programs.front_door import Call, Called, refusal

COMMANDS = [*typer.main.get_group(app).commands]


@pytest.fixture(autouse=True)
def _narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def test_help_loads_nothing_heavy(tmp_path: Path) -> None:
    script = """
import sys
from feedbench.bench.cli import app
sys.argv = ["feedbench", "--help"]
try:
    app.main()
except SystemExit as end:
    assert end.code == 0, end.code
heavy = {"tensorflow", "keras", "pandas", "matplotlib", "jinja2", "scipy", "numpy", "PIL"}
assert not heavy & sys.modules.keys(), heavy & sys.modules.keys()
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "run" in done.stdout


def test_no_command_is_described_by_half_a_sentence(call: Call) -> None:
    assert "..." not in call("--help").out.partition("Commands:")[2]


def examples_in(text: str) -> list[list[str]]:
    """The words of each call of feedbench in its examples, without what the shell does."""
    section = re.split(r"\n *\n", re.split(r"Examples?:\n", text)[1])[0]
    calls = [line.split(" >> ")[0] for line in section.splitlines()]
    words = [shlex.split(call, comments=True) for call in calls]
    assert all(each[0] == "feedbench" for each in words)
    return [each[1:] for each in words]


@pytest.mark.parametrize("words", [[], *([command] for command in COMMANDS)])
def test_every_help_has_examples_that_the_command_takes(words: list[str], call: Call) -> None:
    done = call(*words, "--help")
    examples = examples_in(done.out)
    assert done.code == 0
    assert examples
    assert all(example[:1] == words for example in examples if words)
    assert [refusal(example) for example in examples] == [None] * len(examples)


@pytest.mark.parametrize("words", [[], *([command] for command in COMMANDS)])
def test_every_help_fits_a_terminal_of_80_columns(words: list[str], call: Call) -> None:
    usage, *lines = call(*words, "-h").out.splitlines()
    assert [line for line in (usage, *lines) if len(line) > 80] == []
    assert [line for line in lines if re.search(r"\w\.\.\.$", line)] == []  # cut off


@pytest.mark.parametrize("words", [[], *([command] for command in COMMANDS)])
def test_no_sentence_of_a_help_is_long(words: list[str], call: Call) -> None:
    sentences = re.split(r"[.:;]\s|\n\s*\n|\n {2,4}(?=\S)", call(*words, "-h").out)
    assert [each for each in sentences if len(each.split()) > 25] == []


def test_the_short_option_shows_the_same_help(call: Call) -> None:
    assert call("compare", "-h") == call("compare", "--help")


def test_without_a_command_a_short_help_has_three_examples(call: Call) -> None:
    assert call() == Called(2, "", SHORT_HELP)
    examples = examples_in(SHORT_HELP)
    assert len(examples) == 3
    assert [refusal(example) for example in examples] == [None] * 3
    assert max(map(len, SHORT_HELP.splitlines())) <= 80


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_the_version_is_that_of_the_package(option: str, call: Call) -> None:
    assert call(option) == Called(0, f"feedbench {version('feedbench')}\n", "")


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("feedbench ver", ["verify"]),
        ("feedbench run --label", ["--label-key", "--labels", "--label-column", "--label-mode"]),
        ("feedbench run --channels ", ["1", "3"]),
        ("feedbench run ~/photos -p image_data_g", ["image_data_generator"]),
        ("feedbench report RUN --format m", ["markdown"]),
    ],
)
def test_a_shell_completes_what_is_begun(
    line: str, shown: list[str], call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_FEEDBENCH_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(line.count(" ")))
    done = call()
    assert (done.code, done.err) == (0, "")
    assert done.out.split() == shown


def test_the_completion_is_shown_and_installed(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "--install-completion" in call("--help").out
    # These options take the shell's name where typer is not to detect it.
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    monkeypatch.setenv("HOME", str(tmp_path))
    shown = call("--show-completion", "bash")
    assert shown.code == 0
    assert call("--install-completion", "bash").code == 0
    (installed,) = (tmp_path / ".bash_completions").iterdir()
    assert installed.read_text().strip() == shown.out.strip()
    assert str(installed) in (tmp_path / ".bashrc").read_text()
