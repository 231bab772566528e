from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from feedbench.bench.run.keeper import images_digest
from feedbench.pipelines.images.index import index_folder


@pytest.fixture
def copied(photos: Path, tmp_path: Path) -> Path:
    return shutil.copytree(photos, tmp_path / "copied")


def test_the_same_images_have_one_digest_wherever_they_lie(photos: Path, copied: Path) -> None:
    assert images_digest(index_folder(copied)) == images_digest(index_folder(photos)) != ""


def test_another_size_name_class_or_order_is_another_digest(photos: Path, copied: Path) -> None:
    before = images_digest(index_folder(photos))
    digests = {before}
    changed = copied / "cats" / "00.jpg"
    content = changed.read_bytes()
    changed.write_bytes(content + b"more")
    digests.add(images_digest(index_folder(copied)))
    changed.write_bytes(content)
    assert images_digest(index_folder(copied)) == before
    changed.rename(copied / "cats" / "000.jpg")
    digests.add(images_digest(index_folder(copied)))
    (copied / "cats" / "000.jpg").rename(copied / "dogs" / "00b.jpg")
    digests.add(images_digest(index_folder(copied)))
    digests.add(images_digest(index_folder(photos, ["owls", "dogs", "cats"])))
    assert len(digests) == 5


def test_of_a_file_that_is_gone_there_is_none(copied: Path) -> None:
    index = index_folder(copied)
    (copied / "cats" / "00.jpg").unlink()
    assert images_digest(index) == ""
