from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from feedbench.pipelines.system.signals import Gate, interrupts_held


@pytest.fixture(autouse=True)
def terminated() -> Iterator[list[int]]:
    """The SIGTERMs that came through; whatever a test did, the handlers are as before it."""
    came: list[int] = []
    interrupted = signal.getsignal(signal.SIGINT)
    before = signal.signal(signal.SIGTERM, lambda number, _: came.append(number))
    yield came
    signal.signal(signal.SIGTERM, before)
    signal.signal(signal.SIGINT, interrupted)


def test_an_interrupt_is_put_off_until_the_end_of_the_block() -> None:
    done = []

    def block() -> None:
        with interrupts_held():
            signal.raise_signal(signal.SIGINT)
            done.append("the rest of the block")

    with pytest.raises(KeyboardInterrupt):
        block()
    assert done == ["the rest of the block"]


def test_a_block_without_an_interrupt_ends_without_one_and_restores_the_handler() -> None:
    before = signal.getsignal(signal.SIGINT)
    with interrupts_held(signal.SIGTERM):
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before


def test_other_signals_are_put_off_where_they_are_named(terminated: list[int]) -> None:
    with interrupts_held(signal.SIGTERM):
        signal.raise_signal(signal.SIGTERM)
        assert terminated == []
    assert terminated == [signal.SIGTERM]


def test_other_signals_come_through_where_they_are_not_named(terminated: list[int]) -> None:
    with interrupts_held():
        signal.raise_signal(signal.SIGTERM)
        assert terminated == [signal.SIGTERM]


def test_an_error_in_the_block_does_not_lose_the_interrupt() -> None:
    def block() -> None:
        with interrupts_held():
            signal.raise_signal(signal.SIGINT)
            raise OSError

    with pytest.raises(KeyboardInterrupt) as caught:
        block()
    assert isinstance(caught.value.__context__, OSError)


def test_an_open_gate_lets_signals_through(terminated: list[int]) -> None:
    with Gate():
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert terminated == [signal.SIGTERM]


def test_a_shut_gate_ignores_signals_and_restores_the_handlers_at_its_end(
    terminated: list[int],
) -> None:
    with Gate() as gate:
        gate.shut()
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
    assert terminated == []
    signal.raise_signal(signal.SIGTERM)
    assert terminated == [signal.SIGTERM]
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_a_gate_that_is_shut_twice_restores_what_was_before_the_first(
    terminated: list[int],
) -> None:
    before = signal.getsignal(signal.SIGINT)
    with Gate() as gate:
        gate.shut()
        gate.shut()
    assert signal.getsignal(signal.SIGINT) is before
