"""Photos in a real S3 server: listed, checked and read; slow, cut off, refused, or changed."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from feedbench.bench.images.check import Checker, Checks, bad_of, refuse
from feedbench.bench.images.duplicates import find_duplicates
from feedbench.bench.processes.progress import Quiet
from feedbench.bench.processes.workload_file import workload_of
from feedbench.bench.run.sources import Sources
from feedbench.bench.tfrecords.task import Extraction
from feedbench.bench.why.store.probe import probe, throughput
from feedbench.bench.why.store.readers import Concurrency
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.index import index_folder, stamps_of
from feedbench.pipelines.images.layouts import Layout, index_images
from feedbench.pipelines.remote import file_systems, reading, tree
from feedbench.pipelines.remote.address import Address
from tests.remote.conftest import BUCKET, enforce_rights
from tests.support.programs.flaky_proxy import FlakyProxy


def workload_in(bucket: str) -> Workload:
    index = index_folder(Address(bucket))
    return workload_of(index, folder_images=39, image_size=(32, 32), batch_size=8, seed=0)


def test_a_bucket_is_listed_as_the_folder_without_reading_a_photo(
    bucket: str, photos: Path, proxy: FlakyProxy
) -> None:
    index, local = index_folder(Address(bucket)), index_folder(photos)
    assert (index.class_names, index.files, index.labels) == (
        local.class_names,
        local.files,
        local.labels,
    )
    assert (index.ignored, index.notes) == (local.ignored, local.notes)
    assert all("list-type=2" in request for request in proxy.requests)
    assert len(proxy.requests) <= 2 + len(local.class_names)
    stamps_of(index)
    assert len(proxy.requests) <= 2 + len(local.class_names)


def test_headers_are_checked_by_ranges(
    bucket: str, store: Any, proxy: FlakyProxy, tmp_path: Path
) -> None:
    noise = np.random.default_rng(0).bytes(1 << 20)
    large = reading.read(f"{bucket}/cats/00.jpg") + noise  # what follows a picture is not read
    store.pipe_file(f"{BUCKET}/in/cats/large.jpg", large)
    store.pipe_file(f"{BUCKET}/in/cats/not.jpg", b"no picture")
    index = index_images(Address(bucket), Layout())
    checker = Checker(Checks(how="header", cache=tmp_path / "c"), 3, None, tmp_path, Quiet())
    findings = dict(zip(index.files, checker.findings(index), strict=True))
    assert findings["cats/large.jpg"].width == 60
    assert findings["cats/not.jpg"].reason == "not an image that Pillow knows"
    assert findings["owls/00.jpg"].reason is None


def test_what_a_photo_is_comes_from_few_of_its_bytes(bucket: str, store: Any) -> None:
    large = reading.read(f"{bucket}/cats/00.jpg") + bytes(1 << 20)
    store.pipe_file(f"{BUCKET}/in/cats/large.jpg", large)
    with reading.opened(f"{bucket}/cats/large.jpg") as stream:
        stream.read(100)
        assert stream.cache.total_requested_bytes <= 1 << 17  # type: ignore[attr-defined]
    assert reading.first_bytes(f"{bucket}/cats/large.jpg", 2) == b"\xff\xd8"


def test_threads_deliver_from_a_bucket_what_they_deliver_from_a_folder(
    bucket: str, photos: Path
) -> None:
    pytest.importorskip("simplejpeg")
    from feedbench.pipelines.built_in.threaded.threads import Threads

    index = index_folder(photos)
    local = workload_of(index, folder_images=39, image_size=(32, 32), batch_size=8, seed=0)
    feeds = [list(Threads().open(work, Path(), Path())) for work in (workload_in(bucket), local)]
    for (images, labels), (wanted, wanted_labels) in zip(*feeds, strict=True):
        np.testing.assert_array_equal(images, wanted)
        np.testing.assert_array_equal(labels, wanted_labels)


def test_requests_are_repeated_after_503_and_after_a_cut(bucket: str, proxy: FlakyProxy) -> None:
    content = reading.read(f"{bucket}/cats/00.jpg")
    proxy.requests.clear()
    proxy.refusals = 2
    assert reading.read(f"{bucket}/cats/00.jpg") == content
    assert len(proxy.requests) == 3
    proxy.cuts = 1
    assert reading.read(f"{bucket}/cats/00.jpg") == content
    assert len(proxy.requests) >= 4
    assert proxy.cuts == 0


def test_a_store_that_refuses_for_ever_is_an_error_without_a_secret(
    bucket: str, proxy: FlakyProxy
) -> None:
    proxy.refusals = 1000
    with pytest.raises(OSError, match="the store failed") as caught:
        reading.read(f"{bucket}/cats/00.jpg")
    assert caught.value.filename == f"{bucket}/cats/00.jpg"
    assert "the-secret-of-the-tests" not in str(caught.value)


def test_a_bucket_without_rights_is_refused_in_one_sentence(bucket: str, server: int) -> None:
    enforce_rights(server, "0")
    try:
        with pytest.raises(RequestError) as caught:
            index_images(Address(bucket), Layout())
    finally:
        enforce_rights(server, "inf")
    assert caught.value.sentence.startswith(f"{bucket}: the store denies access (")
    assert caught.value.sentence.endswith("expected credentials that may list and read it")
    assert caught.value.hint == f"check what this shows: aws s3 ls {bucket}/"
    assert "the-secret-of-the-tests" not in str(caught.value)


def test_photos_that_may_be_listed_and_not_read_are_refused_in_one_sentence(
    bucket: str, proxy: FlakyProxy, tmp_path: Path
) -> None:
    index = index_images(Address(bucket), Layout())
    checks = Checks(how="header")
    for denied, count, hint in (
        (".jpg", 39, ""),
        ("/dogs/", 13, ", or leave them out with --bad-images skip"),
    ):
        proxy.denied = denied
        checker = Checker(checks, 3, None, tmp_path, Quiet())
        bad = bad_of(index, checker.findings(index))
        with pytest.raises(RequestError) as caught:
            refuse(index, bad, checks)
        first = f"{bucket}/{bad[0].file}"
        assert caught.value.sentence == (
            f"{bucket}: the store lists {count} of 39 photos that cannot be read, such as {first}"
            " (the store denies access (Forbidden)); expected a store that sends what it lists"
        )
        assert caught.value.hint == f"check what this shows: aws s3 cp {first} .{hint}"


def test_record_files_that_may_be_listed_and_not_read_are_refused_in_one_sentence(
    bucket: str, store: Any, proxy: FlakyProxy
) -> None:
    for name in ("train-0", "train-1", "other"):
        store.pipe_file(f"{BUCKET}/in/{name}.tfrecord", b"a record")
    asked = Extraction.of(f"{bucket}/train-*")
    proxy.denied = "train-1"
    with pytest.raises(RequestError) as caught:
        asked.key()
    assert caught.value.sentence == (
        f"--records {bucket}/train-*: the store lists 1 of 2 record files that cannot be read, such"
        f" as {bucket}/train-1.tfrecord (the store denies access (Forbidden)); expected a store"
        " that sends what it lists"
    )
    assert caught.value.hint == f"check what this shows: aws s3 cp {bucket}/train-1.tfrecord ."


@pytest.mark.parametrize("name", [f"{BUCKET}/empty", "no-such-bucket/photos"])
def test_an_empty_prefix_and_a_missing_bucket_are_refused(bucket: str, name: str) -> None:
    with pytest.raises(RequestError) as caught:
        index_images(Address(f"s3://{name}"), Layout())
    assert caught.value.sentence == (
        f"there is nothing at s3://{name}: expected one sub-folder of photos per class"
    )


def test_a_pattern_of_no_record_files_is_refused(bucket: str) -> None:
    for pattern, sentence in (
        (f"{bucket}/none-*", "--records {}: expected TFRecord files; found no file of that name"),
        ("s3://no-such-bucket/train-*", "there is nothing at {}: expected TFRecord files"),
    ):
        with pytest.raises(RequestError) as caught:
            Extraction.of(pattern).key()
        assert caught.value.sentence == sentence.format(pattern)


def test_a_store_that_does_not_answer_is_given_up_soon(
    bucket: str, proxy: FlakyProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tree, "ANSWER_SECONDS", 1.0)
    proxy.is_silent = True
    begun = time.monotonic()
    with pytest.raises(RequestError) as caught:
        index_images(Address(bucket), Layout())
    assert time.monotonic() - begun < 5
    assert caught.value.sentence == (
        f"{bucket} did not answer within 1 s; expected one sub-folder of photos per class"
    )


def test_a_photo_that_changes_with_the_same_size_is_found(bucket: str, store: Any) -> None:
    index = index_folder(Address(bucket))
    states = [stamp for stamp in stamps_of(index) if stamp is not None]
    sources = Sources(workload_in(bucket), states)
    assert sources.compare(1) is None
    size = states[3].size
    store.pipe_file(f"{BUCKET}/in/{index.files[3]}", bytes(size))
    store.rm_file(f"{BUCKET}/in/{index.files[4]}")
    change = sources.compare(2)
    assert change is not None
    assert (change.first, change.files, change.gone) == (index.files[3], 2, 1)


def test_duplicates_are_found_by_their_checksums(
    bucket: str, store: Any, proxy: FlakyProxy
) -> None:
    store.pipe_file(f"{BUCKET}/in/cats/copy.jpg", reading.read(f"{bucket}/owls/00.jpg"))
    index = index_folder(Address(bucket))
    proxy.requests.clear()
    found = find_duplicates(Address(bucket), index, Layout())
    assert found.all == [["cats/copy.jpg", "owls/00.jpg"]]
    assert all("list-type=2" in request for request in proxy.requests)


def test_many_are_read_at_once(bucket: str, proxy: FlakyProxy) -> None:
    paths = index_folder(Address(bucket)).paths
    reading.read(paths[0])
    proxy.latency_seconds, proxy.most_at_once = 0.2, 0
    assert len(list(reading.read_ahead(paths))) == 39
    assert proxy.most_at_once >= 8


@pytest.mark.thorough
def test_the_probe_measures_the_latency_that_is_there(bucket: str, proxy: FlakyProxy) -> None:
    paths = index_folder(Address(bucket)).paths
    proxy.latency_seconds = 0.05
    probed = probe(paths)
    assert probed.latency_ms >= 50
    assert probed.slow_ms >= probed.latency_ms
    assert 16 <= probed.at_once <= file_systems.CONNECTIONS
    assert probed.files <= 1.5 * probed.processes * probed.at_once / proxy.latency_seconds


@pytest.mark.thorough
def test_threads_read_no_more_than_the_ceiling(bucket: str, proxy: FlakyProxy) -> None:
    """By the same number of requests at once, so that other programs slow both down."""
    paths = index_folder(Address(bucket)).paths
    proxy.latency_seconds = 0.02
    rates: list[float] = []
    concurrency = Concurrency(1, reading.AT_ONCE)
    for _ in range(3):
        begun = time.monotonic()
        count = len(list(reading.read_ahead(10 * paths)))
        by_threads = count / (time.monotonic() - begun)
        rates.append(by_threads / throughput(paths, concurrency).rate)
    assert np.median(rates) <= 1.1
