"""The images of record files in a run that finds them extracted. No TensorFlow."""

from __future__ import annotations

from pathlib import Path

import pytest

from feedbench.bench.options.run_options import RunOptions
from feedbench.bench.prepared.store import Source, Store
from feedbench.bench.processes.progress import Quiet
from feedbench.bench.processes.workload_file import workload_of
from feedbench.bench.run.images_source import list_images, with_images
from feedbench.bench.run.keeper import workload_record
from feedbench.bench.tfrecords.catalogue import IMAGES, Catalogue
from feedbench.bench.tfrecords.task import Extraction
from feedbench.pipelines.contract import Records
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.index import Index, index_folder
from tests.pipelines.images.test_index import fill
from tests.support.images.odd import jpeg


def test_a_run_finds_the_images_again_and_keeps_them_while_its_time_begins_later(
    tmp_path: Path,
) -> None:
    file = tmp_path / "a.tfrecord"
    file.write_bytes(b"not read again")
    catalogue = Catalogue(
        records=Records(
            files=(str(file),),
            compressions=("",),
            counts=(1,),
            image_key="image",
            label_key="label",
            label_values=("caf\udce9",),  # a byte that is not UTF-8
            places=((0, 0),),
        ),
        class_names=("caf\udce9",),
        files=("0-caf/a.tfrecord-0000000.jpg",),
        labels=(0,),
        notes=("A note.",),
    )

    def extract(folder: Path) -> None:
        image = folder / IMAGES / catalogue.files[0]
        image.parent.mkdir(parents=True)
        image.write_bytes(jpeg())
        catalogue.write(folder)

    store = Store(tmp_path / "store")
    store.folder.mkdir()
    source = Source(pipeline="records", depends_on={}, folder="", images=1, bytes=1)
    store.obtain(Extraction.of(str(file)).key(), source, extract)
    options = RunOptions(
        folder=Path(),
        records=str(file),
        specs=("tfrecord_existing",),
        prepared=store.folder,
        begun=100.0,
    )
    with with_images(options, Quiet()) as located:
        assert 100.0 < located.begun < 110.0
        index = list_images(located, Quiet())
        assert Path(index.paths[0]).read_bytes() == jpeg()
        assert (index.records, index.class_names) == (catalogue.records, catalogue.class_names)
        assert index.notes == ("A note.",)
        with pytest.raises(RequestError, match="a run is using it"):
            store.clear()
    store.clear()
    assert not Path(index.paths[0]).exists()


def listed(folder: Path, **given: str) -> Index:
    """The images that a run over a folder measures, by what was typed."""
    typed = {"pipeline": ["tfdata_naive"], **given}
    return list_images(RunOptions.of(typed, folder), Quiet())


def test_a_share_for_validation_leaves_the_others_for_training(photos: Path) -> None:
    training, validation = (
        listed(photos, validation="20%", subset=subset) for subset in ("training", "validation")
    )
    assert (len(training.files), len(validation.files)) == (30, 9)  # 10 and 3 of each class
    assert not set(training.files) & set(validation.files)
    assert listed(photos, validation="20%") == training
    assert listed(photos, validation="20%", seed="1") != training


def test_the_parts_of_a_folder_are_used_without_being_asked_for(tmp_path: Path) -> None:
    fill(tmp_path, "train/a/1.jpg", "train/a/2.jpg", "val/a/3.jpg")
    index = listed(tmp_path)
    assert index.split is not None
    assert (index.split.subset, index.split.other.files) == ("training", ("a/3.jpg",))
    assert listed(tmp_path, subset="validation").files == ("a/3.jpg",)
    again = listed(tmp_path, validation="50%")  # the part train is split, as asked for
    assert again.split is not None
    assert (len(again.files), again.split.by) == (1, "seed 0")


def test_a_part_that_is_not_there_is_refused(photos: Path) -> None:
    with pytest.raises(RequestError) as refused:
        listed(photos, subset="validation")
    assert str(refused.value) == (
        "--subset validation: expected images with a part for training and one for validation;"
        f" {photos} has no such parts\nhint: split the images, such as with --validation 20%, or"
        " leave --subset out"
    )


def test_the_workload_and_the_record_of_a_run_have_both_parts(photos: Path) -> None:
    options = RunOptions.of({"pipeline": ["tfdata_naive"], "validation": "20%"}, photos)
    index = list_images(options, Quiet())
    workload = workload_of(index, folder_images=30, image_size=(8, 8), batch_size=8, seed=0)
    assert (workload.subset, workload.images) == ("training", 30)
    assert sorted([*workload.files, *workload.validation_files]) == sorted(
        index_folder(photos).paths
    )
    names = [Path(file).parent.name for file in workload.validation_files]
    assert names == [workload.class_names[label] for label in workload.validation_labels]
    record = workload_record(options, index, index, [])
    assert record.split is not None
    assert record.split.sentence == "30 images for training; 9 for validation, by seed 0"
    assert (record.images, record.folder_images) == (30, 30)
