"""The records of TFRecord files in a store, read by fsspec as they are asked for. No TensorFlow."""

from __future__ import annotations

import errno
import gzip
import struct
from collections.abc import Iterator
from contextlib import ExitStack
from typing import BinaryIO, cast

from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.remote.address import TENSORFLOW, is_address, scheme_of
from feedbench.pipelines.remote.errors import as_os_errors
from feedbench.pipelines.remote.reading import opened

BLOCK_BYTES = 5_000_000
"""How many bytes a request asks the store for: as many as fsspec does by default."""

_HEAD, _CHECKSUM = 12, 4  # bytes: a length and its checksum before a record, a checksum after it


def by_fsspec(file: str) -> bool:
    """Whether TensorFlow has no file system for a record file."""
    return is_address(file) and scheme_of(file) not in TENSORFLOW


def records_of(address: str, compression: str) -> Iterator[bytes]:
    """Yield the records of a file in a store; `compression` is "" or GZIP.

    Checksums are not compared. Raises OSError if the file ends within a record.
    https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details
    """
    with ExitStack() as stack:
        stream = stack.enter_context(opened(address, BLOCK_BYTES))
        if compression:
            stream = cast("BinaryIO", stack.enter_context(gzip.open(stream)))
        while head := _bytes_of(stream, _HEAD, address):
            if len(head) < _HEAD:
                raise _cut_off(address)
            (length,) = struct.unpack("<Q", head[:8])
            record = _bytes_of(stream, length, address)
            checksum = _bytes_of(stream, _CHECKSUM, address)
            if len(record) + len(checksum) < length + _CHECKSUM:
                raise _cut_off(address)
            yield record


def _bytes_of(stream: BinaryIO, count: int, address: str) -> bytes:
    with as_os_errors(address):
        return stream.read(count)


def refuse_compression(file: str, compression: str) -> None:
    """Raise RequestError for a file in a store whose compression Python cannot read as a file."""
    if is_address(file) and compression == "ZLIB":
        raise RequestError(
            f"{file}: expected record files in a store to be plain or GZIP; it is ZLIB",
            hint="copy the files to this machine, then name the copies",
        )


def _cut_off(address: str) -> OSError:
    return OSError(errno.EIO, "it ends within a record", address)
