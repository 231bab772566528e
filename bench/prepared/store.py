"""The store of prepared files: a folder in which a key of all inputs names each preparation.

STORE/.in-use            locked, shared, by every run that reads from the store
STORE/KEY.lock           locked by the process that writes KEY
STORE/.new-KEY-...       unfinished; only its writer uses it
STORE/KEY/               complete: moved here in one step, after everything in it was synced
STORE/KEY/files/         the files that the pipeline wrote
STORE/KEY/manifest.json  what it is, what it cost, and the size and checksum of each file
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import secrets
import shutil
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from feedbench.bench.files import DAMAGED
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.index import image_id
from feedbench.pipelines.system.regular_files import open_regular, read_regular

SCHEMA = 1
_IN_USE, _FILES, _MANIFEST = ".in-use", "files", "manifest.json"
_KEY = re.compile(r"[a-z0-9-]+-[0-9a-f]{20}")
_LOCK = re.compile(rf"{_KEY.pattern}\.lock")
_UNFINISHED = re.compile(rf"\.new-{_KEY.pattern}-[0-9a-f]{{8}}")
_CHUNK = 1 << 20
_UNREADABLE = (OSError, *DAMAGED)
_TRY = fcntl.LOCK_EX | fcntl.LOCK_NB
_CLEAR_SECONDS = 60.0  # for another process to clear the store
_PAUSE_SECONDS = 0.1

Written = dict[str, tuple[int, int]]
"""File's name -> its bytes and its CRC-32."""


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """What a preparation was made from."""

    pipeline: str  # name
    depends_on: dict[str, object]  # knobs and everything else that matters besides the images
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
    """The folder of preparations. Several runs, and several users, may use it at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextlib.contextmanager
    def in_use(self, seconds: float = _CLEAR_SECONDS) -> Iterator[None]:
        """Keep others from clearing the store during this context.

        Creates the folder if it is missing. Raises RequestError if it cannot be written to, or if
        another process has not cleared it after so many seconds.
        """
        with contextlib.ExitStack() as held:
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                with tempfile.TemporaryFile(dir=self.folder):
                    pass
                held.enter_context(self._shared(seconds))
            except OSError as error:
                raise RequestError(
                    f"cannot write to the folder for prepared files, {self.folder}:"
                    f" {error.strerror}",
                    hint="name another folder with --prepared",
                ) from error
            held.callback(self.sweep)
            self.sweep()
            yield

    def find(self, key: str) -> Manifest | None:
        """Read all files of a preparation and return its manifest if it is intact.

        None if there is none, or if a file is missing, cut short or changed.
        """
        try:
            manifest = _read(self.folder / key)
            return manifest if _written(self.files(key)) == manifest.files else None
        except _UNREADABLE:
            return None

    def files(self, key: str) -> Path:
        """Return the folder of the files that a pipeline wrote."""
        return self.folder / key / _FILES

    def obtain(
        self,
        key: str,
        source: Source | Callable[[], Source],
        prepare: Callable[[Path], object],
        *,
        on_wait: Callable[[], object] = lambda: None,
        on_write: Callable[[Path, bool], object] = lambda *_: None,
    ) -> tuple[Manifest, bool]:
        """Return an intact preparation, and whether it existed already.

        `source` may be a function, which is called when the files are written. If there was none,
        calls `on_write` with a new folder and whether a damaged one existed. Then
        `prepare` fills the folder, which is moved into place when all of it is on the disk. If
        another process is writing the same preparation, calls `on_wait` and waits for it. Raises
        what `prepare` raises, and leaves nothing behind then.
        """
        with self._locked(f"{key}.lock", fcntl.LOCK_EX, on_wait):
            manifest = self.find(key)
            if manifest is not None:
                return manifest, True
            is_damaged = (self.folder / key).exists()
            for old in (self.folder / key, *self.folder.glob(f".new-{key}-*")):
                shutil.rmtree(old, ignore_errors=True)
            unfinished = self.folder / f".new-{key}-{secrets.token_hex(4)}"
            unfinished.mkdir()
            try:
                (unfinished / _FILES).mkdir()
                on_write(unfinished / _FILES, is_damaged)
                manifest = _filled(unfinished, source, prepare)
                unfinished.rename(self.folder / key)
                _sync(self.folder)
            except BaseException:
                shutil.rmtree(unfinished, ignore_errors=True)
                raise
        return manifest, False

    def contents(self) -> list[tuple[Path, Manifest | None]]:
        """Return the folders of the preparations, the oldest first, without reading their files.

        A damaged or unfinished one has no manifest. Raises RequestError if the store is a file.
        """
        entries: list[tuple[Path, Manifest | None]] = []
        for path in self._own(_KEY, _UNFINISHED):
            manifest = None
            with contextlib.suppress(*_UNREADABLE):
                manifest = _read(path)
            entries.append((path, manifest))
        return sorted(entries, key=lambda item: item[1].made_at if item[1] else "")

    def sweep(self) -> None:
        """Remove the unfinished folders of writers that were killed."""
        for unfinished in self._own(_UNFINISHED):
            key = unfinished.name.removeprefix(".new-").rpartition("-")[0]
            with contextlib.suppress(OSError), self._locked(f"{key}.lock", _TRY):
                shutil.rmtree(unfinished, ignore_errors=True)

    def clear(self) -> None:
        """Remove all preparations, and no other files in the folder.

        The folder and the store's lock stay: a run that waits for the lock has it open. Raises
        RequestError while a run reads from the store, and OSError if a file cannot be removed.
        """
        if not self._own(_KEY, _UNFINISHED, _LOCK):
            return
        try:
            with self._locked(_IN_USE, _TRY):
                for path in self._own(_KEY, _UNFINISHED):
                    shutil.rmtree(path)
                for lock in self._own(_LOCK):
                    lock.unlink()
        except BlockingIOError:
            raise RequestError(
                f"cannot clear {self.folder}: a run is using it",
                hint="clear it when that run has ended",
            ) from None

    @contextlib.contextmanager
    def _shared(self, seconds: float) -> Iterator[None]:
        """Hold the store's lock with others that read. The one that clears it may be stopped."""
        descriptor = _opened(self.folder / _IN_USE)
        deadline = time.monotonic() + seconds
        try:
            while not _is_locked(descriptor, fcntl.LOCK_SH):
                if time.monotonic() > deadline:
                    raise RequestError(
                        f"{self.folder}: another process has been clearing it for {seconds:.0f} s",
                        hint="wait until it has ended, or name another folder with --prepared",
                    )
                time.sleep(_PAUSE_SECONDS)
            yield
        finally:
            os.close(descriptor)

    def _own(self, *patterns: re.Pattern[str]) -> list[Path]:
        """Return the store's own entries; the folder may hold other files too."""
        if self.folder.exists() and not self.folder.is_dir():
            raise RequestError(
                f"{self.folder}: expected a folder of prepared files; it is a file",
                hint="name a folder with --prepared",
            )
        paths = sorted(self.folder.iterdir()) if self.folder.is_dir() else []
        return [path for path in paths if any(p.fullmatch(path.name) for p in patterns)]

    @contextlib.contextmanager
    def _locked(
        self, name: str, how: int, on_wait: Callable[[], object] = lambda: None
    ) -> Iterator[None]:
        """Hold a lock, which the kernel releases when the process dies."""
        descriptor = _opened(self.folder / name)
        try:
            if not _is_locked(descriptor, how):
                if how == _TRY:
                    raise BlockingIOError
                on_wait()
                fcntl.flock(descriptor, how)  # in a trial, which has a limit
            yield
        finally:
            os.close(descriptor)


