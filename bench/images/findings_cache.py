"""What was found of images before, by path, size and time: a check costs once.

CHECKED/FOLDER-VERSIONS.jsonl: a line for each file that was looked at, only ever added to, so that
what a crash cuts short is one line. Written anew where it has grown to twice what is needed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

from feedbench.bench.files import Stamp
from feedbench.pipelines.images.image_check import Finding

_SCHEMA = 2
_MOST_BYTES = 256_000_000  # of all folders together; a file of an image takes about 100
_SPARE_LINES = 1000
_HELD_LINES = 256  # until they are written


class _Line(msgspec.Struct, frozen=True, array_like=True):
    key: str
    size: int
    changed: int
    finding: Finding


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Line).decode


class Remembered:
    """The findings on the images of one folder. A cache folder that cannot be used is none."""

    def __init__(self, cache: Path, folder: Path) -> None:
        name = hashlib.blake2b(os.fsencode(folder), digest_size=12).hexdigest()
        self._file = cache / f"{name}-{_versions()}.jsonl"
        self._held: list[bytes] = []

    def find(self, stamps: Mapping[str, Stamp], channels: int) -> dict[str, Finding]:
        """Return what is known of those of the files, by path, that have not changed since.

        Known is enough: at `channels`, or a reason that holds whatever the channels are.
        """
        wanted = {_key(path): path for path in stamps}
        found: dict[str, Finding] = {}
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
                found[path] = line.finding
        if lines > 2 * len(needed) + _SPARE_LINES:
            self._shorten()
        return found

    def add(self, path: str, stamp: Stamp, finding: Finding) -> None:
        """Remember a finding; it may be lost until `flush` is called."""
        if finding.lasts:
            self._held.append(_encode(_Line(_key(path), *stamp, finding)) + b"\n")
        if len(self._held) >= _HELD_LINES:
            self.flush()

    def flush(self) -> None:
        """Write what is held."""
        lines, self._held = b"".join(self._held), []
        if not lines:
            return
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            is_new = not self._file.exists()
            with self._file.open("ab") as file:
                # An empty line ends one that a crash has cut short.
                file.write(b"\n" + lines)
            if is_new:
                _make_room(self._file)

    def _lines(self) -> Iterator[_Line]:
        with contextlib.suppress(OSError), self._file.open("rb") as file:
            for line in file:
                with contextlib.suppress(msgspec.MsgspecError):
                    yield _decode(line)

    def _shorten(self) -> None:
        """Keep of each file what was found last, whoever asks for a part of the folder only."""
        last = {_place(line): line for line in self._lines()}
        new = self._file.with_suffix(f".{os.getpid()}.new")
        try:
            with new.open("wb") as file:
                file.writelines(_encode(line) + b"\n" for line in last.values())
            new.replace(self._file)
        except OSError:
            with contextlib.suppress(OSError):
                new.unlink()


def _is_header_only(finding: Finding) -> bool:
    return finding.reason is None and finding.channels == 0


def _place(line: _Line) -> tuple[str, int]:
    """Return what a later line of the same says anew."""
    return line.key, line.finding.channels


def _key(path: str) -> str:
    return hashlib.blake2b(os.fsencode(path), digest_size=12).hexdigest()


def _versions() -> str:
    """Return what decides a finding beside the file: our schema, and who decodes."""
    found = [f"{_SCHEMA}"]
    for name in ("tensorflow", "pillow"):
        with contextlib.suppress(PackageNotFoundError):
            found.append(version(name))
    return "-".join(found)


def _make_room(newest: Path) -> None:
    """Remove the files that were not added to for longest, until all take what they may."""
    files = sorted(newest.parent.glob("*.jsonl"), key=lambda file: file.stat().st_mtime)
    total = sum(file.stat().st_size for file in files)
    for file in files:
        if total <= _MOST_BYTES or file == newest:
            break
        total -= file.stat().st_size
        file.unlink()
