"""The code of a pipeline as text: what stands in it, and what does not."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from feedbench.bench.processes.workload_file import workload_of
from feedbench.bench.records.row import Row
from feedbench.pipelines import catalog
from feedbench.pipelines.built_in.tail_knobs import TailKnobs
from feedbench.pipelines.contract import Records, Workload
from feedbench.pipelines.images.index import index_folder
from feedbench.pipelines.images.split.by_seed import split
from feedbench.pipelines.remote.reading import AT_ONCE
from feedbench.pipelines.tfrecords.record_format import MOST_READERS
from feedbench.pipelines.tfrecords.stored_records import BLOCK_BYTES
from feedbench.reports.code.training_code import training_code
from tests.support.pipelines.scripts import code_of, constants

GREY_BYTES = {"channels": 1, "dtype": "uint8", "value_range": (0, 255)}
CATEGORICAL = {"label_mode": "categorical"}
BINARY_AROUND_0 = {"label_mode": "binary", "value_range": (-1, 1)}

PLAIN = Workload(
    folder="/photos",
    files=("/photos/cats/1.jpg", "/photos/dogs/2.jpg"),
    labels=(0, 1),
    class_names=("cats", "dogs"),
    formats=("JPEG",),
    height=180,
    width=240,
    folder_images=2,
)
RECORDS = Records(
    files=("/records/a.tfrecord", "/records/b.tfrecord"),
    compressions=("GZIP", "GZIP"),
    counts=(1, 1),
    image_key="image_raw",
    label_key="label",
    label_values=(0, 1),
    places=((0, 0), (1, 0)),
)
TFDATA = [
    spec
    for name in catalog.BUILT_IN
    if issubclass(catalog.built_in(name), TailKnobs)
    for spec in (
        name,
        f"{name}:shuffle=7,cache=file".replace(
            "service:shuffle=7,cache=file",
            "service:address=grpc://host:5050,sharding=off,deterministic=false",
        ),
    )
]
STANDARD = {"atexit", "glob", "math", "os", "random", "shutil", "subprocess", "sys", "tempfile"}
PACKAGES = {"keras", "numpy", "pandas", "tensorflow"}
OTHERS = [
    "py_dataset",
    "py_dataset:workers=4,use_multiprocessing=true,shuffle=false",
    "image_dataset_from_directory",
    "image_dataset_from_directory:cache=file,shuffle_batches=none,prefetch=2,parallel_calls=2",
    "image_dataset_from_directory:cache=none,interpolation=area,parallel_calls=none",
    "image_dataset_from_directory_grain",
    "tfdata_service:of=tfrecord_sharded",
    "tfdata_service:of=tfrecord_sharded,shards=1,store=raw,sharding=off,compression=none",
]


def code(spec: str, workload: Workload = PLAIN, *left_out: str, **given: Any) -> str:
    """The code of a pipeline, by default over two photos."""
    return code_of(spec, suited(spec, workload), *left_out, **given)


def suited(spec: str, workload: Workload = PLAIN) -> Workload:
    """The workload, with record files for the pipeline that reads these."""
    is_given = "existing" not in spec or workload.records is not None
    return workload if is_given else replace(workload, records=RECORDS)


@pytest.mark.parametrize("spec", [*catalog.DEFAULT_SPECS, *TFDATA, *OTHERS])
def test_the_code_imports_what_a_training_script_has_and_nothing_of_feedbench(spec: str) -> None:
    imported = set(re.findall(r"^import (\w+)", code(spec), re.MULTILINE))
    assert imported & {"keras", "tensorflow"}
    assert imported <= STANDARD | PACKAGES
    assert "feedbench" not in code(spec)


@pytest.mark.parametrize("form", [{}, GREY_BYTES | CATEGORICAL, BINARY_AROUND_0], ids=str)
@pytest.mark.parametrize("spec", [*catalog.DEFAULT_SPECS, *TFDATA, *OTHERS])
def test_the_code_is_python_in_short_lines_that_ends_with_its_use(
    spec: str, form: dict[str, Any]
) -> None:
    text = code(spec, replace(PLAIN, **form), "cats/bad.jpg")
    compile(text, "train.py", "exec")
    lines = text.splitlines()
    assert max(map(len, lines)) <= 100
    assert not any(line.endswith(" ") for line in lines)
    assert "\n\n\n\n" not in text
    assert text.rstrip().endswith(f"model.fit({fed(text)}")
    most = 140 if "of=tfrecord" in spec else 110  # which writes files, and starts servers
    assert len(lines) < most


def fed(text: str) -> str:
    """What the code's `fit` is given, which is its end."""
    return text.partition("model.fit(")[2].rstrip()


