"""The records of files in a store, here fsspec's own memory. No TensorFlow."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Iterator

import pytest

from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.tfrecords.stored_records import (
    by_fsspec,
    records_of,
    refuse_compression,
)

fsspec = pytest.importorskip("fsspec")

FILE = "memory://records/a.tfrecord"


def framed(*records: bytes) -> bytes:
    return b"".join(struct.pack("<Q", len(each)) + b"crc!" + each + b"crc!" for each in records)


@pytest.fixture(autouse=True)
def memory() -> Iterator[None]:
    yield
    fsspec.filesystem("memory").store.clear()


def put(content: bytes) -> None:
    fsspec.filesystem("memory").pipe_file(FILE, content)


@pytest.mark.parametrize("compression", ["", "GZIP"])
def test_each_record_is_read(compression: str) -> None:
    records = [b"first", b"", bytes(100_000)]
    content = framed(*records)
    put(gzip.compress(content) if compression else content)
    assert list(records_of(FILE, compression)) == records


@pytest.mark.parametrize("missing", [1, 4, 6, 12, 16])
def test_a_file_that_ends_within_a_record_is_an_error_with_its_name(missing: int) -> None:
    put(framed(b"first", b"last")[:-missing])
    records = records_of(FILE, "")
    assert next(records) == b"first"
    with pytest.raises(OSError, match="it ends within a record") as caught:
        next(records)
    assert caught.value.filename == FILE


def test_a_gzip_file_that_is_cut_off_is_an_error_with_its_name() -> None:
    put(gzip.compress(framed(b"first", b"last"))[:-12])
    with pytest.raises(OSError, match="the store failed") as caught:
        list(records_of(FILE, "GZIP"))
    assert caught.value.filename == FILE


def test_zlib_is_refused_in_a_store_only() -> None:
    refuse_compression("/records/a.tfrecord", "ZLIB")
    refuse_compression(FILE, "GZIP")
    with pytest.raises(RequestError, match="plain or GZIP; it is ZLIB"):
        refuse_compression(FILE, "ZLIB")


def test_tensorflow_reads_what_it_has_a_file_system_for() -> None:
    read = {
        "s3://b/a": True,
        "https://b/a": True,
        "gs://b/a": False,
        "file:///b/a": False,
        "/b/a": False,
    }
    assert {file: by_fsspec(file) for file in read} == read
