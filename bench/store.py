"""What pipelines have written beforehand, kept in a folder and found again by what it depends on.

STORE/.in-use            locked, shared, by every run that reads from the store
STORE/KEY.lock           locked by the one that writes KEY
STORE/.new-KEY-...       unfinished; of no meaning to anybody but its writer
STORE/KEY/               whole: moved here in one step, after everything in it was synced
STORE/KEY/manifest.json  what it is, what it cost, and the size and checksum of each file
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from feedbench.pipelines.errors import RequestError

SCHEMA = 1
_MANIFEST = "manifest.json"
_CHUNK = 1 << 20
_TRY = fcntl.LOCK_EX | fcntl.LOCK_NB

Written = dict[str, tuple[int, int]]
"""File's name -> its bytes and its CRC-32."""


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """What is prepared, as people would name it."""

    pipeline: str  # name
    depends_on: dict[str, Any]  # knobs and what else matters beside the images
    folder: str  # of the images
    images: int
    bytes: int  # of the images' files


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a preparation is, and what it cost when it was made."""

    schema: int = SCHEMA
    source: Source
    made_at: str  # UTC, ISO 8601
    seconds: float  # until everything was on the disk
    files: Written

    @property
    def bytes(self) -> int:
        """The bytes of all its files."""
        return sum(size for size, _ in self.files.values())


class Store:
    """The folder of preparations. Several runs may use it at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextlib.contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep what is in the store from being cleared while this goes on.

        Makes the folder where it is missing. Raises RequestError where it cannot be written.
        """
        self._check()
        with self._locked(".in-use", fcntl.LOCK_SH):
            try:
                yield
            finally:
                self.sweep()

    def find(self, key: str) -> Manifest | None:
        """Return the manifest of a preparation that is whole, having read all of its files.

        None where there is none, or a file is missing, cut short or other than what was written.
        """
        folder = self.folder / key
        try:
            manifest = msgspec.json.decode((folder / _MANIFEST).read_bytes(), type=Manifest)
            return manifest if _written(folder) == manifest.files else None
        except (OSError, msgspec.MsgspecError):
            return None

    def obtain(
        self,
        key: str,
        source: Source,
        prepare: Callable[[Path], object],
        *,
        on_wait: Callable[[], object] = lambda: None,
        on_write: Callable[[Path, bool], object] = lambda *_: None,
    ) -> tuple[Manifest, bool]:
        """Return a whole preparation, and whether it was there already.

        Where it was not, `prepare` fills a new folder, which is moved into place when all of it is
        on the disk; before, `on_write` is told that folder, and whether there was a damaged one.
        Of two processes that want the same one the second waits, having called `on_wait`, and
        finds it. Raises what `prepare` raises; nothing is left of it then.
        """
        with self._locked(f"{key}.lock", fcntl.LOCK_EX, on_wait):
            found = self.find(key)
            if found is not None:
                return found, True
            is_damaged = (self.folder / key).exists()
            self._remove(key)  # what is damaged, and what a killed writer has left
            unfinished = self.folder / f".new-{key}-{secrets.token_hex(4)}"
            unfinished.mkdir()
            try:
                on_write(unfinished, is_damaged)
                manifest = _filled(unfinished, source, prepare)
                unfinished.rename(self.folder / key)
                _sync(self.folder)
            except BaseException:
                shutil.rmtree(unfinished, ignore_errors=True)
                raise
        return manifest, False

    def manifests(self) -> dict[str, Manifest]:
        """Return the preparations by key, the oldest first, without reading their files."""
        found = {}
        for file in self.folder.glob(f"[!.]*/{_MANIFEST}"):
            with contextlib.suppress(OSError, msgspec.MsgspecError):
                found[file.parent.name] = msgspec.json.decode(file.read_bytes(), type=Manifest)
        return dict(sorted(found.items(), key=lambda item: item[1].made_at))

    def sweep(self) -> None:
        """Remove what writers that were killed have left."""
        for unfinished in self.folder.glob(".new-*"):
            key = unfinished.name.removeprefix(".new-").rpartition("-")[0]
            with contextlib.suppress(BlockingIOError), self._locked(f"{key}.lock", _TRY):
                shutil.rmtree(unfinished, ignore_errors=True)

    def clear(self) -> None:
        """Remove all preparations. Raises RequestError while a run reads from the store.

        The folder and the lock in it stay: a run that waits for the lock may have it open.
        """
        if not self.folder.is_dir():
            return
        try:
            with self._locked(".in-use", _TRY):
                for key in self.manifests():
                    self._remove(key)
                for rest in (*self.folder.glob("*.lock"), *self.folder.glob(".new-*")):
                    shutil.rmtree(rest) if rest.is_dir() else rest.unlink()
        except BlockingIOError:
            raise RequestError(
                f"{self.folder} is in use by a run; clear it when that has ended"
            ) from None

    def _check(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.folder):
                pass
        except OSError as error:
            raise RequestError(
                f"the folder for prepared files, {self.folder}, cannot be written:"
                f" {error.strerror}; name another by --prepared"
            ) from error

    def _remove(self, key: str) -> None:
        shutil.rmtree(self.folder / key, ignore_errors=True)
        for unfinished in self.folder.glob(f".new-{key}-*"):
            shutil.rmtree(unfinished, ignore_errors=True)

    @contextlib.contextmanager
    def _locked(
        self, name: str, how: int, on_wait: Callable[[], object] = lambda: None
    ) -> Iterator[None]:
        """Hold a lock, which the kernel takes away from a process that dies."""
        with (self.folder / name).open("ab") as file:
            try:
                fcntl.flock(file, how | fcntl.LOCK_NB)
            except BlockingIOError:
                if how == _TRY:
                    raise
                on_wait()
                fcntl.flock(file, how)
            yield


def _filled(folder: Path, source: Source, prepare: Callable[[Path], object]) -> Manifest:
    """Have a folder filled, see to it that all of it is on the disk, and describe it."""
    begun = time.monotonic()
    prepare(folder)
    for path in folder.rglob("*"):
        _sync(path)
    manifest = Manifest(
        source=source,
        made_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        seconds=time.monotonic() - begun,
        files=_written(folder),
    )
    file = folder / _MANIFEST
    file.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")
    _sync(file)
    _sync(folder)
    return manifest


def _written(folder: Path) -> Written:
    """Read every file below a folder, which also leaves it in the page cache."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != _MANIFEST)
    with ThreadPoolExecutor(max_workers=len(os.sched_getaffinity(0))) as pool:
        read = list(pool.map(_size_and_checksum, files))
    return {os.fspath(file.relative_to(folder)): of for file, of in zip(files, read, strict=True)}


def _size_and_checksum(file: Path) -> tuple[int, int]:
    size = checksum = 0
    buffer = bytearray(_CHUNK)
    view = memoryview(buffer)
    with file.open("rb", buffering=0) as opened:
        while got := opened.readinto(buffer):
            size += got
            checksum = zlib.crc32(view[:got], checksum)
    return size, checksum


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
