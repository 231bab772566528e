"""What an error of a user's says, and that it says so in another process too."""

from __future__ import annotations

import pickle

import pytest

from feedbench.pipelines.errors import FeedbenchError, PreparationError, RequestError


@pytest.mark.parametrize("kind", [FeedbenchError, PreparationError, RequestError])
def test_the_hint_of_an_error_is_a_line_of_its_own(kind: type[FeedbenchError]) -> None:
    error = kind("--range 0..1: uint8 images are 0..255", hint="leave --range out")
    assert str(error) == "--range 0..1: uint8 images are 0..255\nhint: leave --range out"
    assert str(kind("there is no folder x")) == "there is no folder x"


@pytest.mark.parametrize("kind", [FeedbenchError, PreparationError, RequestError])
def test_an_error_keeps_its_hint_in_another_process(kind: type[FeedbenchError]) -> None:
    error = pickle.loads(pickle.dumps(kind("a sentence", hint="what to do")))
    assert (error.sentence, error.hint) == ("a sentence", "what to do")
