"""Findings of earlier checks, by path, size and time, so that each file is checked once.

CHECKED/FOLDER-VERSIONS.jsonl has a line for each check of a file. Lines are only appended, so a
crash can damage one line at most. The file is rewritten when it has twice the lines it needs.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePath

import msgspec

from feedbench.bench.disk_cache import DiskCache
from feedbench.bench.files import DAMAGED
from feedbench.pipelines.images import image_check
from feedbench.pipelines.images.image_check import Finding
from feedbench.pipelines.remote.reading import Stamp

_SCHEMA = 2
MOST_BYTES = 256_000_000  # of all folders together; a file of an image takes about 100
SPARE_LINES = 1000
_HELD_LINES = 256  # lines kept in memory before they are written


class _Line(msgspec.Struct, frozen=True, array_like=True):
    key: str
    size: int
    changed: int
    finding: Finding


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Line).decode


class FindingsCache:
    """The findings on the images of one folder. A cache folder that cannot be used is ignored."""

    def __init__(
        self,
        cache: Path,
        folder: PurePath,
        *,
        most_bytes: int = MOST_BYTES,
        spare_lines: int = SPARE_LINES,
    ) -> None:
        """`cache` is the cache's folder, `folder` the images' one.

        `most_bytes` limits the findings on all folders together. The file is rewritten when it has
        more than `spare_lines` lines beyond twice those it needs.
        """
        self._cache = DiskCache(cache, suffix=".jsonl", most_bytes=most_bytes)
        self._key = f"{_digest(os.fsencode(folder))}-{_versions()}"
        self._spare_lines = spare_lines
        self._held: list[bytes] = []

    def find(self, stamps: Mapping[str, Stamp], channels: int) -> dict[str, Finding]:
        """Return path -> finding of the files that have not changed since.

        A finding is enough if it was made at `channels`, or if its reason holds at any number.
        """
        wanted = {_digest(os.fsencode(path)): path for path in stamps}
        findings: dict[str, Finding] = {}
        lines = 0
        needed = set()
        for line in self._lines():
            lines += 1
            needed.add(_place(line))
            path = wanted.get(line.key)
            if path is None or stamps[path] != (line.size, line.changed):
                continue
            is_enough = line.finding.channels in {0, channels} or not channels
            if is_enough and not (channels and _is_header_only(line.finding)):
                findings[path] = line.finding
        if lines > 2 * len(needed) + self._spare_lines:
            self._shorten()
        return findings

    def add(self, path: str, stamp: Stamp, finding: Finding) -> None:
        """Remember a finding; it may be lost until `flush` is called."""
        if finding.lasts:
            self._held.append(_encode(_Line(_digest(os.fsencode(path)), *stamp, finding)) + b"\n")
        if len(self._held) >= _HELD_LINES:
            self.flush()

    def flush(self) -> None:
        """Write the findings that are still in memory."""
        lines, self._held = b"".join(self._held), []
        if lines:
            self._cache.append(self._key, lines)

    def _lines(self) -> Iterator[_Line]:
        for line in self._cache.lines(self._key):
            with contextlib.suppress(*DAMAGED):
                yield _decode(line)

    def _shorten(self) -> None:
        """Keep the last finding on each file, even if only a part of the folder is wanted now."""
        last = {_place(line): line for line in self._lines()}
        self._cache.write(self._key, (_encode(line) + b"\n" for line in last.values()))


def _is_header_only(finding: Finding) -> bool:
    return finding.reason is None and finding.channels == 0


def _place(line: _Line) -> tuple[str, int]:
    """Return the key under which a later line replaces an earlier one."""
    return line.key, line.finding.channels


def _digest(path: bytes) -> str:
    return hashlib.blake2b(path, digest_size=12).hexdigest()


def _versions() -> str:
    """Return what a finding depends on, apart from the file: schema, rules and libraries."""
    versions = [f"{_SCHEMA}.{image_check.RULES}"]
    for name in ("tensorflow", "pillow"):
        with contextlib.suppress(PackageNotFoundError):
            versions.append(version(name))
    return "-".join(versions)
