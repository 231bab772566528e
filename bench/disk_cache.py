"""A cache on disk: one file per key; the oldest files are removed when all take too much space."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from feedbench.bench.files import write_whole
from feedbench.pipelines.system.regular_files import open_regular, read_regular

_ADDED = os.O_WRONLY | os.O_APPEND | os.O_CREAT


class DiskCache:
    """Files by key in a folder. A folder that cannot be used, or None, is an empty cache.

    A key holds everything that the content depends on, so that a file is never out of date.
    """

    def __init__(self, folder: Path | None, *, suffix: str, most_bytes: int) -> None:
        """Set the suffix of the files' names, and the most bytes of all files together."""
        self._folder = folder
        self._suffix = suffix
        self._most_bytes = most_bytes

    def read(self, key: str) -> bytes | None:
        """Return the content of a key; None if there is none."""
        if self._folder is None:
            return None
        with contextlib.suppress(OSError):
            return read_regular(self._file(self._folder, key))
        return None

    def lines(self, key: str) -> Iterator[bytes]:
        """Yield the lines of a key, with their ends, without loading all of them at once."""
        if self._folder is None:
            return
        with (
            contextlib.suppress(OSError),
            os.fdopen(open_regular(self._file(self._folder, key)), "rb") as file,
        ):
            yield from file

    def write(self, key: str, content: bytes | Iterable[bytes]) -> None:
        """Replace the content of a key in one step; if that fails, the old content stays."""
        if self._folder is None:
            return
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            write_whole(self._file(self._folder, key), content)
            self._make_room(self._folder, key)

    def append(self, key: str, lines: bytes) -> None:
        """Add lines to a key, without rewriting it. A crash can cut the last line short."""
        if self._folder is None:
            return
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            file = self._file(self._folder, key)
            is_new = not file.exists()
            with os.fdopen(open_regular(file, _ADDED), "ab") as opened:
                opened.write(b"\n" + lines)  # the empty line ends one that was cut short
            if is_new:
                self._make_room(self._folder, key)

    def _file(self, folder: Path, key: str) -> Path:
        return folder / f"{key}{self._suffix}"

    def _make_room(self, folder: Path, newest: str) -> None:
        """Remove the files with the oldest last write, but never the newest."""
        sizes = {file: file.stat() for file in folder.glob(f"*{self._suffix}")}
        total = sum(status.st_size for status in sizes.values())
        del sizes[self._file(folder, newest)]
        for file in sorted(sizes, key=lambda file: sizes[file].st_mtime):
            if total <= self._most_bytes:
                break
            total -= sizes[file].st_size
            file.unlink()
