"""Run folders of schema 1, which earlier versions wrote, converted to current records.

A trial had its measurement's fields among its own, and a run had a clause for why it stopped.
"""

from __future__ import annotations

from typing import Any

import msgspec

from feedbench.bench.records.measurement import Measurement
from feedbench.bench.records.run import RunRecord, Stopped
from feedbench.bench.records.trial import SCHEMA, TrialRecord

_STOPPED = {
    "its time was up": Stopped.TIME,
    "every interval was narrow enough": Stopped.PRECISE,
    "every pipeline failed": Stopped.FAILED,
    "it was interrupted": Stopped.INTERRUPTED,
}
_OF_BLOCKS = "asked for"  # behind "1 block was" or "8 blocks were"


def run_of(content: bytes) -> RunRecord:
    """Return the record of a run.json of schema 1. Raises msgspec's errors if it is broken."""
    fields = msgspec.json.decode(content, type=dict[str, Any])
    clause = fields.get("stopped_because")
    if isinstance(clause, str):
        is_of_blocks = clause.endswith(_OF_BLOCKS)
        fields["stopped_because"] = Stopped.BLOCKS if is_of_blocks else _STOPPED.get(clause, clause)
    return msgspec.convert(fields | {"schema": SCHEMA}, RunRecord)


def trial_of(line: bytes) -> TrialRecord:
    """Return the record of a line of trials.jsonl. Raises msgspec's errors if it is broken."""
    fields = msgspec.json.decode(line, type=dict[str, Any])
    measured = {
        name: value
        for name in Measurement.__struct_fields__
        if (value := fields.pop(name, None)) is not None
    }
    if fields.get("ended") == "measured":
        fields["measured"] = measured
    return msgspec.convert(fields | {"schema": SCHEMA}, TrialRecord)
