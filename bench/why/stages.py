"""The stages of a pipeline from TensorFlow's ops. Pure.

xprof names an op by its type and says how long it ran by itself, summed over all threads. tf.data's
own iterators are of the type `Dataset`; most of them wait for a thread of their own, and what they
waited is no work. Only those that work on the thread that calls them are counted.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from feedbench.bench.records.diagnosis import PYTHON, REST, Stage

_IGNORED = {"IDLE"}
_OF_OPS = {
    "ReadFile": "read",
    "DecodeRaw": "parse",
    "RealDiv": "scale",
    "Mul": "scale",
    "Sub": "scale",
    "AddV2": "scale",
    "Cast": "scale",
    "Round": "scale",
    "Rint": "scale",
    "ClipByValue": "scale",
    "Minimum": "scale",
    "Maximum": "scale",
    "Tensordot": "scale",
    "OneHot": "batch",
    "PyFunc": PYTHON,
    "EagerPyFunc": PYTHON,
    "PyFuncStateless": PYTHON,
}
_BEGINNINGS = (
    ("Decode", "decode"),
    ("Resize", "resize"),
    ("Pad", "resize"),
    ("ParseExample", "parse"),
    ("ParseSingleExample", "parse"),
    ("DecodeProto", "parse"),
    ("LookupTable", "parse"),  # a label's text or number -> its place
)
# tf.data's iterators that work where they are called, by the last part of their name.
_OF_ITERATORS = {
    "TensorSlice": "list",
    "Range": "list",
    "TFRecord": "read",
    "SnapshotDatasetReader": "read",  # of Dataset.load: it parses as well
    "TextLine": "read",
    "FixedLengthRecord": "read",
    "Shuffle": "shuffle",
    "BatchV2": "batch",
    "PaddedBatchV2": "batch",
    "MemoryCache": "cache",
    "MemoryCacheImpl": "cache",
    "FileCache": "cache",
    "FileReader": "cache",
}
_NUMBER = re.compile(r"\[\d+\]")


def stages(
    ops: Iterable[tuple[str, str, float]], images: int, *, cpu_ms: float | None, is_tf_data: bool
) -> list[Stage]:
    """Return the stages of a trace, the largest first, in milliseconds per image.

    `ops` holds each op's type, name, and own microseconds. The rest of the process tree's CPU time,
    `cpu_ms` per image, is Python's if no dataset delivers.
    """
    ms_of: defaultdict[str, float] = defaultdict(float)
    for kind, name, microseconds in ops:
        stage = stage_of(kind, name)
        if stage is not None:
            ms_of[stage] += microseconds / 1000 / images
    total = sum(ms_of.values())
    if cpu_ms is not None and total > cpu_ms:  # ops waited for a core: that was no work
        ms_of = defaultdict(float, {name: ms * cpu_ms / total for name, ms in ms_of.items()})
    rest = (cpu_ms or 0.0) - total
    if rest > 0:
        ms_of[REST if is_tf_data else PYTHON] += rest
    ordered = sorted(ms_of.items(), key=lambda item: -item[1])
    return [Stage(name=name, ms=ms) for name, ms in ordered if ms > 0]


def stage_of(kind: str, name: str) -> str | None:
    """Return the stage that an op belongs to; its own type for a user's op; None: none."""
    if kind in _IGNORED:
        return None
    kind = kind.removeprefix("_Mkl")  # oneDNN's own MatMul is a MatMul to the user
    if kind == "Dataset":
        last = _NUMBER.sub("", name).split("::")[-1]
        return _OF_ITERATORS.get(last.partition("/")[0])  # of several readers, each has a number
    if kind in _OF_OPS:
        return _OF_OPS[kind]
    for beginning, stage in _BEGINNINGS:
        if kind.startswith(beginning):
            return stage
    return kind
