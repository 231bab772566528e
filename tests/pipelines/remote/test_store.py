"""Photos in a store, by fsspec's own memory: indexed, checked and read as those of a folder."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import pytest

from feedbench.bench.images.check import Checker, Checks
from feedbench.bench.images.duplicates import find_duplicates
from feedbench.bench.images.inspection import inspect
from feedbench.bench.processes.progress import Quiet
from feedbench.bench.processes.workload_file import workload_of
from feedbench.bench.run.sources import Sources, statuses_of
from feedbench.pipelines import catalog
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.image_check import header
from feedbench.pipelines.images.index import Index, index_folder, stamps_of
from feedbench.pipelines.images.layouts import Layout, index_images
from feedbench.pipelines.remote import reading
from feedbench.pipelines.remote.address import Address
from tests.pipelines.images.test_index import fill

fsspec = pytest.importorskip("fsspec")

STORE = Address("memory://photos")


@pytest.fixture
def memory(photos: Path) -> Iterator[None]:
    """The tests' photos at STORE."""
    put(photos, STORE)
    yield
    fsspec.filesystem("memory").store.clear()


def put(folder: Path, store: Address) -> None:
    fs = fsspec.filesystem("memory")
    for file in folder.rglob("*"):
        if file.is_file():
            fs.pipe_file(f"{store}/{file.relative_to(folder)}", file.read_bytes())


def alike(index: Index) -> tuple[object, ...]:
    return index.class_names, index.files, index.labels, index.ignored, index.notes


def test_a_store_is_indexed_as_a_folder_is(memory: None, photos: Path) -> None:
    for layout in (
        Layout(),
        Layout(classes=("owls", "cats")),
        Layout(classes_from="leaf"),
        Layout(labels=r"^(\w+)/"),
    ):
        assert alike(index_images(STORE, layout)) == alike(index_images(photos, layout))
    index = index_images(STORE, Layout())
    assert index.paths[0] == "memory:///photos/cats/00.jpg"


def test_folders_deeper_down_belong_to_their_class_and_are_in_keras_order(tmp_path: Path) -> None:
    fill(tmp_path, "a/x-1.jpg", "a/x/1.jpg", "a/.hidden/2.jpg", "b/1.jpg", "b/2.raw", ".c/1.jpg")
    put(tmp_path, STORE)
    assert alike(index_folder(STORE)) == alike(index_folder(tmp_path))
    fsspec.filesystem("memory").store.clear()


def test_parts_of_a_store_are_found(tmp_path: Path) -> None:
    fill(tmp_path, "train/a/1.jpg", "train/b/2.jpg", "val/a/3.jpg", "val/b/4.jpg")
    put(tmp_path, STORE)
    assert index_images(STORE, Layout(part="validation")).files == ("a/3.jpg", "b/4.jpg")
    fsspec.filesystem("memory").store.clear()


def test_an_empty_folder_of_a_store_is_refused() -> None:
    with pytest.raises(RequestError) as caught:
        index_images(Address("memory://nothing"), Layout())
    assert caught.value.sentence == (
        "there is nothing at memory:///nothing: expected one sub-folder of photos per class"
    )


def test_the_header_of_a_photo_in_a_store_is_that_of_the_file(memory: None, photos: Path) -> None:
    assert header(f"{STORE}/cats/00.jpg") == header(str(photos / "cats/00.jpg"))
    fs = fsspec.filesystem("memory")
    fs.pipe_file(f"{STORE}/cats/broken.jpg", b"no image")
    fs.pipe_file(f"{STORE}/cats/empty.jpg", b"")
    assert header(f"{STORE}/cats/broken.jpg").reason == "not an image that Pillow knows"
    assert header(f"{STORE}/cats/empty.jpg").reason == "an empty file"
    assert header(f"{STORE}/cats/gone.jpg").reason == "no such file, or a link to nothing"


def test_headers_are_checked_by_processes_and_kept(memory: None, tmp_path: Path) -> None:
    index = index_images(STORE, Layout())
    checks = Checks(how="header", cache=tmp_path / "cache")
    findings = Checker(checks, 3, None, tmp_path, Quiet()).findings(index)
    assert {finding.format for finding in findings} == {"JPEG"}
    assert {(finding.width, finding.height) for finding in findings} == {(60, 48)}
    fsspec.filesystem("memory").store.clear()  # so these are the findings that were kept
    assert Checker(checks, 3, None, tmp_path, Quiet()).findings(index) == findings


