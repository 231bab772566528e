"""Which of the machine's ceilings binds a pipeline. Pure."""

from __future__ import annotations

from collections.abc import Collection

from feedbench.bench.records.diagnosis import Ceiling, Diagnosis
from feedbench.bench.records.row import Row
from feedbench.pipelines.catalog import spec_of

_DECODES = 0.3  # a pipeline with at least this share of decoding decodes in every epoch
# Keras' own: they decode in every epoch, and their traces show only Python.
_KERAS = {"image_data_generator", "image_dataset_from_directory_grain", "py_dataset"}

_FROM_STORE = {"threads"}  # it reads each image in every epoch
_STORED = {"tfdata_saved", "tfrecord_gzip", "tfrecord_sharded"}


def binding(row: Row, diagnosis: Diagnosis) -> Ceiling | None:
    """Return the ceiling that binds a pipeline; None if unknown.

    A pipeline that caches decoded images is bound by the rate of ready batches, and one that caches
    encoded images by decoding. Any other is bound by reading or decoding, whichever is slower.
    """
    name = spec_of(row.label, row.spec).name
    if diagnosis.store is not None and name in {*_FROM_STORE, *_STORED}:
        # Stored files are on this machine, which the ceiling `read` of a store does not concern.
        return _slowest(diagnosis, ("read",) if name in _FROM_STORE else ())
    trace = diagnosis.traces.get(row.label)
    decodes = name in _KERAS or (trace is not None and trace.share("decode") >= _DECODES)
    if "cache" not in row.knobs and not decodes:
        return None  # a user's own: what it does in each epoch is unknown
    names: tuple[str, ...] = ("read", "decode")
    if row.knobs.get("cache") in ("memory", "file"):
        names = ("decode",) if row.knobs.get("cache_at") == "encoded" else ("ready",)
    return _slowest(diagnosis, names)


def _slowest(diagnosis: Diagnosis, names: Collection[str]) -> Ceiling | None:
    """Return the lowest ceiling of these names; None if none was measured."""
    candidates = [ceiling for ceiling in diagnosis.ceilings if ceiling.name in names]
    return min(candidates, key=lambda ceiling: ceiling.rate, default=None)
