"""The images of real record files as files, by the process that extracts them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from feedbench.bench.prepared.preparation import listing
from feedbench.bench.prepared.store import Store
from feedbench.bench.processes.workload_file import read_workload, workload_of, write_workload
from feedbench.bench.records.messages import Failed
from feedbench.pipelines.images.index import Index, counts, part
from tests.support.images.odd import jpeg, png
from tests.support.images.record_files import example, extract, write, write_shards

pytestmark = pytest.mark.tensorflow

PHOTO = jpeg(20, 30)
OTHER = png(30, 20)


def extracted(store: Path, pattern: object) -> Index:
    found = extract(store, pattern)
    assert isinstance(found, Index), found
    return found


def test_images_are_extracted_byte_by_byte_from_plain_gzip_and_zlib_files(
    photos: Path, tmp_path: Path
) -> None:
    pattern = write_shards(photos, tmp_path / "records")
    index = extracted(tmp_path / "store", pattern)
    records = index.records
    assert records is not None
    assert records.compressions == ("", "GZIP", "ZLIB")
    assert sum(records.counts) == len(index.files) == len(records.places)
    assert (records.image_key, records.label_key) == ("image_raw", "label")
    given = sorted(file.read_bytes() for file in photos.rglob("*.*") if file.suffix != ".txt")
    assert sorted(Path(path).read_bytes() for path in index.paths) == given
    for file, (number, place) in zip(index.files, records.places, strict=True):
        assert f"train-{number}.tfrecord-{place:07d}" in file  # an id names file and record
    assert [*index.files] == sorted(index.files)
    assert "3 record files (1 GZIP, 1 ZLIB)" in index.notes[0]


@pytest.mark.thorough
def test_images_are_extracted_from_record_files_in_a_store(photos: Path, tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    write_shards(photos, tmp_path / "records")
    stored = extracted(tmp_path / "store", f"file://{tmp_path}/records/train-[01].tfrecord")
    local = extracted(tmp_path / "local", tmp_path / "records" / "train-[01].tfrecord")
    assert stored.files == local.files
    assert stored.records is not None
    assert stored.records.files[0] == f"file://{tmp_path}/records/train-0.tfrecord"
    assert [Path(a).read_bytes() for a in stored.paths] == [
        Path(b).read_bytes() for b in local.paths
    ]
    zlib = extract(tmp_path / "store", f"file://{tmp_path}/records/train-*.tfrecord")
    assert isinstance(zlib, Failed)
    assert zlib.sentence.endswith(
        "expected record files in a store to be plain or GZIP; it is ZLIB"
    )
    file = tmp_path / "records" / "train-0.tfrecord"
    file.write_bytes(file.read_bytes()[:-3])
    cut_off = extract(tmp_path / "store", f"file://{file}")
    assert isinstance(cut_off, Failed)
    assert cut_off.sentence.endswith("cannot be read after 12 records: it ends within a record")


def test_a_second_extraction_finds_the_images_and_prepared_lists_and_clears_them(
    tmp_path: Path,
) -> None:
    file = write(tmp_path / "a.tfrecord", [example(image=PHOTO, label="cat")])
    first = extracted(tmp_path / "store", file)
    written = Path(first.paths[0]).stat().st_mtime_ns
    assert extracted(tmp_path / "store", file) == first
    assert Path(first.paths[0]).stat().st_mtime_ns == written
    store = Store(tmp_path / "store")
    lines = listing(store)
    assert lines[0].startswith("records: ")
    assert f"from 1 image in {file}" in lines[0]
    store.clear()
    assert not Path(first.paths[0]).exists()


def test_the_labels_of_tf_slim_have_the_names_of_their_texts(tmp_path: Path) -> None:
    records = [
        example(
            image__encoded=PHOTO,
            image__class__label=label,
            image__class__text=text,
            image__height=20,
        )
        for label, text in ((2, "ant"), (1, "zebra"), (2, "ant"))
    ]
    index = extracted(tmp_path / "store", write(tmp_path / "a.tfrecord", records))
    assert index.class_names == ("zebra", "ant")
    assert counts(index) == {"zebra": 1, "ant": 2}
    assert index.records is not None
    assert index.records.label_values == (1, 2)


def test_texts_are_classes_and_only_those_that_are_asked_for_are_extracted(tmp_path: Path) -> None:
    records = [example(x=PHOTO, y=text) for text in ("b/c", "a", "z", "a")]
    file = write(tmp_path / "a.tfrecord", records)
    index = extract(tmp_path / "store", file, classes=("b/c", "a"))
    assert isinstance(index, Index)
    assert index.class_names == ("b/c", "a")
    assert index.records is not None
    assert index.records.places == ((0, 0), (0, 1), (0, 3))
    assert all(Path(path).read_bytes() == PHOTO for path in index.paths)


def test_a_part_of_the_images_is_that_part_of_the_records_in_the_workload_too(
    tmp_path: Path,
) -> None:
    records = [example(x=image, y=text) for text in "ab" for image in (PHOTO, OTHER, PHOTO)]
    index = part(extracted(tmp_path / "store", write(tmp_path / "a", records)), [1, 4])
    workload = workload_of(index, folder_images=6, image_size=(8, 8), batch_size=2, seed=0)
    assert workload.records is not None
    assert workload.records.places == ((0, 1), (0, 4))
    write_workload(workload, tmp_path / "workload.json")
    assert read_workload(tmp_path / "workload.json") == workload


def test_an_image_that_is_none_is_extracted_and_left_to_the_check_of_images(tmp_path: Path) -> None:
    records = [example(x=PHOTO, y=0), example(x=b"no image", y=0)]
    index = extracted(tmp_path / "store", write(tmp_path / "a", records))
    assert [Path(file).suffix for file in index.files] == [".jpg", ".bin"]


def cut_short(file: Path) -> None:
    write(file, [example(x=PHOTO, y=0)] * 3)
    file.write_bytes(file.read_bytes()[:-20])


@pytest.mark.parametrize(
    ("broken", "sentence", "hint"),
    [
        (cut_short, "is damaged: expected a whole record after 2 records", "leave it out"),
        (
            lambda file: file.write_text("file,label\n" * 99),
            "is damaged, or not a TFRecord file",
            "leave it out of --records",
        ),
        (lambda file: file.write_bytes(b""), "expected records; found none", ""),
        (lambda file: write(file, [b"text" * 9]), "expected a tf.train.Example; found 36", "write"),
        (
            lambda file: write(file, [example(x=PHOTO, y=0), example(x=PHOTO, y=[0, 1])]),
            "record 1 of",
            "one label each",
        ),
        (
            lambda file: write(file, [example(x=PHOTO, y=0.5)]),
            "no label of one value",
            "--label-key",
        ),
        (
            lambda file: write(file, [example(x=[0.5] * 9, y=0)]),
            "expected a feature with an encoded image",
            "tf.io.encode_png",
        ),
        (
            lambda file: write(file, [example(x=PHOTO, y=0), example(x=PHOTO, y="a")]),
            "found both, such as 0 and 'a'",
            "one type",
        ),
    ],
)
def test_bad_records_are_one_sentence_with_a_hint_and_leave_nothing(
    tmp_path: Path, broken: Callable[[Path], object], sentence: str, hint: str
) -> None:
    broken(tmp_path / "a.tfrecord")
    failed = extract(tmp_path / "store", tmp_path / "a.tfrecord")
    assert isinstance(failed, Failed)
    assert sentence in failed.sentence
    assert hint in failed.hint
    assert not [entry for entry in (tmp_path / "store").iterdir() if entry.is_dir()]
