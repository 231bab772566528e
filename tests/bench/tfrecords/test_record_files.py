"""Which record files a pattern names, and how they are compressed. No TensorFlow."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path

import pytest

from feedbench.bench.tfrecords.record_files import compression_of, files_of, short_names
from feedbench.bench.tfrecords.task import Extraction
from feedbench.pipelines.errors import RequestError

RECORD = struct.pack("<Q", 5) + b"crc!" + b"12345" + b"crc!"


@pytest.mark.parametrize(
    ("content", "compression"),
    [
        (RECORD, ""),
        (gzip.compress(RECORD), "GZIP"),
        (zlib.compress(RECORD), "ZLIB"),
        (zlib.compress(RECORD, 1), "ZLIB"),
        (struct.pack("<Q", 0x00088B1F) + bytes(2000), ""),  # a length that begins like GZIP
        (struct.pack("<Q", 0x00009C78) + bytes(2000), ""),  # and like ZLIB
        (b"", ""),
        (b"text", ""),
    ],
    ids=["plain", "gzip", "zlib", "zlib level 1", "like gzip", "like zlib", "empty", "text"],
)
def test_the_compression_of_a_file_is_in_its_first_bytes(
    tmp_path: Path, content: bytes, compression: str
) -> None:
    file = tmp_path / "a.tfrecord"
    file.write_bytes(content)
    assert compression_of(str(file)) == compression


def test_a_pattern_names_its_files_in_order_and_no_folders(tmp_path: Path) -> None:
    for name in ("b.tfrecord", "a.tfrecord", "c.txt"):
        (tmp_path / name).write_bytes(RECORD)
    (tmp_path / "d.tfrecord").mkdir()
    assert files_of(f"{tmp_path}/*.tfrecord") == (
        f"{tmp_path}/a.tfrecord",
        f"{tmp_path}/b.tfrecord",
    )


def test_a_file_whose_name_has_brackets_is_named_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "a[1].tfrecord").write_bytes(RECORD)
    assert files_of(f"{tmp_path}/a[1].tfrecord") == (f"{tmp_path}/a[1].tfrecord",)


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("nothing-*.tfrecord", "found no file of that name"),
        (".", "expected record files; found a folder"),
        ("hdfs://bucket/train-*", "hdfs:// is not a scheme that Feedbench reads"),
    ],
)
def test_a_pattern_without_files_is_refused_with_what_to_do(pattern: str, words: str) -> None:
    with pytest.raises(RequestError, match=words) as refused:
        files_of(pattern)
    assert refused.value.hint


def test_a_pattern_in_a_store_names_addresses(tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    for name in ("b.tfrecord", "a.tfrecord", "c.txt"):
        (tmp_path / name).write_bytes(RECORD)
    (tmp_path / "d.tfrecord").mkdir()
    assert files_of(f"file://{tmp_path}/*.tfrecord") == (
        f"file://{tmp_path}/a.tfrecord",
        f"file://{tmp_path}/b.tfrecord",
    )
    with pytest.raises(RequestError, match="expected TFRecord files; found a folder"):
        files_of(f"file://{tmp_path}/d.tfrecord")
    with pytest.raises(RequestError, match="found no file of that name"):
        files_of(f"file://{tmp_path}/nothing-*")


def test_images_extracted_from_a_store_are_found_by_the_versions_of_the_files(
    tmp_path: Path,
) -> None:
    pytest.importorskip("fsspec")
    file = tmp_path / "a.tfrecord"
    file.write_bytes(RECORD)
    task = Extraction.of(f"file://{file}")
    assert (task.source_bytes, task.compressions) == (len(RECORD), ("",))
    key = task.key()
    assert Extraction.of(f"file://{file}").key() == key
    file.write_bytes(RECORD + RECORD)
    assert Extraction.of(f"file://{file}").key() != key


def test_record_files_of_one_name_in_two_folders_give_images_different_names() -> None:
    names = short_names(["/a/data.tfrecord", "/b/data.tfrecord"])
    assert names == ["0-data.tfrecord", "1-data.tfrecord"]
    assert short_names(["/a/1 x.tfrecord", "/a/2.tfrecord"]) == ["1_x.tfrecord", "2.tfrecord"]


def test_extracted_images_are_found_by_files_times_and_request(tmp_path: Path) -> None:
    file = tmp_path / "a.tfrecord"
    file.write_bytes(RECORD)
    key = Extraction.of(str(file)).key()
    assert Extraction.of(str(file)).key() == key
    assert Extraction.of(str(file), "image").key() != key
    assert Extraction.of(str(file), None, "image").key() != key
    assert Extraction.of(str(file), classes=("cat",)).key() != key
    file.write_bytes(RECORD + RECORD)
    assert Extraction.of(str(file)).key() != key
