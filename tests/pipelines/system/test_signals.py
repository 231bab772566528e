from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from feedbench.pipelines.system.signals import ENDING, Gate, Interrupts, Postponed, interrupts_held


@pytest.fixture(autouse=True)
def terminated() -> Iterator[list[int]]:
    """The SIGTERMs that came through; whatever a test did, the handlers are as before it."""
    came: list[int] = []
    before = {number: signal.getsignal(number) for number in ENDING}
    signal.signal(signal.SIGTERM, lambda number, _: came.append(number))
    yield came
    for number, handler in before.items():
        signal.signal(number, handler)


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


@pytest.mark.parametrize("number", ENDING)
def test_each_signal_that_ends_a_command_interrupts_it(number: signal.Signals) -> None:
    signal.signal(number, signal.SIG_DFL)  # the tests themselves may run under nohup
    interrupts = Interrupts()
    interrupts.install()
    assert not interrupts.came
    assert interrupts.exit_code == 130
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)
    assert interrupts.exit_code == 128 + number
    assert interrupts.came


def test_signals_at_once_interrupt_once() -> None:
    Interrupts().install()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGTERM)
    signal.raise_signal(signal.SIGINT)  # would end what the first one began to save


def test_a_signal_that_is_ignored_as_by_nohup_stays_ignored() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    Interrupts().install()
    with Postponed() as interrupts:
        signal.raise_signal(signal.SIGHUP)
    signal.raise_signal(signal.SIGHUP)
    assert not interrupts.came


def test_what_is_postponed_interrupts_only_the_second_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    with Postponed() as interrupts:
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        assert interrupts.came
        now[0] = 2.0
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