def _opened(lock: Path) -> int:
    """Open a lock file, which another user may own; create it if it is missing."""
    try:
        return open_regular(lock)
    except FileNotFoundError:
        return open_regular(lock, os.O_RDONLY | os.O_CREAT)


def _is_locked(descriptor: int, how: int) -> bool:
    """Lock a file if no other process has it; return whether it is locked now."""
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(folder: Path) -> Manifest:
    return msgspec.json.decode(read_regular(folder / _MANIFEST), type=Manifest)


def _filled(
    folder: Path, source: Source | Callable[[], Source], prepare: Callable[[Path], object]
) -> Manifest:
    """Fill a folder, sync all of it to the disk, and return its manifest."""
    begun = time.monotonic()
    prepare(folder / _FILES)
    for path in folder.rglob("*"):
        _sync(path)
    manifest = Manifest(
        source=source() if callable(source) else source,
        made_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        seconds=time.monotonic() - begun,
        files=_written(folder / _FILES),
    )
    file = folder / _MANIFEST
    file.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")
    _sync(file)
    _sync(folder)
    return manifest


def _written(folder: Path) -> Written:
    """Read every file below a folder, which also brings it into the page cache."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    with ThreadPoolExecutor(max_workers=len(os.sched_getaffinity(0))) as pool:
        read = list(pool.map(_size_and_checksum, files))
    names = (image_id(os.fspath(file.relative_to(folder))) for file in files)
    return dict(zip(names, read, strict=True))


def _size_and_checksum(file: Path) -> tuple[int, int]:
    size = checksum = 0
    buffer = bytearray(_CHUNK)
    view = memoryview(buffer)
    with os.fdopen(open_regular(file), "rb", buffering=0) as opened:
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