def test_a_store_is_inspected_without_reading_what_is_no_photo(
    memory: None, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    monkeypatch.setattr(reading, "read", read.append)
    checks = Checks(how="header")
    given = {"image_size": (8, 8), "channels": 3, "listener": Quiet()}
    found = inspect(STORE, Layout(), checks, **given)  # type: ignore[arg-type]
    local = inspect(photos, Layout(), checks, **given)  # type: ignore[arg-type]
    assert (found.bytes, found.formats, found.widths) == (local.bytes, local.formats, local.widths)
    assert found.folder == str(STORE)
    assert not read


def test_the_stamps_of_a_listing_are_those_of_the_files(memory: None, photos: Path) -> None:
    index = index_images(STORE, Layout())
    assert set(index.listed) == set(index.files)
    assert stamps_of(index) == [reading.stamp(path) for path in index.paths]
    sizes = [stamp.size for stamp in stamps_of(index) if stamp is not None]
    assert sizes == [(photos / file).stat().st_size for file in index.files]


def test_an_object_that_changes_with_the_same_size_is_found(memory: None) -> None:
    index = index_images(STORE, Layout())
    workload = workload_of(index, folder_images=39, image_size=(8, 8), batch_size=8, seed=0)
    states = [stamp for stamp in stamps_of(index) if stamp is not None]
    sources = Sources(workload, states)
    assert sources.compare(1) is None
    fs = fsspec.filesystem("memory")
    content = fs.cat_file(index.paths[3])
    fs.rm(index.paths[3])
    fs.pipe_file(index.paths[3], bytes(len(content)))
    change = sources.compare(2)
    assert change is not None
    assert (change.first, change.files, change.gone) == (index.files[3], 1, 0)


def test_a_store_that_denies_access_has_not_lost_its_objects(
    memory: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = index_images(STORE, Layout())
    workload = workload_of(index, folder_images=39, image_size=(8, 8), batch_size=8, seed=0)
    states = [stamp for stamp in stamps_of(index) if stamp is not None]

    def denied(self: object, path: str, **given: object) -> NoReturn:
        raise PermissionError("Forbidden")

    with monkeypatch.context() as patched:
        patched.setattr(fsspec.get_filesystem_class("memory"), "info", denied)
        sources = Sources(workload, states)
        assert sources.compare(1) is not None
        with pytest.raises(RequestError) as caught:
            statuses_of(workload)
    assert sources.clause == (
        "the store denies access (Forbidden): the photos cats/00.jpg and 38 others could not be"
        " checked during block 1"
    )
    assert sources.hint == "run it again when the store answers"
    assert caught.value.sentence == (
        f"{index.paths[0]} cannot be read: the store denies access (Forbidden)"
    )


def test_duplicates_are_told_by_checksums_only_where_the_store_has_them(memory: None) -> None:
    index = index_images(STORE, Layout())
    assert find_duplicates(STORE, index, Layout()).all == []
    etags = [reading.stamp_in({"size": 1, "ETag": etag}) for etag in ("a", "b", "a")]
    assert etags[0] == etags[2] != etags[1]


@pytest.mark.parametrize(
    ("spec", "scheme", "sentence"),
    [
        ("tfdata_naive", "s3", "because TensorFlow has no file system for s3://"),
        ("tfdata_tuned:cache=none", "https", "because TensorFlow has no file system for https://"),
        ("image_data_generator", "gs", "because it reads only files on this machine"),
        ("py_dataset", "s3", "because it reads only files on this machine"),
    ],
)
def test_a_pipeline_that_cannot_read_a_store_says_why(
    spec: str, scheme: str, sentence: str
) -> None:
    with pytest.raises(RequestError) as caught:
        catalog.refuse_store(catalog.parse(spec), scheme)
    assert caught.value.sentence.endswith(sentence)


@pytest.mark.parametrize(
    ("spec", "scheme"),
    [
        *[("threads", scheme) for scheme in ("s3", "gs", "http", "https", "file")],
        ("tfrecord_sharded", "s3"),
        ("tfdata_saved", "s3"),
        ("tfdata_tuned", "gs"),
        ("loader.py:photos", "s3"),
    ],
)
def test_the_others_read_it(spec: str, scheme: str) -> None:
    catalog.refuse_store(catalog.parse(spec), scheme)


def test_an_object_has_one_stamp_in_a_listing_and_by_itself() -> None:
    at = datetime(2026, 11, 29, 11, 42, 52, 956_000, tzinfo=UTC)
    listed = {"size": 5, "ETag": "eb7136", "LastModified": at}
    itself = {"size": 5, "ETag": '"eb7136"', "LastModified": at.replace(microsecond=0)}
    assert reading.stamp_in(listed) == reading.stamp_in(itself)
    assert reading.stamp_in(listed | {"ETag": '"eb7137"'}) != reading.stamp_in(itself)
