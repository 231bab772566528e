from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest

from feedbench.pipelines.system.line_pipes import LinePipes

BRIEF = 0.02  # seconds


class Ends:
    """Both ends of two pipes."""

    def __init__(self) -> None:
        self.read_by_it, to_it = os.pipe()
        from_it, self.written_by_it = os.pipe()
        self._ours = (to_it, from_it)
        self.pipes = LinePipes(to_it, from_it)

    def write(self, text: bytes) -> None:
        os.write(self.written_by_it, text)

    def close(self) -> None:
        for end in (*self._ours, self.read_by_it, self.written_by_it):
            if end >= 0:
                os.close(end)


@pytest.fixture
def ends() -> Iterator[Ends]:
    both = Ends()
    yield both
    both.close()


def test_lines_come_one_by_one_however_they_were_written(ends: Ends) -> None:
    ends.write(b"one\ntw")
    assert ends.pipes.next(BRIEF) == b"one"
    assert ends.pipes.next(BRIEF) is None
    ends.write(b"o\n\n")
    assert [ends.pipes.next(BRIEF) for _ in range(3)] == [b"two", b"", None]
    assert not ends.pipes.is_closed


def test_a_line_that_was_sent_has_an_end(ends: Ends) -> None:
    assert ends.pipes.send(b"one", BRIEF)
    assert os.read(ends.read_by_it, 100) == b"one\n"


def test_a_process_that_does_not_read_is_waited_for_no_longer_than_asked(ends: Ends) -> None:
    begun = time.monotonic()
    assert not ends.pipes.send(b"x" * (1 << 20), BRIEF)
    assert BRIEF <= time.monotonic() - begun < 5.0


def test_where_no_process_reads_nothing_is_sent(ends: Ends) -> None:
    os.close(ends.read_by_it)
    ends.read_by_it = -1
    assert not ends.pipes.send(b"one", BRIEF)


def test_where_no_process_writes_any_more_that_is_known(ends: Ends) -> None:
    ends.write(b"one\n")
    os.close(ends.written_by_it)
    ends.written_by_it = -1
    assert ends.pipes.next(BRIEF) == b"one"
    assert ends.pipes.next(BRIEF) is None
    assert ends.pipes.is_closed
