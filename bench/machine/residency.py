"""Which part of some files lies in the page cache, asked of the kernel, and sending them out of it.

mincore(2) and posix_fadvise(2), neither of which needs to be root. What a hypervisor or a network
file system keeps for itself cannot be seen from here.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
from collections.abc import Callable, Iterable, Sequence

import msgspec
import numpy as np

MOST_ASKED = 1000  # files whose pages are asked for, evenly over the list: it takes 20 µs each


class Residency(msgspec.Struct, frozen=True, kw_only=True):
    """What is resident of some files."""

    files: int  # that were asked for
    bytes: int  # of these
    resident_bytes: int  # whole pages, a file's end at most
    why_unknown: str | None = None  # a clause: then nothing is certified

    @property
    def share(self) -> float | None:
        """The part that is resident; None where it is not known."""
        if self.why_unknown is not None:
            return None
        return self.resident_bytes / self.bytes if self.bytes else 1.0


def residency(files: Sequence[str]) -> Residency:
    """Return what is resident of files, of many of them by a part."""
    mincore = getattr(_libc(), "mincore", None)
    if mincore is None:
        return _unknown("this system has no mincore")
    asked = files[:: max(-(-len(files) // MOST_ASKED), 1)]
    total = resident = 0
    for file in asked:
        try:
            descriptor = os.open(file, os.O_RDONLY)
        except OSError as error:
            return _unknown(f"a file cannot be opened: {error.strerror}")
        try:
            if not _may_ask(descriptor, file):
                return _unknown(
                    "some files are neither ours nor writable, and of those mincore says that all"
                    " is resident"
                )
            size, there = _resident(mincore, descriptor)
        except OSError as error:
            return _unknown(f"the kernel would not say: {error.strerror}")
        finally:
            os.close(descriptor)
        total += size
        resident += there
    return Residency(files=len(asked), bytes=total, resident_bytes=resident)


def evict(files: Iterable[str]) -> str | None:
    """Send files out of the page cache; returns why not, as a clause, where that cannot be.

    What is not yet on the disk would stay, so it is written first.
    """
    if not hasattr(os, "posix_fadvise"):
        return "this system has no posix_fadvise"
    for file in files:
        try:
            descriptor = os.open(file, os.O_RDONLY)
        except OSError as error:
            return f"a file cannot be opened: {error.strerror}"
        try:
            with contextlib.suppress(OSError):  # of a file system that is read only
                os.fdatasync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        except OSError as error:
            return f"the kernel would not: {error.strerror}"
        finally:
            os.close(descriptor)
    return None


def _unknown(why: str) -> Residency:
    return Residency(files=0, bytes=0, resident_bytes=0, why_unknown=why)


def _libc() -> ctypes.CDLL | None:
    try:
        return ctypes.CDLL(None, use_errno=True)
    except (OSError, TypeError):  # no such thing to be loaded
        return None


def _may_ask(descriptor: int, file: str) -> bool:
    """Tell whether mincore says the truth of a file: to its owner, or to who may write it.

    Since Linux 5.2, can_do_mincore in mm/mincore.c.
    """
    return os.fstat(descriptor).st_uid == os.geteuid() or os.access(file, os.W_OK)


def _resident(mincore: Callable[..., int], descriptor: int) -> tuple[int, int]:
    """Return a file's bytes, and how many of them are resident. Raises OSError."""
    size = os.fstat(descriptor).st_size
    if not size:
        return 0, 0
    pages = np.zeros(-(-size // mmap.PAGESIZE), np.uint8)
    # Of a mapping that may only be read, and goes with its view: to close it before would raise
    # BufferError, at a Ctrl-C in place of that.
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
