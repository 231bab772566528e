"""Tests in several processes, some of which need the machine alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.turns import Turns


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[list[Turns]]:
    """Three that take turns."""
    workers = [Turns(tmp_path) for _ in range(3)]
    yield workers
    for turns in workers:
        turns.close()


def begun(turns: Turns, *, alone: bool) -> threading.Event:
    """Begin in a thread of its own, and return what is set when its turn has come."""
    event = threading.Event()

    def begin() -> None:
        turns.begin(alone=alone)
        event.set()

    threading.Thread(target=begin, daemon=True).start()
    return event


def test_tests_that_share_the_machine_run_at_once(workers: list[Turns]) -> None:
    for turns in workers:
        assert begun(turns, alone=False).wait(10)


def test_one_that_needs_it_alone_waits_for_the_others_and_they_for_it(workers: list[Turns]) -> None:
    first, alone, last = workers
    assert begun(first, alone=False).wait(10)
    alone_begun = begun(alone, alone=True)
    assert not alone_begun.wait(0.1)
    first.end()
    assert alone_begun.wait(10)
    last_begun = begun(last, alone=False)
    assert not last_begun.wait(0.1)
    alone.end()
    assert last_begun.wait(10)


def test_those_that_need_it_alone_have_it_in_a_row(workers: list[Turns]) -> None:
    alone, other, _ = workers
    assert begun(alone, alone=True).wait(10)
    other_begun = begun(other, alone=False)
    alone.end(keep=True)
    assert begun(alone, alone=True).wait(10)
    assert not other_begun.wait(0.1)
    alone.end()
    assert other_begun.wait(10)
