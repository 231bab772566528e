"""Which of the machine's ceilings binds a pipeline. Pure."""

from __future__ import annotations

from collections.abc import Collection

from feedbench.bench.records.diagnosis import Ceiling, Diagnosis
from feedbench.bench.records.row import Row
from feedbench.pipelines.catalog import spec_of

_DECODES = 0.3  # a pipeline with at least this share of decoding decodes in every epoch
# They decode in every epoch, and a trace of TensorFlow's ops shows nothing of it.
_DECODERS = {
    "image_data_generator",
    "image_dataset_from_directory_grain",
    "py_dataset",
    "threads",
}

_FROM_STORE = {"threads"}  # it reads each image in every epoch
_STORED = {"tfdata_saved", "tfrecord_gzip", "tfrecord_sharded"}


def binding(row: Row, diagnosis: Diagnosis) -> Ceiling | None:
    """Return the ceiling that binds a pipeline; None if unknown.

    A pipeline that caches decoded images, or reads stored pixels, is bound by the rate of ready
    batches, and one that caches encoded images by decoding. Any other is bound by reading or
    decoding, whichever is slower. Of images that were stored smaller, no ceiling is measured.
    """
    name = spec_of(row.label, row.spec).name
    if diagnosis.store is not None and name in {*_FROM_STORE, *_STORED}:
        # Stored files are on this machine, which the ceiling `read` of a store does not concern.
        return _slowest(diagnosis, ("read",) if name in _FROM_STORE else ())
    trace = diagnosis.traces.get(row.label)
    decodes = name in _DECODERS or (trace is not None and trace.share("decode") >= _DECODES)
    if "cache" not in row.knobs and not decodes:
        return None  # a user's own: what it does in each epoch is unknown
    is_cached = row.knobs.get("cache") in ("memory", "file")
    if is_cached and row.knobs.get("cache_at") != "encoded":
        return _slowest(diagnosis, ("ready",))
    if (stored := row.knobs.get("store", "encoded")) != "encoded":
        return _slowest(diagnosis, ("ready",) if stored == "raw" else ())
    decoding = "scaled decode" if row.knobs.get("decode") == "scaled" else "decode"
    if _slowest(diagnosis, (decoding,)) is None and decoding != "decode":
        return None  # an earlier version measured only the ceiling of full decoding
    return _slowest(diagnosis, (decoding,) if is_cached else ("read", decoding))


def _slowest(diagnosis: Diagnosis, names: Collection[str]) -> Ceiling | None:
    """Return the lowest ceiling of these names; None if none was measured."""
    candidates = [ceiling for ceiling in diagnosis.ceilings if ceiling.name in names]
    return min(candidates, key=lambda ceiling: ceiling.rate, default=None)
