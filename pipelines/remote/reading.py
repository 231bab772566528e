"""Files' bytes and stamps, wherever they are: by the system, or by fsspec from a store."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from typing import Any, BinaryIO, NamedTuple, TypeVar, cast

from feedbench.pipelines.remote.address import is_address, scheme_of
from feedbench.pipelines.remote.errors import as_os_errors
from feedbench.pipelines.remote.file_systems import ATTEMPTS, file_system
from feedbench.pipelines.system.pool import ahead
from feedbench.pipelines.system.regular_files import open_regular

Result = TypeVar("Result")

AT_ONCE = 32
"""How many files of a store a process reads at once by default."""

HEADER_BYTES = 1 << 16
"""How many bytes of a file are read at a time, where only its header is wanted."""

_VERSIONS = (
    "ETag",
    "etag",
    "md5Hash",
    "generation",
    "LastModified",
    "Last-Modified",
    "mtime",
    "created",
)
"""What tells an object's versions apart, the best first, by the names of the file systems."""
_WITHOUT_RETRIES = {"http", "https"}  # fsspec retries for the other stores


class Stamp(NamedTuple):
    """A file's size and modification time, which stand for its content.

    In a store, `changed` is a digest of the object's ETag, or of its time.
    """

    size: int  # bytes
    changed: int  # ns


def read(file: str) -> bytes:
    """Return the content of a file. Raises OSError, also if it is not a regular file.

    Never waits for one that became a pipe.
    """
    if is_address(file):
        return cast("bytes", _asked(file, "cat_file"))
    with os.fdopen(open_regular(file), "rb", buffering=0) as opened:
        return opened.read()


def first_bytes(address: str, count: int) -> bytes:
    """Return the first bytes of an object in a store: no more are read. Raises OSError."""
    # Some HTTP servers send the whole file.
    return cast("bytes", _asked(address, "cat_file", start=0, end=count))[:count]


def mapped(work: Callable[[str], Result], files: Sequence[str]) -> list[Result]:
    """Return what `work` returns for each file, in order; in a store, for many at once."""
    if not any(map(is_address, files[:1])):
        return [work(file) for file in files]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(work, files))


@contextmanager
def opened(address: str, block_bytes: int = HEADER_BYTES) -> Iterator[BinaryIO]:
    """Open an object in a store, of which only the ranges are read that are asked for.

    A request asks for `block_bytes` or more. Raises OSError if it cannot be opened.
    """
    with as_os_errors(address):
        stream = file_system(address).open(
            address, "rb", block_size=block_bytes, cache_type="readahead"
        )
    with stream:
        yield cast("BinaryIO", stream)


def read_ahead(files: Sequence[str]) -> Iterator[bytes]:
    """Yield the content of files in a store, in order; some of the next are on their way."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from ahead(pool, read, files, AT_ONCE)


def stamp(file: str) -> Stamp:
    """Return a file's stamp, as it is now. Raises OSError if the file cannot be accessed."""
    if is_address(file):
        return stamp_in(_asked(file, "info"))
    status = os.stat(file)  # noqa: PTH116 - a million times
    return Stamp(status.st_size, status.st_mtime_ns)


def stamps(files: Sequence[str]) -> list[Stamp | None]:
    """Return the stamps of files, None for each that cannot be accessed.

    A store is asked for many at once.
    """
    return [None if isinstance(each, OSError) else each for each in stamps_or_errors(files)]


def stamps_or_errors(files: Sequence[str]) -> list[Stamp | OSError]:
    """Return the stamps of files as `stamps` does, the error of each that cannot be accessed."""

    def of(file: str) -> Stamp | OSError:
        try:
            return stamp(file)
        except OSError as error:
            return error

    return mapped(of, files)


def is_refused(file: str, error: OSError) -> bool:
    """Return whether an error shows that a store refuses or fails, not that the file is gone."""
    return is_address(file) and not isinstance(error, FileNotFoundError)


def size(file: str) -> int:
    """Return a file's bytes. Raises OSError."""
    return stamp(file).size


def total_size(files: Sequence[str]) -> int:
    """Return the bytes of files together. Raises OSError if one cannot be accessed."""
    found = stamps(files)
    for file, each in zip(files, found, strict=True):
        if each is None:
            stamp(file)  # it raises
    return sum(each.size for each in found if each is not None)


def stamp_in(info: Mapping[str, Any]) -> Stamp:
    """Return the stamp in what a file system reports of an object.

    A server may quote an ETag in the head of an answer, and not in a listing.
    """
    version = next((info[name] for name in _VERSIONS if info.get(name) is not None), "")
    if isinstance(version, datetime):
        version = version.timestamp()
    text = str(version).removeprefix("W/").strip('"')
    digest = hashlib.blake2b(text.encode(), digest_size=7).digest()
    return Stamp(int(info.get("size") or 0), int.from_bytes(digest))


def retried(address: str, call: Callable[[], Result]) -> Result:
    """Return a call's result; where the library does not retry by itself, try it several times.

    The pauses grow, as botocore's and gcsfs's do. Raises what the last attempt raises.
    """
    if scheme_of(address) not in _WITHOUT_RETRIES:
        return call()
    import aiohttp
    from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

    def is_passing(error: BaseException) -> bool:
        if isinstance(error, aiohttp.ClientResponseError):
            return error.status in {429, 500, 502, 503, 504}
        return isinstance(error, (aiohttp.ClientError, TimeoutError, ConnectionError))

    result: Result = Retrying(
        retry=retry_if_exception(is_passing),
        wait=wait_random_exponential(multiplier=0.2, max=5),
        stop=stop_after_attempt(ATTEMPTS),
        reraise=True,
    )(call)
    return result


def _asked(address: str, method: str, **arguments: object) -> Any:
    """Return what a method of the file system returns for an address. Raises OSError."""
    with as_os_errors(address):
        call = getattr(file_system(address), method)
        return retried(address, lambda: call(address, **arguments))
