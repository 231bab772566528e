"""The code of a pipeline delivers what the pipeline does: run by real TensorFlow on real files."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from feedbench.bench.processes.folder_views import Views
from feedbench.bench.processes.workload_file import workload_of, write_workload
from feedbench.pipelines import catalog
from feedbench.pipelines.contract import Preparing, Workload
from feedbench.pipelines.forms import RANGES, Fit
from feedbench.pipelines.images.index import Index, index_folder
from feedbench.pipelines.keras_fit import FitFeed
from tests.support.builders import workload_over
from tests.support.pipelines.scripts import Batches, code_of, constants, feeding, saved_epochs

pytestmark = pytest.mark.tensorflow

GREY_BYTES = {"channels": 1, "dtype": "uint8", "value_range": (0, 255)}
BYTES = {"dtype": "uint8", "value_range": (0, 255)}
CATEGORICAL = {"label_mode": "categorical"}
BINARY_AROUND_0 = {"label_mode": "binary", "value_range": (-1, 1)}

SAVE = """

import itertools, sys
import numpy as np

for epoch in range(2):
    feed = dataset if "dataset" in globals() else itertools.islice(batches, {batches})
    parts = [part for batch in feed for part in batch]
    np.savez(f"{{epoch}}.npz", *map(np.asarray, parts))
assert not [name for name in sys.modules if name.startswith("feedbench")]
"""


def over(folder: Path, index: Index | None = None, **form: Any) -> Workload:
    """A folder's images to 24x32 in batches of 8."""
    index = index or index_folder(folder)
    workload = workload_of(
        index, folder_images=len(index.files), image_size=(24, 32), batch_size=8, seed=3
    )
    return replace(workload, **form)


def as_arrays(batches: Iterable[Any]) -> Batches:
    return [(np.asarray(images), np.asarray(labels)) for images, labels in batches]


def built_in(spec: str, workload: Workload, folder: Path) -> list[Batches]:
    """Two epochs of a built-in pipeline."""
    prepared, scratch = folder / "prepared", folder / "scratch"
    prepared.mkdir()
    scratch.mkdir()
    parsed = catalog.parse(spec)
    pipeline = catalog.load(parsed)
    if isinstance(pipeline, Preparing):
        pipeline.prepare(workload, prepared)
    if parsed.walks_folder:
        write_workload(workload, folder / "workload.json")
        workload = replace(workload, folder=Views(folder).folder(folder / "workload.json"))
    feed = pipeline.open(workload, prepared, scratch)
    return [as_arrays(feed) for _ in range(2)]


