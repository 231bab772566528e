"""Files at fixed paths outlive a trial: the pipeline's next process reads what this one wrote."""

from __future__ import annotations

import fcntl
import glob
import math
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from feedbench.pipelines.images.index import shown

_DESCRIPTORS = "/proc/self/fd"
_NO_FILES = ("/dev/", "/proc/", "/sys/", "/memfd:")
_WRITES = os.O_WRONLY | os.O_RDWR
_PATHS = {"CacheDataset": "_filename", "_SnapshotDataset": "_path"}  # by the dataset's class

ADVICE = "write caches below workload.scratch, which is a new folder for each process"


class Writes:
    """The files outside of the folders `own` that this process opens for writing from here on.

    Files that are open already do not count, such as the log that standard output goes to. Python
    reports each file that it opens; `look` finds the files that others, such as TensorFlow, have
    open at that moment.
    """

    def __init__(self, own: Iterable[str]) -> None:
        self._own = tuple(os.path.realpath(folder) + os.sep for folder in own)
        self._paths: dict[str, None] = {}
        self._earlier = frozenset(_open_for_writing())
        self._is_on = True
        sys.addaudithook(self._on_event)  # for good; the pilot's process ends soon

    def _on_event(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and self._is_on:
            path, _, flags = arguments
            if isinstance(flags, int) and flags & _WRITES and isinstance(path, str | bytes):
                self._paths[os.path.abspath(os.fsdecode(path))] = None  # noqa: PTH100

    def look(self) -> None:
        """Note the files that are open for writing now."""
        self._paths |= dict.fromkeys(_open_for_writing())

    def left(self, least_bytes: int) -> list[str]:
        """Return the remaining files of at least this many bytes, and stop watching."""
        self._is_on = False
        return [path for path in self._paths if self._is_left(path, least_bytes)]

    def _is_left(self, path: str, least_bytes: int) -> bool:
        real = os.path.realpath(path)
        if real.startswith((*self._own, *_NO_FILES)) or "__pycache__" in real:
            return False
        with suppress(OSError):
            is_new = real not in self._earlier
            return is_new and Path(real).is_file() and os.stat(real).st_size >= least_bytes  # noqa: PTH116
        return False


def _open_for_writing() -> Iterator[str]:
    with suppress(OSError):
        for name in os.listdir(_DESCRIPTORS):  # noqa: PTH208
            with suppress(OSError):  # closed meanwhile
                if fcntl.fcntl(int(name), fcntl.F_GETFL) & _WRITES:
                    yield os.readlink(f"{_DESCRIPTORS}/{name}")  # noqa: PTH115


def leaves(path: str) -> str:
    """Return a remark on a file that a pilot left."""
    return f"its pilot left {shown(path)}, which its later processes may read; {ADVICE}"


def earlier_caches(feed: object, own: Iterable[str], before: float) -> list[str]:
    """Return the paths of a tf.data pipeline's caches that another process wrote.

    Their files were changed `before` that time, in seconds since 1970; those in the folders `own`
    do not count.
    """
    folders = tuple(os.path.realpath(folder) + os.sep for folder in own)
    return [
        path
        for path in _cache_paths(feed)
        if not os.path.realpath(path).startswith(folders)
        and any(_changed(file) < before for file in glob.iglob(f"{glob.escape(path)}*"))  # noqa: PTH207
    ]


def reads(path: str) -> str:
    """Return a remark on a cache that an earlier process wrote."""
    return f"its first epochs read {shown(path)}, a cache that an earlier process wrote; {ADVICE}"


def explained(paths: Sequence[str]) -> str:
    """Return a hint for a pipeline that fails, with caches that an earlier process wrote."""
    cache = shown(paths[0])
    return f"an earlier process wrote its cache {cache}: delete that cache's files, and {ADVICE}"


def _changed(file: str) -> float:
    """Return when a file was changed, in seconds since 1970; infinity if it is gone."""
    with suppress(OSError):
        return os.stat(file).st_mtime  # noqa: PTH116
    return math.inf


def _cache_paths(feed: object) -> list[str]:
    """Return the paths of the caches of a tf.data pipeline; none for any other feed."""
    if "tensorflow" not in sys.modules:  # no dataset without it, and it takes seconds to import
        return []
    import tensorflow as tf

    paths, datasets = [], [feed]
    while datasets:
        dataset = datasets.pop()
        if not isinstance(dataset, tf.data.Dataset):
            continue
        path = getattr(dataset, _PATHS.get(type(dataset).__name__, ""), "")
        path = path.numpy() if hasattr(path, "numpy") else path
        if path:
            paths.append(os.path.abspath(os.fsdecode(path)))  # noqa: PTH100
        datasets.extend(getattr(dataset, "_inputs", list)())  # tf.data has no public way
    return paths
