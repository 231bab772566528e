"""Where a cache is: what it keeps, what later epochs still do, and the code to paste."""

from __future__ import annotations

import math
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from feedbench.bench.processes.workload_file import workload_of
from feedbench.pipelines import catalog
from feedbench.pipelines.contract import KnobOverruledWarning, Preparing, Workload
from feedbench.pipelines.images.index import index_folder
from tests.support.pipelines.scripts import code_of, feeding

pytestmark = [pytest.mark.tensorflow, pytest.mark.thorough]

PLACES = ("encoded", "decoded", "delivered", "batched")
NAMES = ("tfdata_tuned", "tfrecord_sharded")
BATCH_SIZES = [8, 8, 8, 8, 7]  # of the 39 photos

Batches = list[tuple[Any, Any]]


def over(folder: Path, **form: Any) -> Workload:
    """A folder's images to 32x40 in batches of 8."""
    index = index_folder(folder)
    workload = workload_of(
        index, folder_images=len(index.files), image_size=(32, 40), batch_size=8, seed=3
    )
    return replace(workload, **form)


def spec_of(name: str, place: str, cache: str = "memory", shuffle: str = "full") -> str:
    if place == "batched" and shuffle == "full":
        shuffle = "batches"
    return f"{name}:cache={cache},cache_at={place},shuffle={shuffle}"


def opened(spec: str, workload: Workload, folder: Path) -> Any:
    prepared, scratch = folder / "prepared", folder / "scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    for each in (prepared, scratch):
        each.mkdir(exist_ok=True)
    pipeline = catalog.load(catalog.parse(spec))
    if isinstance(pipeline, Preparing) and not any(prepared.iterdir()):
        pipeline.prepare(workload, prepared)
    return pipeline.open(workload, prepared, scratch)


def epochs_of(feed: Any, count: int = 2) -> list[Batches]:
    return [[(np.asarray(x), np.asarray(y)) for x, y in feed] for _ in range(count)]


def images_of(batches: Batches) -> list[tuple[bytes, bytes]]:
    """The images of an epoch with their labels, in its order."""
    return [
        (image.tobytes(), label.tobytes())
        for images, labels in batches
        for image, label in zip(images, labels, strict=True)
    ]


@pytest.fixture
def work(photos: Path) -> Workload:
    return over(photos)


@pytest.mark.parametrize("cache", ["memory", "file"])
@pytest.mark.parametrize("name", NAMES)
def test_wherever_the_cache_is_the_images_are_the_same(
    name: str, cache: str, work: Workload, tmp_path: Path
) -> None:
    (plain,) = epochs_of(opened(f"{name}:cache=none", work, tmp_path), 1)
    for place in PLACES:
        feed = opened(spec_of(name, place, cache), work, tmp_path)
        for epoch in epochs_of(feed):
            sizes = [len(labels) for _, labels in epoch]
            # Whole batches are shuffled with the short one.
            assert (sorted(sizes, reverse=True) if place == "batched" else sizes) == BATCH_SIZES
            assert sorted(images_of(epoch)) == sorted(images_of(plain))


@pytest.mark.parametrize(
    ("place", "kept_bytes"),
    [
        ("encoded", lambda files: sum(Path(file).stat().st_size for file in files)),
        ("decoded", lambda files: sum(3 * math.prod(size) for size in map(size_of, files))),
        ("delivered", lambda files: len(files) * 32 * 40 * 3 * 4),
        ("batched", lambda files: len(files) * 32 * 40 * 3 * 4),
    ],
)
@pytest.mark.parametrize("name", NAMES)
def test_a_cache_file_holds_what_is_said_to_be_kept(
    name: str, place: str, kept_bytes: Any, work: Workload, tmp_path: Path
) -> None:
    epochs_of(opened(spec_of(name, place, "file"), work, tmp_path), 1)
    files = (tmp_path / "scratch").glob("cache*data*")
    assert sum(file.stat().st_size for file in files) == pytest.approx(
        kept_bytes(work.files), rel=0.05
    )


def size_of(file: str) -> tuple[int, int]:
    with Image.open(file) as image:
        return image.size


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """Counts the images that are decoded and resized while a dataset runs."""
    import tensorflow as tf

    from feedbench.pipelines.built_in import steps, tensor_form

    counter = Counter[str]()

    def counting(module: Any, step: str) -> Any:
        real = getattr(module, step)

        def count(image: Any) -> Any:
            counter[step] += 1
            return image

        def counted(*given: Any) -> Any:
            image = real(*given)
            seen = tf.numpy_function(count, [image], image.dtype, stateful=True)
            seen.set_shape(image.shape)
            return seen

        return counted

    for module, step in ((steps, "decoded"), (tensor_form, "fitted")):
        monkeypatch.setattr(module, step, counting(module, step))
    return iter([counter])


@pytest.mark.parametrize(
    ("place", "decoded", "resized"),
    [("encoded", 39, 39), ("decoded", 0, 39), ("delivered", 0, 0), ("batched", 0, 0)],
)
@pytest.mark.parametrize("name", NAMES)
def test_later_epochs_do_only_the_steps_behind_the_cache(
    name: str,
    place: str,
    decoded: int,
    resized: int,
    work: Workload,
    calls: Iterator[Counter[str]],
    tmp_path: Path,
) -> None:
    (counter,) = calls
    feed = opened(spec_of(name, place), work, tmp_path)
    epochs_of(feed, 1)
    assert counter == {"decoded": 39, "fitted": 39}
    counter.clear()
    epochs_of(feed, 1)
    assert (counter["decoded"], counter["fitted"]) == (decoded, resized)


