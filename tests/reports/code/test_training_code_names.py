"""Names of files, folders and classes in the code of a pipeline, whatever they hold."""

from __future__ import annotations

import ast
import os
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedbench.pipelines import catalog
from feedbench.reports.code.python_text import assignment, quoted
from tests.reports.code.test_training_code import PLAIN, code
from tests.support.builders import KOREAN, SCRIPT
from tests.support.pipelines.scripts import constants


@pytest.mark.parametrize(
    "name", [KOREAN, SCRIPT.replace("/", ":"), "it's \"a\\n'", "bytes \udcff", "\u202eexe\n\x1b[2J"]
)
@pytest.mark.parametrize("spec", catalog.DEFAULT_SPECS)
def test_a_name_comes_through_whatever_it_holds(spec: str, name: str) -> None:
    folder = f"/{name}"
    file = os.path.join(folder, name, f"{name}.jpg")  # noqa: PTH118
    work = replace(PLAIN, folder=folder, files=(file,), labels=(0,), class_names=(name,))
    found = constants(code(spec, work, f"{name}/{name}.png").encode().decode())
    assert found["FOLDER"] == folder
    assert found["CLASSES"] == [name]
    assert f"{name}/{name}.png" in found["LEFT_OUT"]


@pytest.mark.parametrize(
    ("spec", "words"),
    [("tfdata_tuned", "os.fsencode(file)"), ("image_data_generator", "dtype=object")],
)
def test_names_that_are_not_utf_8_go_round_what_takes_only_utf_8(spec: str, words: str) -> None:
    odd = replace(PLAIN, files=("/photos/cats/\udcff.jpg",), labels=(0,))
    korean = replace(PLAIN, files=(f"/photos/cats/{KOREAN}.jpg",), labels=(0,))
    assert words in code(spec, odd)
    assert words not in code(spec, korean)


@given(st.text())
def test_a_text_as_source_is_valid_utf_8_in_one_printable_line(text: str) -> None:
    source = quoted(text)
    assert ast.literal_eval(source) == text
    assert source.encode()
    assert source.isprintable()


@given(st.lists(st.text(max_size=20), min_size=1))
def test_a_long_list_goes_over_several_lines_and_holds_the_same(texts: list[str]) -> None:
    (statement,) = ast.parse(assignment("CLASSES", texts, "[]")).body
    assert isinstance(statement, ast.Assign)
    assert ast.literal_eval(statement.value) == texts


def test_a_thousand_classes_take_lines_of_100_columns() -> None:
    names = tuple(f"n{number:08d}" for number in range(1000))
    text = code("tfdata_tuned", replace(PLAIN, class_names=("cats", "dogs", *names)))
    assert max(map(len, text.splitlines())) <= 100
    assert constants(text)["CLASSES"] == ["cats", "dogs", *names]