@pytest.mark.parametrize("form", [{}, GREY_BYTES | CATEGORICAL, BINARY_AROUND_0], ids=str)
@pytest.mark.parametrize("share", [0.2, None])
@pytest.mark.parametrize("spec", [*catalog.DEFAULT_SPECS, *OTHERS, "tfrecord_existing"])
def test_of_a_split_the_code_has_both_parts_and_fits_with_them(
    spec: str, share: float | None, form: dict[str, Any]
) -> None:
    root = "photos" if share else "val"
    work = replace(
        PLAIN,
        **form,
        folder="/photos" if share else "/train",
        files=tuple(file.replace("photos", "photos" if share else "train") for file in PLAIN.files),
        subset="training",
        validation_files=(f"/{root}/cats/3.jpg", f"/{root}/dogs/4.jpg"),
        validation_labels=(0, 1),
    )
    text = code(spec, work, share=share)
    compile(text, "train.py", "exec")
    assert max(map(len, text.splitlines())) <= 100
    assert "validation_data=validation" in fed(text)
    assert "\nvalidation = " in text
    if "existing" not in spec:
        names = constants(text)
        assert names.get("VALIDATION_FOLDER") == (None if share else "/val")
        assert ("VALIDATION, SPLIT_SEED = 0.2, 0" in text) == bool(share)


def test_of_the_part_for_validation_the_code_evaluates() -> None:
    work = replace(PLAIN, subset="validation")
    text = code("tfdata_tuned", work, share=0.2)
    assert constants(text)["IMAGES_JSON"]  # a walk would find the other part too
    assert "model.evaluate(dataset)" in text
    assert "model.fit" not in text
    assert "os.walk" in code("tfdata_tuned", work)  # the part's own folder


@pytest.mark.parametrize("spec", ["tfrecord_gzip", "tfrecord_sharded", "tfdata_tuned:cache=file"])
def test_files_written_for_one_split_are_not_read_for_another(spec: str) -> None:
    given = replace(PLAIN, subset="training", validation_files=("/photos/cats/3.jpg",))
    given = replace(given, validation_labels=(0,))
    texts = (
        code(spec),
        code(spec, given, share=0.2),
        code(spec, given, share=0.3),
        code(spec, replace(given, seed=1), share=0.2),
    )
    names = [constants(text).get("RECORDS") or constants(text)["CACHE"] for text in texts]
    assert len({*names}) == len(names)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_the_code_splits_a_folder_as_the_run_did(share: float, photos: Path) -> None:
    index = split(index_folder(photos), share, seed=3)
    work = workload_of(index, folder_images=39, image_size=(8, 8), batch_size=8, seed=3)
    assert work.validation_files
    text = code_of("tfdata_tuned", work, "cats/00.jpg", share=share)
    listing = text.partition("\n\ndef ")[0].replace("import tensorflow as tf", "")
    names: dict[str, Any] = {}
    exec(compile(listing, "train.py", "exec"), names)
    kept = [at for at, file in enumerate(work.files) if not file.endswith("cats/00.jpg")]
    assert names["files"] == [work.files[at] for at in kept]
    assert names["labels"] == [work.labels[at] for at in kept]
    assert tuple(names["validation_files"]) == work.validation_files
    assert tuple(names["validation_labels"]) == work.validation_labels


def test_every_built_in_pipeline_has_code_by_its_defaults_where_a_run_kept_no_knobs() -> None:
    for name in catalog.BUILT_IN:
        row = Row(label=name, spec=name, blocks=0)
        assert training_code(row, suited(name)) == code(name)


@pytest.mark.parametrize("spec", ["my_loader.py:photos", "a_package", "tfdata_tuned:turbo=on"])
def test_a_pipeline_that_is_not_built_in_has_no_code(spec: str) -> None:
    assert training_code(Row(label="mine", spec=spec, blocks=1), PLAIN) is None


def test_a_knob_that_another_version_of_feedbench_has_is_not_passed_over() -> None:
    row = Row(label="a", spec="tfdata_tuned", blocks=1, knobs={"turbo": True})
    assert training_code(row, PLAIN) is None