@pytest.mark.parametrize("place", PLACES)
def test_a_cache_at_any_place_reads_no_file_again(place: str, photos: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(photos, tmp_path / "copy")
    feed = opened(spec_of("tfdata_tuned", place), over(copy), tmp_path)
    (first,) = epochs_of(feed, 1)
    shutil.rmtree(copy)
    (second,) = epochs_of(feed, 1)
    assert sorted(images_of(second)) == sorted(images_of(first))


@pytest.mark.parametrize("place", PLACES[:3])
def test_images_are_shuffled_behind_the_cache_by_as_many_as_asked_for(
    place: str, work: Workload, tmp_path: Path
) -> None:
    (listed,) = epochs_of(opened(spec_of("tfdata_tuned", place, shuffle="none"), work, tmp_path), 1)
    in_order = images_of(listed)
    feed = opened(spec_of("tfdata_tuned", place, shuffle="5"), work, tmp_path)
    orders = [[in_order.index(image) for image in images_of(epoch)] for epoch in epochs_of(feed)]
    assert orders[0] != orders[1]
    for order in orders:
        assert 0 < max(position - turn for turn, position in enumerate(order)) < 5
    full = opened(spec_of("tfdata_tuned", place), work, tmp_path)
    moved = [in_order.index(image) for image in images_of(epochs_of(full)[1])]
    assert max(position - turn for turn, position in enumerate(moved)) > 20


@pytest.mark.parametrize("name", NAMES)
def test_a_cache_of_batches_repeats_its_batches_in_another_order(
    name: str, work: Workload, tmp_path: Path
) -> None:
    first, second = epochs_of(opened(spec_of(name, "batched"), work, tmp_path))
    batches, again = ([x.tobytes() for x, _ in epoch] for epoch in (first, second))
    assert batches != again
    assert sorted(batches) == sorted(again)
    assert all(len(set(labels.tolist())) > 1 for _, labels in first)  # not one class a batch


def test_a_shuffle_of_images_behind_a_cache_of_batches_is_overruled_by_one_of_batches(
    work: Workload, tmp_path: Path
) -> None:
    spec = "tfdata_tuned:cache_at=batched,shuffle=7"
    with pytest.warns(
        KnobOverruledWarning, match="shuffle=batches instead of shuffle=7: a"
    ) as all_:
        found = epochs_of(opened(spec, work, tmp_path))
    (warning,) = [each.message for each in all_]
    assert isinstance(warning, KnobOverruledWarning)
    assert (warning.knob, warning.used) == ("shuffle", "batches")
    expected = epochs_of(opened(spec_of("tfdata_tuned", "batched"), work, tmp_path))
    assert [*map(images_of, found)] == [*map(images_of, expected)]


def test_a_cache_of_batches_that_is_not_shuffled_is_in_the_order_of_the_files(
    work: Workload, tmp_path: Path
) -> None:
    feed = opened(spec_of("tfdata_tuned", "batched", shuffle="none"), work, tmp_path)
    for epoch in epochs_of(feed):
        assert [label for _, labels in epoch for label in labels] == [*work.labels]


def test_full_size_images_that_do_not_fit_in_memory_are_reported_as_such(
    work: Workload, tmp_path: Path
) -> None:
    huge = replace(work, folder_images=10**12)
    spec = spec_of("tfdata_tuned", "decoded")
    with pytest.warns(KnobOverruledWarning, match="000 decoded images of full size take"):
        feed = opened(spec, huge, tmp_path)
    assert len(images_of(epochs_of(feed, 1)[0])) == 39


@pytest.mark.parametrize("spec", ["tfdata_naive", "tfdata_tuned:cache=none", "tfrecord_sharded"])
def test_a_place_for_a_cache_that_is_not_there_is_reported(
    spec: str, work: Workload, tmp_path: Path
) -> None:
    asked = f"{spec}{',' if ':' in spec else ':'}cache_at=encoded"
    words = "cache_at=delivered instead of cache_at=encoded: cache=none keeps nothing"
    with pytest.warns(KnobOverruledWarning, match=words):
        feed = opened(asked, work, tmp_path)
    assert len(images_of(epochs_of(feed, 1)[0])) == 39


BYTES = {"dtype": "uint8", "value_range": (0.0, 255.0)}
CODE: list[tuple[str, dict[str, Any]]] = [
    *((spec_of(name, place), {}) for name in NAMES for place in PLACES),
    (spec_of("tfdata_naive", "encoded", "file"), {"channels": 1}),
    (spec_of("tfdata_tuned", "decoded", "file"), BYTES | {"label_mode": "categorical"}),
    (spec_of("tfdata_tuned", "batched", "file"), {"label_mode": "categorical"}),
    (spec_of("tfrecord_gzip", "decoded", shuffle="7"), {"channels": 1} | BYTES),
    (spec_of("tfdata_tuned", "batched", shuffle="none"), BYTES),
]


@pytest.mark.parametrize(("spec", "form"), CODE, ids=str)
def test_the_code_to_paste_delivers_the_same_batches(
    spec: str,
    form: dict[str, Any],
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    work = over(photos, **form)
    expected = epochs_of(opened(spec, work, tmp_path))
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    names: dict[str, Any] = {}
    exec(compile(feeding(code_of(spec, work)), "train.py", "exec"), names)
    found = epochs_of(names["dataset"])
    for batches, others in zip(found, expected, strict=True):
        for batch, other in zip(batches, others, strict=True):
            for part, other_part in zip(batch, other, strict=True):
                assert part.dtype == other_part.dtype
                assert np.array_equal(part, other_part)
