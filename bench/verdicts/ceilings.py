"""Which of the machine's ceilings binds a pipeline. Pure."""

from __future__ import annotations

from feedbench.bench.records.diagnosis import Ceiling, Diagnosis
from feedbench.bench.records.row import Row

_DECODES = 0.3  # decoding's share of a pipeline's time, from which it decodes in every epoch
# Keras' own: they decode in every epoch, and a trace of them shows only Python.
_KERAS = {"image_data_generator", "py_dataset"}


def binding(row: Row, diagnosis: Diagnosis) -> Ceiling | None:
    """Return the ceiling that binds a pipeline; None where it is not known.

    A pipeline that keeps what it decoded is bound by a batch that is ready; any other by the lower
    of reading and decoding.
    """
    trace = diagnosis.traces.get(row.label)
    decodes = row.spec.partition(":")[0] in _KERAS or (
        trace is not None and trace.share("decode") >= _DECODES
    )
    if "cache" not in row.knobs and not decodes:
        return None  # a user's own: what it does each epoch is not known
    names = ("ready",) if row.knobs.get("cache") in ("memory", "file") else ("read", "decode")
    candidates = [ceiling for ceiling in diagnosis.ceilings if ceiling.name in names]
    return min(candidates, key=lambda ceiling: ceiling.rate, default=None)