def test_a_knob_that_was_overruled_is_as_it_was_in_effect() -> None:
    in_effect = {"cache": "file", "shuffle": 500, "deterministic": False}
    row = Row(label="a", spec="tfdata_tuned:cache=memory", blocks=1, knobs=in_effect)
    text = training_code(row, PLAIN) or ""
    assert "cache(CACHE)" in text
    assert constants(text)["SHUFFLE_BUFFER"] == 500
    assert "deterministic = False" in text


@pytest.mark.parametrize(
    ("knob", "words"),
    [
        ("parallel_calls=autotune", "map(load, num_parallel_calls=tf.data.AUTOTUNE)"),
        ("parallel_calls=3", "map(load, num_parallel_calls=3)"),
        ("parallel_calls=none", "map(load)\n"),
        ("cache=memory", ".cache()"),
        ("cache=file", ".cache(CACHE)"),
        ("shuffle=full", "shuffle(len(files), seed=SEED)"),
        ("shuffle=7", "SHUFFLE_BUFFER = 7 "),
        ("prefetch=autotune", "prefetch(tf.data.AUTOTUNE)"),
        ("prefetch=2", "prefetch(2)"),
        ("deterministic=false", "options.deterministic = False"),
        ("prefetch=3", "options.autotune.enabled = False"),
        ("graph_rewrites=off", "apply_default_optimizations = False"),
        ("dct=integer_fast", '"INTEGER_FAST"'),
    ],
)
def test_a_step_is_in_the_code_where_its_knob_asks_for_it_and_only_there(
    knob: str, words: str
) -> None:
    name = "tfdata_naive" if "rewrites" in knob else "tfdata_tuned"
    others = {"cache": "none", "shuffle": "none", "parallel_calls": "1", "prefetch": "none"}
    others.pop(knob.partition("=")[0], None)
    without = ",".join(f"{other}={value}" for other, value in others.items())
    assert words in code(f"{name}:{without},{knob}")
    assert words not in code(f"{name}:cache=none,shuffle=none,parallel_calls=1,prefetch=none")


@pytest.mark.parametrize("name", ["tfrecord_sharded", "tfdata_saved"])
def test_an_image_that_is_no_larger_stays_its_file_or_becomes_a_bmp(name: str) -> None:
    assert "return encoded" in code(f"{name}:store=resized")
    bmp = code(f"{name}:store=resized,stored_format=bmp")
    assert "return encoded" not in bmp
    assert "scale = min(STORED_SIZE / min(image.size), 1)\n" in bmp


@pytest.mark.parametrize("spec", ["tfrecord_sharded:store=raw", "tfdata_saved"])
def test_what_writes_pixels_does_not_wait_for_autotune_at_the_end(spec: str) -> None:
    writes = code(spec).partition("TFRecordWriter(" if "record" in spec else ".save(")[0]
    assert "options.autotune.enabled = False" in writes


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("tfdata_naive", ("num_parallel_calls", "cache", "prefetch", "Options")),
        ("tfdata_tuned:shuffle=none", ("SEED", "shuffle")),
        ("tfrecord_gzip", ("interleave", "glob", "SHARDS")),
        ("image_data_generator", ("numpy", "steps_per_epoch")),
    ],
)
def test_nothing_stands_in_the_code_that_is_not_needed(spec: str, words: Sequence[str]) -> None:
    assert not [word for word in words if word in code(spec)]


@pytest.mark.parametrize(
    ("formats", "decoder"),
    [
        (("JPEG",), "decode_jpeg"),
        (("JPEG", "PNG"), "decode_jpeg"),
        (("PNG",), "decode_png"),
        (("GIF", "JPEG"), "decode_image"),
        (("JPEG", "unknown"), "decode_image"),
        ((), "decode_image"),
    ],
)
def test_a_file_is_asked_what_it_is_only_where_not_all_are_jpeg_or_png(
    formats: tuple[str, ...], decoder: str
) -> None:
    text = code("tfdata_tuned", replace(PLAIN, formats=formats))
    assert f"tf.io.{decoder}(" in text
    assert ("is_jpeg" in text) == (decoder == "decode_image")


def test_of_a_folder_measured_in_part_nobody_knows_what_the_other_files_are() -> None:
    assert "decode_image" in code("tfdata_tuned", replace(PLAIN, folder_images=3))


def test_as_many_record_files_are_read_at_once_as_the_pipeline_reads() -> None:
    assert f"readers = min(len(paths), {MOST_READERS})" in code("tfrecord_sharded")


