"""The share of files that is in the page cache, and evicting files from it.

By mincore(2) and posix_fadvise(2); neither needs root. The caches of a hypervisor or of a network
file system are not visible here.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
from collections.abc import Callable, Iterable, Sequence

import msgspec
import numpy as np

from feedbench.pipelines.system.regular_files import open_regular

MOST_ASKED = 1000  # files whose pages are checked, evenly over the list: each takes 20 µs


class Residency(msgspec.Struct, frozen=True, kw_only=True):
    """How much of some files is resident."""

    files: int  # that were checked
    bytes: int  # of these
    resident_bytes: int  # whole pages, a file's end at most
    why_unknown: str | None = None  # a clause: then nothing is certified

    @property
    def share(self) -> float | None:
        """The share that is resident; None if unknown."""
        if self.why_unknown is not None:
            return None
        return self.resident_bytes / self.bytes if self.bytes else 1.0


def residency(files: Sequence[str]) -> Residency:
    """Return how much of the files is resident; checks only a sample of many files."""
    mincore = getattr(_libc(), "mincore", None)
    if mincore is None:
        return _unknown("this system has no mincore")
    asked = files[:: max(-(-len(files) // MOST_ASKED), 1)]
    total = resident = 0
    for file in asked:
        try:
            descriptor = open_regular(file)
        except OSError as error:
            return _unknown(f"cannot open a file: {error.strerror}")
        try:
            if not _may_ask(descriptor, file):
                return _unknown(
                    "some files belong to another user and are not writable; mincore reports all"
                    " pages of such files as resident"
                )
            size, there = _resident(mincore, descriptor)
        except OSError as error:
            return _unknown(f"mincore failed: {error.strerror}")
        finally:
            os.close(descriptor)
        total += size
        resident += there
    return Residency(files=len(asked), bytes=total, resident_bytes=resident)


def evict(files: Iterable[str]) -> str | None:
    """Evict files from the page cache; return why that failed, as a clause, or None.

    Pages that are not yet on the disk would stay, so they are written first.
    """
    if not hasattr(os, "posix_fadvise"):
        return "this system has no posix_fadvise"
    for file in files:
        try:
            descriptor = open_regular(file)
        except OSError as error:
            return f"cannot open a file: {error.strerror}"
        try:
            with contextlib.suppress(OSError):  # a read-only file system
                os.fdatasync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        except OSError as error:
            return f"posix_fadvise failed: {error.strerror}"
        finally:
            os.close(descriptor)
    return None


def _unknown(why: str) -> Residency:
    return Residency(files=0, bytes=0, resident_bytes=0, why_unknown=why)


def _libc() -> ctypes.CDLL | None:
    try:
        return ctypes.CDLL(None, use_errno=True)
    except (OSError, TypeError):  # not available
        return None


def _may_ask(descriptor: int, file: str) -> bool:
    """Return whether mincore reports the truth: only for a file that the user owns or may write.

    Since Linux 5.2, can_do_mincore in mm/mincore.c.
    """
    return os.fstat(descriptor).st_uid == os.geteuid() or os.access(file, os.W_OK)


def _resident(mincore: Callable[..., int], descriptor: int) -> tuple[int, int]:
    """Return a file's bytes, and how many of them are resident. Raises OSError."""
    size = os.fstat(descriptor).st_size
    if not size:
        return 0, 0
    pages = np.zeros(-(-size // mmap.PAGESIZE), np.uint8)
    # A read-only mapping that ends with its view: closing it earlier would raise BufferError, even
    # in place of a Ctrl-C.
    view = np.frombuffer(mmap.mmap(descriptor, size, prot=mmap.PROT_READ), np.uint8)
    failed = mincore(
        ctypes.c_void_p(view.ctypes.data),
        ctypes.c_size_t(size),
        ctypes.c_void_p(pages.ctypes.data),
    )
    if failed:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return size, min(int((pages & 1).sum()) * mmap.PAGESIZE, size)
