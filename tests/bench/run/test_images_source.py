"""The images of record files in a run that finds them extracted. No TensorFlow."""

from __future__ import annotations

from pathlib import Path

import pytest

from feedbench.bench.options.run_options import RunOptions
from feedbench.bench.prepared.store import Source, Store
from feedbench.bench.processes.progress import Quiet
from feedbench.bench.run.images_source import list_images, with_images
from feedbench.bench.tfrecords.catalogue import IMAGES, Catalogue
from feedbench.bench.tfrecords.task import Extraction
from feedbench.pipelines.contract import Records
from feedbench.pipelines.errors import RequestError
from tests.support.odd import jpeg


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