def in_a_fresh_interpreter(text: str, images: int, folder: Path) -> list[Batches]:
    """Two epochs of the code, run as a script by who has no Feedbench on the path."""
    return saved_epochs(feeding(text) + SAVE.format(batches=-(-images // 8)), folder)


def in_this_one(text: str, images: int) -> list[Batches]:
    """Two epochs of the code, without another seven seconds of importing TensorFlow."""
    names: dict[str, Any] = {}
    exec(compile(feeding(text), "train.py", "exec"), names)
    return [
        as_arrays(
            names["dataset"] if "dataset" in names else islice(names["batches"], -(-images // 8))
        )
        for _ in range(2)
    ]


def assert_same(found: list[Batches], expected: list[Batches]) -> None:
    """Fail unless all batches are the same to the last bit, in the same order."""
    assert [len(batches) for batches in found] == [len(batches) for batches in expected]
    for batches, others in zip(found, expected, strict=True):
        for batch, other in zip(batches, others, strict=True):
            for part_, other_part in zip(batch, other, strict=True):
                assert part_.dtype == other_part.dtype
                assert np.array_equal(part_, other_part)


def each_image(batches: Batches) -> list[tuple[bytes, bytes]]:
    return sorted(
        (image.tobytes(), label.tobytes())
        for images, labels in batches
        for image, label in zip(images, labels, strict=True)
    )


@pytest.mark.parametrize("spec", catalog.DEFAULT_SPECS)
def test_the_code_delivers_the_batches_of_its_pipeline(
    spec: str, photos: Path, tmp_path: Path, here: Path
) -> None:
    work = over(photos)
    expected = built_in(spec, work, tmp_path)
    assert not np.array_equal(expected[0][0][1], expected[1][0][1])  # of two shuffled epochs
    assert_same(in_this_one(code_of(spec, work), work.images), expected)


def test_the_code_of_a_py_dataset_delivers_the_same_where_fit_reads_it(
    photos: Path, tmp_path: Path, here: Path
) -> None:
    spec, work, names = "py_dataset", over(photos), dict[str, Any]()
    exec(compile(feeding(code_of(spec, work)), "train.py", "exec"), names)
    found = FitFeed(names["dataset"], work)
    expected = FitFeed(catalog.load(catalog.parse(spec)).open(work, tmp_path, tmp_path), work)
    for _ in range(2):
        random.seed(1)  # fit shuffles the batches by it
        batches = as_arrays(found)
        random.seed(1)
        assert_same([batches], [as_arrays(expected)])


@pytest.mark.thorough
def test_as_a_script_of_its_own_the_code_delivers_the_same(
    photos: Path, tmp_path: Path, here: Path
) -> None:
    spec, work = "tfrecord_sharded", over(photos)
    expected = built_in(spec, work, tmp_path)
    assert_same(in_a_fresh_interpreter(code_of(spec, work), work.images, here), expected)


@pytest.mark.thorough
@pytest.mark.parametrize("of", ["tfdata_tuned", "tfrecord_sharded"])
def test_as_a_script_the_code_of_a_service_delivers_each_image_once(
    of: str, photos: Path, tmp_path: Path, here: Path
) -> None:
    work = over(photos)
    expected = built_in(f"{of}:cache=none", work, tmp_path)
    text = code_of(f"tfdata_service:of={of}", work)
    for batches in in_a_fresh_interpreter(text, work.images, here):
        assert each_image(batches) == each_image(expected[0])


GREY = {"channels": 1}
CROP, CENTRE, PAD = ({"fit": fit} for fit in (Fit("crop"), Fit("crop", 0.875), Fit("pad")))
IMAGENET, CAFFE = (
    {"value_range": values.bounds, "normalization": values.normalization}
    for values in (RANGES["imagenet"], RANGES["caffe"])
)
FLOAT16, BFLOAT16 = {"dtype": "float16"}, {"dtype": "bfloat16"}
FIRST = {"data_format": "channels_first"}
SOURCES = ("image_data_generator", "py_dataset", "tfdata_tuned")
FOLDER = "image_dataset_from_directory"
KNOBS_AND_FORMS: list[
    tuple[str, dict[str, Any]]
] = [  # each SPEC in one form, each form of one SPEC
    ("image_data_generator", GREY_BYTES | CATEGORICAL),
    ("image_data_generator:interpolation=nearest", BINARY_AROUND_0),
    ("image_dataset_from_directory", {"value_range": (-1, 1)}),
    ("image_dataset_from_directory:cache=none,shuffle_batches=2,prefetch=none", GREY),
    ("image_dataset_from_directory:cache=file,parallel_calls=2", GREY_BYTES | CATEGORICAL),
    ("image_dataset_from_directory:interpolation=area,shuffle_batches=none", {}),
    ("image_dataset_from_directory", {"fit": Fit("pad")} | GREY_BYTES),
    ("image_dataset_from_directory", {"fit": Fit("crop")}),
    ("image_dataset_from_directory:parallel_calls=none", {"value_range": (0, 255)}),
    ("py_dataset:workers=3", GREY_BYTES | CATEGORICAL),
    ("py_dataset:interpolation=nearest,shuffle=false", BINARY_AROUND_0),
    ("py_dataset", BYTES),
    ("tfdata_naive:graph_rewrites=off,cache=memory,shuffle=7", GREY),
    ("tfdata_tuned:cache=file,dct=integer_fast", BYTES | CATEGORICAL),
    ("tfdata_tuned:shuffle=none,parallel_calls=2,prefetch=1", {}),
    ("tfrecord_gzip:shards=3", GREY_BYTES | CATEGORICAL),
    ("tfrecord_gzip:parallel_calls=none,shuffle=full", BINARY_AROUND_0),
    ("tfrecord_sharded:shards=3,shuffle=none,cache=file", BYTES | CATEGORICAL),
    ("tfrecord_sharded:shards=50,parallel_calls=2,cache=memory", GREY),
    *(("tfdata_tuned", form) for form in (GREY, GREY_BYTES | CATEGORICAL, BINARY_AROUND_0)),
    ("image_data_generator", CROP),
    ("image_data_generator", CENTRE | CATEGORICAL),
    ("py_dataset", CROP),
    ("py_dataset", CENTRE),
    ("py_dataset", PAD | GREY_BYTES),
    ("image_data_generator:interpolation=nearest", PAD | GREY_BYTES),
    ("tfdata_tuned", CROP),
    ("tfdata_tuned:cache=none", CENTRE),
    ("tfrecord_sharded", PAD),
    ("tfdata_tuned", FIRST | CAFFE | BFLOAT16 | PAD),
    ("py_dataset", FIRST | FLOAT16),
]

MORE_KNOBS_AND_FORMS: list[tuple[str, dict[str, Any]]] = [
    ("tfdata_tuned:decode=scaled,cache_at=decoded", PAD),
    ("tfrecord_sharded:decode=scaled", CENTRE),
    ("tfrecord_sharded:store=resized,stored_size=32,shards=3,quality=80", {}),
    ("tfrecord_sharded:store=resized,stored_format=webp,cache=file", CROP),
    ("tfrecord_gzip:store=resized,stored_format=png", GREY_BYTES | CATEGORICAL),
    ("tfrecord_sharded:store=resized,stored_format=bmp,shards=2", CROP),
    ("tfrecord_sharded:store=raw", {}),
    ("tfrecord_gzip:store=raw,decode=scaled", BYTES | FIRST),
    ("tfrecord_sharded:store=raw,shards=2,cache=memory", GREY | BINARY_AROUND_0 | PAD),
    ("tfrecord_sharded:store=raw", FIRST | CAFFE | BFLOAT16 | CENTRE),
    ("tfdata_saved:store=encoded,shards=3,parallel_calls=2", GREY | BINARY_AROUND_0 | PAD),
    ("tfdata_saved:store=resized,cache=memory,cache_at=encoded", CROP),
    ("tfdata_saved:cache=memory,cache_at=encoded", FIRST | CAFFE | CENTRE),
    *((spec, form) for spec in (*SOURCES, FOLDER) for form in (IMAGENET, CAFFE, FLOAT16, FIRST)),
    *((spec, FIRST | CAFFE | BFLOAT16 | PAD) for spec in (*SOURCES, FOLDER)),
    *((spec, FIRST | BFLOAT16 | GREY | BINARY_AROUND_0) for spec in SOURCES),
    (FOLDER, FIRST | BFLOAT16 | GREY),
    ("image_data_generator", FIRST | FLOAT16 | CATEGORICAL),
    ("image_data_generator", FIRST | BYTES | CATEGORICAL),
]


@pytest.mark.parametrize(
    ("spec", "form"),
    [
        *KNOBS_AND_FORMS,
        *(pytest.param(*each, marks=pytest.mark.thorough) for each in MORE_KNOBS_AND_FORMS),
    ],
    ids=str,
)
def test_whatever_knobs_and_form_are_asked_for_the_batches_are_the_same(
    spec: str, form: dict[str, Any], photos: Path, tmp_path: Path, here: Path
) -> None:
    work = over(photos, **form)
    found = in_this_one(code_of(spec, work), work.images)
    assert_same(found, built_in(spec, work, tmp_path))


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("spec", "form"),
    [
        ("threads", {}),
        ("threads", BYTES | CATEGORICAL),
        ("threads:workers=3,prefetch=1", GREY_BYTES | PAD),
        ("threads:decode=scaled", CAFFE | CROP),
        ("threads", FIRST | BFLOAT16 | CENTRE | IMAGENET),
        ("threads:decode=scaled", BINARY_AROUND_0 | PAD),
    ],
    ids=str,
)
def test_the_code_of_threads_delivers_the_same_epochs(
    spec: str, form: dict[str, Any], photos: Path, tmp_path: Path, here: Path
) -> None:
    pytest.importorskip("cv2", reason="needs pip install 'feedbench[fast]'")
    pytest.importorskip("simplejpeg", reason="needs pip install 'feedbench[fast]'")
    work, names = over(photos, **form), dict[str, Any]()
    exec(compile(feeding(code_of(spec, work)), "train.py", "exec"), names)
    per_epoch = -(-work.images // 8)
    found = [as_arrays(islice(names["batches"], per_epoch)) for _ in range(2)]
    assert_same(found, built_in(spec, work, tmp_path))


@pytest.mark.parametrize("form", [{"value_range": (0, 255)}, BYTES, {"label_mode": "binary"}])
@pytest.mark.parametrize("spec", ["image_data_generator", "tfdata_tuned"])
def test_the_whole_range_is_as_decoded(
    spec: str, form: dict[str, Any], photos: Path, tmp_path: Path, here: Path
) -> None:
    work = over(photos, **form)
    found = in_this_one(code_of(spec, work), work.images)
    assert_same(found, built_in(spec, work, tmp_path))


@pytest.mark.parametrize("name", ["tfdata_naive", "tfrecord_sharded"])
def test_where_the_order_does_not_matter_the_images_are_the_same(
    name: str, photos: Path, tmp_path: Path, here: Path
) -> None:
    spec, work = f"{name}:deterministic=false,parallel_calls=3", over(photos)
    found = in_this_one(code_of(spec, work), work.images)
    for batches, others in zip(found, built_in(spec, work, tmp_path), strict=True):
        assert [len(labels) for _, labels in batches] == [8, 8, 8, 8, 7]
        assert each_image(batches) == each_image(others)


@pytest.mark.parametrize("spec", ["tfrecord_gzip", "tfrecord_gzip:shards=3", "tfrecord_sharded"])
def test_records_are_written_whole_or_not_at_all_and_then_no_more(
    spec: str, photos: Path, tmp_path: Path, here: Path
) -> None:
    copy = shutil.copytree(photos, tmp_path / "copy")
    missing = copy / "owls" / "missing.jpg"
    work = over(copy)
    text = code_of(spec, work)
    records = Path(constants(text)["RECORDS"])
    missing.symlink_to("nowhere")
    with pytest.raises(FileNotFoundError):
        in_this_one(text, 39)
    assert not records.exists()
    missing.unlink()
    expected = built_in(spec, work, tmp_path)
    assert_same(in_this_one(text, 39), expected)
    written = records.stat().st_mtime_ns
    assert_same(in_this_one(text, 39), expected)
    assert records.stat().st_mtime_ns == written
    assert list(here.iterdir()) == [here / records]


@pytest.mark.thorough
@pytest.mark.parametrize("spec", ["image_data_generator", "tfdata_tuned", "tfrecord_sharded"])
def test_real_photos_are_delivered_as_their_pipeline_delivers_them(
    spec: str, flowers: Path, tmp_path: Path, here: Path
) -> None:
    work = workload_over(flowers)
    found = in_this_one(code_of(spec, work), work.images)
    assert_same(found, built_in(spec, work, tmp_path))
