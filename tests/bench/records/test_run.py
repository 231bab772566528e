"""What ended a run, in words."""

from __future__ import annotations

import msgspec
import pytest

from feedbench.bench.records.run import Stopped

CLAUSES = [
    (Stopped.BLOCKS, 1, "1 block was requested"),
    (Stopped.BLOCKS, 5, "5 blocks were requested"),
    (Stopped.SPARE, 7, "the requested blocks were measured, and more for disturbed ones"),
    (Stopped.TIME, 5, "its time was up"),
    (Stopped.PRECISE, 5, "every interval was narrow enough"),
    (Stopped.FAILED, 0, "every pipeline failed"),
    (Stopped.INTERRUPTED, 2, "it was interrupted"),
]


@pytest.mark.parametrize(("stopped", "blocks", "clause"), CLAUSES)
def test_what_ended_a_run_has_its_words(stopped: Stopped, blocks: int, clause: str) -> None:
    assert stopped.clause(blocks) == clause


def test_json_holds_the_value() -> None:
    assert msgspec.json.encode(Stopped.TIME) == b'"time"'


def test_other_words_are_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="Invalid enum value 'because'"):
        msgspec.convert("because", Stopped)
