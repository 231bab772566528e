from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from feedbench.bench.run.keeper import images_digest
from feedbench.pipelines.images.index import index_folder


@pytest.fixture
def own(photos: Path, tmp_path: Path) -> Path:
    return shutil.copytree(photos, tmp_path / "own")


def test_the_same_images_have_one_digest_wherever_they_lie(photos: Path, own: Path) -> None:
    assert images_digest(index_folder(own)) == images_digest(index_folder(photos)) != ""


def test_another_size_name_class_or_order_is_another_digest(photos: Path, own: Path) -> None:
    before = images_digest(index_folder(photos))
    found = {before}
    changed = own / "cats" / "00.jpg"
    content = changed.read_bytes()
    changed.write_bytes(content + b"more")
    found.add(images_digest(index_folder(own)))
    changed.write_bytes(content)
    assert images_digest(index_folder(own)) == before
    changed.rename(own / "cats" / "000.jpg")
    found.add(images_digest(index_folder(own)))
    (own / "cats" / "000.jpg").rename(own / "dogs" / "00b.jpg")
    found.add(images_digest(index_folder(own)))
    found.add(images_digest(index_folder(photos, ["owls", "dogs", "cats"])))
    assert len(found) == 5


def test_of_a_file_that_is_gone_there_is_none(own: Path) -> None:
    index = index_folder(own)
    (own / "cats" / "00.jpg").unlink()
    assert images_digest(index) == ""
