"""The commands in README and docs are such as Feedbench takes, and do what the pages say."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer

from feedbench.bench.cli.app import app
from tests.support.markdown import GATE, PAGES, README, Block, blocks
from tests.support.programs.documented import Place
from tests.support.programs.front_door import refusal

GATES = re.compile(r"^\s*feedbench (gate|compare) ", re.MULTILINE)

SHELL = [block for page in PAGES for block in blocks(page, "sh")]
IS_RUN = [block for block in SHELL if block.is_run]
# What these start imports TensorFlow, which takes seconds.
STARTS_TENSORFLOW = re.compile(r"feedbench (run|verify|inspect|train|tune)\b")


def cases(shell: list[Block], starts_tensorflow: bool) -> list[object]:
    return [
        pytest.param(block, id=block.name)
        for block in shell
        if bool(STARTS_TENSORFLOW.search(block.text)) == starts_tensorflow
    ]


def lines_of(block: Block) -> list[list[str]]:
    """The words of each call of feedbench, without what the shell does with its output."""
    lines = block.text.replace("\\\n", " ").splitlines()
    calls = [re.split(r" >> | \|\| ", line)[0] for line in lines]
    words = [shlex.split(call, comments=True) for call in calls]
    return [each[1:] for each in words if each[:1] == ["feedbench"]]


@pytest.mark.parametrize("block", SHELL, ids=lambda block: block.name)
def test_the_command_takes_every_line(block: Block) -> None:
    assert [refusal(words) for words in lines_of(block)] == [None] * len(lines_of(block))


@pytest.mark.parametrize(
    "words",
    [
        ["run", "~/photos", "--blok", "3"],
        ["run", "--time", "soon"],
        ["run", "-p", "tfdata_x"],
        ["x"],
    ],
)
def test_a_line_that_the_command_does_not_take_is_found(words: list[str]) -> None:
    assert refusal(words)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_named_in_a_sentence_exist(page: Path) -> None:
    named = re.findall(r"`feedbench ([a-z]\w*)", page.read_text(encoding="utf-8"))
    assert {*named} <= {*typer.main.get_group(app).commands}


@pytest.fixture
def place(tmp_path: Path, photos: Path) -> Place:
    return Place(tmp_path, photos)


@pytest.mark.thorough
@pytest.mark.parametrize("block", cases(IS_RUN, starts_tensorflow=False))
def test_a_block_about_finished_runs_does_what_it_says(block: Block, place: Place) -> None:
    place.add_runs()
    place.type(block)


@pytest.mark.tensorflow
@pytest.mark.end_to_end
@pytest.mark.parametrize("block", cases(IS_RUN, starts_tensorflow=True))
def test_a_block_that_measures_does_what_it_says(block: Block, place: Place) -> None:
    place.add_loader()
    place.type(block)


def test_the_readme_has_the_gate_of_its_page() -> None:
    """Which tests/end_to_end/test_readme_gates.py runs."""
    (gate,) = (block for block in blocks(README, "sh") if GATES.search(block.text))
    page = GATE.read_text(encoding="utf-8")
    assert all(line in page for line in gate.text.splitlines())