def test_two_data_sets_in_one_place_do_not_take_each_others_records_and_caches() -> None:
    birds = replace(PLAIN, folder="/birds", files=("/birds/cats/1.jpg",), labels=(0,))
    for spec, name in (
        ("tfrecord_gzip", "RECORDS"),
        ("tfrecord_sharded", "RECORDS"),
        ("tfdata_saved", "SAVED"),
        ("tfdata_tuned:cache=file", "CACHE"),
    ):
        assert constants(code(spec))[name] != constants(code(spec, birds))[name]


@pytest.mark.parametrize(
    "change",
    [
        {"files": ("/photos/1.jpg", "/photos/2.jpg")},
        {"files": ("/photos/cats/1.jpg", "/photos/cats/2.jpg")},
        {"files": ("/photos/cats/1.jpg", "/photos/dogs/2.dat")},
        {"files": ("/photos/cats/2.jpg", "/photos/cats/1.jpg"), "labels": (0, 0)},
        {"folder": ""},
        {"folder": "/", "class_names": ("photos/cats", "photos/dogs")},
    ],
    ids=str,
)
def test_a_list_that_walking_the_folder_would_not_give_is_read_from_the_run(
    change: dict[str, Any],
) -> None:
    text = code("tfdata_tuned", replace(PLAIN, **change), images_json=Path("/R/images.json"))
    assert constants(text)["IMAGES_JSON"] == "/R/images.json"
    assert "os.walk" not in text
    assert "list: all images." in text


def test_a_list_by_labels_of_ones_own_is_read_from_the_run_though_it_fits_the_folder() -> None:
    text = code("tfdata_tuned", replace(PLAIN, folder_images=3670), is_labelled=True)
    assert "2 of the folder's 3,670 images" in text
    assert constants(text)["IMAGES_JSON"] == "images.json"


def test_bad_files_are_named_unless_their_suffix_leaves_them_out_already() -> None:
    assert "LEFT_OUT" not in code("tfdata_tuned", PLAIN, "cats/a.tif", "cats/b.svg")
    found = constants(code("tfdata_tuned", PLAIN, "cats/a.tif", "cats/b.JPG"))
    assert found["LEFT_OUT"] == {"cats/b.JPG"}
    files = ("/photos/cats/1.tif", "/photos/dogs/2.jpg")
    found = constants(code("tfdata_tuned", replace(PLAIN, files=files), "cats/a.tif"))
    assert found["LEFT_OUT"] == {"cats/a.tif"}
    assert ".tif" in found["SUFFIXES"]


STORE = replace(
    PLAIN,
    folder="s3://bucket/photos",
    files=("s3://bucket/photos/cats/1.jpg", "s3://bucket/photos/dogs/2.jpg"),
)


@pytest.mark.parametrize(
    "spec",
    ["threads", "tfrecord_sharded", "tfrecord_gzip:shards=1", "tfrecord_sharded:store=resized"],
)
def test_the_code_reads_a_store_as_the_pipeline_did(spec: str) -> None:
    text = code(spec, STORE)
    ast.parse(text)
    assert re.findall(r"^import fsspec$", text, re.MULTILINE)
    assert 'STORE = fsspec.filesystem("s3", max_concurrency=1,' in text
    assert "STORE.cat_file(file)" in text
    assert 'open(file, "rb")' not in text
    assert "os.path.getsize" not in text
    assert "IMAGES_JSON" in text
    assert "fsspec" not in code(spec)


def test_the_code_reads_record_files_in_a_store_as_the_pipeline_did() -> None:
    files = ("s3://bucket/a.tfrecord", "s3://bucket/b.tfrecord")
    text = code("tfrecord_existing", replace(PLAIN, records=replace(RECORDS, files=files)))
    assert constants(text)["RECORDS"] == list(files)
    assert f"STORE.open(file.decode(), block_size={BLOCK_BYTES}, compression" in text
    assert 'stored_records(file, "GZIP")' in text
    gs = ("gs://bucket/a.tfrecord", "gs://bucket/b.tfrecord")
    text = code("tfrecord_existing", replace(PLAIN, records=replace(RECORDS, files=gs)))
    assert 'tf.data.TFRecordDataset(file, "GZIP")' in text
    assert "fsspec" not in text


def test_the_threads_of_the_code_are_as_many_as_those_of_the_pipeline() -> None:
    assert constants(code("threads", STORE))["WORKERS"] == AT_ONCE
    assert constants(code("threads:workers=3", STORE))["WORKERS"] == 3
