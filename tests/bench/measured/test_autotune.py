"""AUTOTUNE's choices, out of a model as TensorFlow's iterators give it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from feedbench.bench.measured.autotune import choice_of, chosen_by
from feedbench.bench.records.diagnosis import Autotune


def a_node(name: str = "MapAndBatch", **parameters: tuple[float, float, bool]) -> Any:
    """A stage of ten elements in 50 ms; each parameter is its state, its most, and tunable."""
    knobs = [
        SimpleNamespace(name=name, value=9.0, state_value=state, max=most, tunable=tunable)
        for name, (state, most, tunable) in parameters.items()
    ]
    return SimpleNamespace(name=name, parameters=knobs, processing_time=50e6, num_elements=10)


def test_what_a_stage_works_with_is_its_choice() -> None:
    choice = choice_of(a_node(parallelism=(1.0, 2.0, True), buffer_size=(8.0, 9e18, True)))
    assert (choice.parallelism, choice.most_parallelism, choice.buffer) == (1, 2, 8)
    assert (choice.stage, choice.ms) == ("MapAndBatch", 5.0)


def test_what_a_person_has_fixed_and_what_has_not_begun_is_no_choice() -> None:
    choice = choice_of(a_node(parallelism=(16.0, 2.0, False), buffer_size=(-1.0, 8.0, True)))
    assert (choice.parallelism, choice.most_parallelism, choice.buffer) == (None, None, None)


def test_a_stage_without_elements_has_no_time() -> None:
    node = a_node()
    node.num_elements = 0
    assert choice_of(node).ms == 50.0


def test_the_parallel_stage_is_the_one_with_the_most_room() -> None:
    small, large = (
        choice_of(a_node(name, parallelism=(1.0, most, True)))
        for name, most in (("Interleave", 1.0), ("MapAndBatch", 2.0))
    )
    assert Autotune(cpu_budget=2, ram_budget=1, choices=[small, large]).parallelism == large
    assert Autotune(cpu_budget=2, ram_budget=1, choices=[]).parallelism is None


def test_what_is_no_iterator_of_tf_data_has_none() -> None:
    assert chosen_by(iter([])) is None
