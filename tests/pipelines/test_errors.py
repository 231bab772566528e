"""What an error of a user's says, and that it says so in another process too."""

from __future__ import annotations

import ast
import pickle
import re
from collections.abc import Iterator

import pytest

from feedbench.pipelines.errors import FeedbenchError, PreparationError, RequestError, did_you_mean
from tests.support.markdown import ROOT

KINDS = {"FeedbenchError", *(kind.__name__ for kind in FeedbenchError.__subclasses__())}
ADVICE = re.compile(r"[;:,] (add|choose|give|leave|name|raise|remove|run|see|start|try|use) ")


@pytest.mark.parametrize("kind", [FeedbenchError, PreparationError, RequestError])
def test_the_hint_of_an_error_is_a_line_of_its_own(kind: type[FeedbenchError]) -> None:
    error = kind("--range 0..1: uint8 images are 0..255", hint="leave --range out")
    assert str(error) == "--range 0..1: uint8 images are 0..255\nhint: leave --range out"
    assert str(kind("there is no folder x")) == "there is no folder x"


@pytest.mark.parametrize("kind", [FeedbenchError, PreparationError, RequestError])
def test_an_error_keeps_its_hint_in_another_process(kind: type[FeedbenchError]) -> None:
    error = pickle.loads(pickle.dumps(kind("a sentence", hint="what to do")))
    assert (error.sentence, error.hint) == ("a sentence", "what to do")


def test_the_nearest_word_is_the_hint() -> None:
    assert did_you_mean("Cash", ("cache", "prefetch")) == "did you mean cache?"
    assert did_you_mean("xyz", ("cache", "prefetch")) == ""


def sentences() -> Iterator[tuple[str, str]]:
    """Where the packages raise an error, and its sentence with X for each value in it."""
    for package in ("bench", "pipelines", "reports"):
        for file in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                match node:
                    case ast.Call(func=ast.Name(id=name), args=[text, *_]) if name in KINDS:
                        yield f"{file.relative_to(ROOT)}:{node.lineno}", _shown(text)


def _shown(text: ast.expr) -> str:
    parts = text.values if isinstance(text, ast.JoinedStr) else [text]
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in parts)


def test_no_error_hides_what_to_do_in_its_sentence() -> None:
    found = [*sentences()]
    assert len(found) > 100
    assert [each for each in found if ADVICE.search(each[1]) or each[1].endswith(".")] == []


@pytest.mark.parametrize("tail", ["; use another", ": run it again", "; choose one of them"])
def test_what_to_do_is_found_in_a_sentence(tail: str) -> None:
    assert ADVICE.search(f"there is no folder X{tail}")
