"""The user's own record files as a pipeline, by real TensorFlow."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from feedbench.bench.processes.workload_file import workload_of
from feedbench.pipelines import catalog
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.index import Index, part
from feedbench.pipelines.images.split.by_seed import split
from tests.support.images.odd import png
from tests.support.images.record_files import example, extract, write, write_shards
from tests.support.pipelines.scripts import code_of, feeding

pytestmark = pytest.mark.tensorflow


def over(index: Index, images: int | None = None, **form: Any) -> Workload:
    workload = workload_of(
        index,
        folder_images=images or len(index.files),
        image_size=(24, 32),
        batch_size=8,
        seed=3,
    )
    return replace(workload, **form)


def delivered(spec: str, workload: Workload, folder: Path) -> list[tuple[Any, Any]]:
    """Two epochs of a pipeline."""
    scratch = folder / f"scratch-{len(list(folder.iterdir()))}"
    scratch.mkdir()
    feed = catalog.load(catalog.parse(spec)).open(workload, scratch, scratch)
    return [(np.asarray(a), np.asarray(b)) for _ in range(2) for a, b in feed]


def by_code(spec: str, workload: Workload, **given: Any) -> list[tuple[Any, Any]]:
    """Two epochs of the pasted code."""
    names: dict[str, Any] = {}
    exec(compile(feeding(code_of(spec, workload, **given)), "train.py", "exec"), names)
    return [(np.asarray(a), np.asarray(b)) for _ in range(2) for a, b in names["dataset"]]


def each_image(batches: list[tuple[Any, Any]]) -> list[tuple[bytes, bytes]]:
    return sorted(
        (image.tobytes(), label.tobytes())
        for images, labels in batches
        for image, label in zip(images, labels, strict=True)
    )


def assert_same(found: list[tuple[Any, Any]], expected: list[tuple[Any, Any]]) -> None:
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert [part.dtype for part in one] == [part.dtype for part in other]
        assert all(map(np.array_equal, one, other))


@pytest.fixture(scope="session")
def shards(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Index:
    """Photos in a plain, a GZIP and a ZLIB file, whose labels begin with 1."""
    folder = tmp_path_factory.mktemp("shards")
    index = extract(folder / "store", write_shards(photos, folder / "records", first_label=1))
    assert isinstance(index, Index)
    return index


def texts(folder: Path) -> Index:
    records = [example(x=png(20, 30), y=text) for text in ("b", "a", "b", "c", "a")]
    index = extract(folder / "store", write(folder / "a.tfrecord", records), classes=("c", "a"))
    assert isinstance(index, Index)
    return index


FORMS: dict[str, dict[str, Any]] = {
    "float32": {},
    "categorical": {"label_mode": "categorical", "value_range": (-1, 1)},
    "grey bytes": {"channels": 1, "dtype": "uint8", "value_range": (0, 255)},
}


@pytest.mark.parametrize("form", FORMS)
def test_it_delivers_each_image_and_label_that_the_extracted_files_give(
    shards: Index, tmp_path: Path, form: str
) -> None:
    workload = over(shards, **FORMS[form])
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # it reads nothing that it does not deliver
        found = delivered("tfrecord_existing", workload, tmp_path)
    expected = delivered("tfdata_naive", workload, tmp_path)
    assert each_image(found) == each_image(expected)


@pytest.mark.parametrize(
    ("spec", "form"),
    [
        ("tfrecord_existing", "categorical"),
        ("tfrecord_existing:shuffle=full,parallel_calls=2", "grey bytes"),
        ("tfrecord_existing:cache=memory,shuffle=5", "float32"),
        ("tfrecord_existing:shuffle=none,parallel_calls=none", "float32"),
    ],
)
def test_the_pasted_code_delivers_the_same_batches(
    shards: Index, tmp_path: Path, spec: str, form: str
) -> None:
    workload = over(shards, **FORMS[form])
    assert_same(by_code(spec, workload), delivered(spec, workload, tmp_path))


def written(workload: Workload, folder: Path) -> Path:
    from feedbench.bench.processes.workload_file import write_workload

    write_workload(workload, folder / "images.json")
    return folder / "images.json"


@pytest.mark.parametrize("source", ["numbers", "texts"])
def test_a_part_of_the_records_is_delivered_exactly_and_the_extra_work_is_noted(
    shards: Index, tmp_path: Path, source: str
) -> None:
    index = part(shards, [0, 2, 5, 6, 11, 17, 18, 30]) if source == "numbers" else texts(tmp_path)
    workload = over(index)
    with pytest.warns(UserWarning, match="it reads up to .* records to deliver"):
        found = delivered("tfrecord_existing", workload, tmp_path)
    assert each_image(found) == each_image(delivered("tfdata_naive", workload, tmp_path))
    file = written(workload, tmp_path)
    assert_same(by_code("tfrecord_existing", workload, images_json=file), found)


@pytest.mark.thorough
@pytest.mark.filterwarnings("ignore:`shuffle=True` was passed")
def test_of_a_split_the_records_of_each_part_are_delivered_by_the_code(
    shards: Index, tmp_path: Path
) -> None:
    workload = over(split(shards, 0.3, 0))
    with pytest.warns(UserWarning, match="it reads up to .* records to deliver"):
        found = delivered("tfrecord_existing", workload, tmp_path)
    text = code_of(
        "tfrecord_existing", workload, images_json=written(workload, tmp_path), share=0.3
    )
    names: dict[str, Any] = {}
    exec(compile(text, "train.py", "exec"), names)  # it fits, too
    other = replace(
        workload, files=workload.validation_files, labels=workload.validation_labels, records=None
    )
    validation = [(np.asarray(a), np.asarray(b)) for a, b in names["validation"]]
    assert each_image([*validation, *validation]) == each_image(
        delivered("tfdata_naive", other, tmp_path)
    )
    assert len(names["model"].history.history["val_loss"]) == 3
    names.clear()
    exec(compile(feeding(text), "train.py", "exec"), names)
    feed = [(np.asarray(a), np.asarray(b)) for _ in range(2) for a, b in names["dataset"]]
    assert each_image(feed) == each_image(found)


def test_code_for_all_records_is_given_where_a_part_of_them_was_measured(shards: Index) -> None:
    workload = over(part(shards, [0, 2, 5]), images=len(shards.files))
    code = code_of("tfrecord_existing", workload)
    assert "IMAGES_JSON" not in code
    assert sum(len(images) for images, _ in by_code("tfrecord_existing", workload)) == 2 * len(
        shards.files
    )


@pytest.mark.thorough
def test_records_in_a_store_without_tensorflow_are_delivered_as_those_of_a_folder(
    photos: Path, tmp_path: Path
) -> None:
    fsspec = pytest.importorskip("fsspec")
    write_shards(photos, tmp_path / "records")
    index = extract(tmp_path / "store", tmp_path / "records" / "train-[01].tfrecord")
    assert isinstance(index, Index)
    assert index.records is not None
    local = over(index)
    stored = tuple(f"memory://records/{Path(file).name}" for file in index.records.files)
    for file, address in zip(index.records.files, stored, strict=True):
        fsspec.filesystem("memory").pipe_file(address, Path(file).read_bytes())
    workload = over(replace(index, records=replace(index.records, files=stored)))
    try:
        found = delivered("tfrecord_existing", workload, tmp_path)
        assert each_image(found) == each_image(delivered("tfrecord_existing", local, tmp_path))
        assert_same(by_code("tfrecord_existing", workload), found)
        assert "import fsspec" not in code_of("tfrecord_existing", local)
    finally:
        fsspec.filesystem("memory").store.clear()


def test_without_records_it_says_what_is_missing(shards: Index, tmp_path: Path) -> None:
    workload = over(shards, records=None)
    with pytest.raises(RequestError, match="expected --records"):
        delivered("tfrecord_existing", workload, tmp_path)
