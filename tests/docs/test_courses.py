"""The commands of the page "As in your course", on few images: they deliver what the page says."""

from __future__ import annotations

import json
import shlex
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.support.markdown import ROOT, blocks
from tests.support.programs.documented import Place
from tests.support.programs.front_door import COMMAND

pytestmark = [pytest.mark.tensorflow, pytest.mark.end_to_end]

PAGE = ROOT / "docs" / "courses.md"
FLOWERS = ("daisy", "dandelion", "roses", "sunflowers", "tulips")
BRIEF = {
    "train": ["--epochs", "1", "--out", "out"],
    "run": ["--blocks", "1", "--no-trace", "--no-augment-cost", "--out", "out"],
    "show": ["--limit", "30"],
}


@dataclass
class Photos:
    """Folders of small images, as the courses have them."""

    home: Path
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def folder(self, name: str, classes: tuple[str, ...], images: int, **given: Any) -> None:
        for each in classes:
            (self.home / name / each).mkdir(parents=True)
            for number in range(images):
                self.image(self.home / name / each / f"{number}", **given)

    def image(self, stem: Path, side: int = 64, mode: str = "RGB", suffix: str = ".jpg") -> None:
        small = self.rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)
        image = Image.fromarray(small).resize((side, side), Image.Resampling.BICUBIC)
        image.convert(mode).save(stem.with_suffix(suffix))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("courses")
    empty = folder / "none"
    empty.mkdir()
    place = Place(folder, empty)
    photos = Photos(place.home)
    photos.folder("flower_photos", FLOWERS, 6)
    for name, part in (
        ("cats_and_dogs_small", "validation"),
        ("cats_and_dogs_filtered", "validation"),
    ):
        photos.folder(f"{name}/train", ("cats", "dogs"), 12)
        photos.folder(f"{name}/{part}", ("cats", "dogs"), 6)
    photos.folder("PetImages", ("Cat", "Dog"), 10)
    (place.home / "PetImages" / "Cat" / "broken.jpg").write_bytes(b"no image")
    digits = tuple(map(str, range(10)))
    photos.folder("mnist", digits, 10, side=28, mode="L", suffix=".png")
    photos.folder("cifar10/train", digits, 10, side=32, suffix=".png")
    for part in ("train", "val"):
        photos.folder(f"hymenoptera_data/{part}", ("ants", "bees"), 6)
    return place


def called(place: Place, line: str) -> tuple[str, subprocess.CompletedProcess[str]]:
    """Run a line of the page, with less of it than a reader would take."""
    _, command, *words = shlex.split(line.replace("~", str(place.home)))
    if "mobilenet_v2" in words:  # whose graph takes 20 s a pipeline
        at = words.index("tfdata_tuned")
        del words[at - 1 : at + 1]
    if command == "run" and "-p" not in words:
        words += ["-p", "image_data_generator", "-p", "tfdata_tuned"]  # what is delivered is alike
    return command, place.call(str(COMMAND), command, *words, *BRIEF[command], "--quiet")


def workload_of(folder: Path) -> dict[str, Any]:
    """What was delivered, as the record of a run or of a training has it."""
    (file,) = (folder / name for name in ("training.json", "run.json") if (folder / name).exists())
    workload: dict[str, Any] = json.loads(file.read_text())["workload"]
    return workload


def test_the_pictures_are_drawn(place: Place) -> None:
    (block,) = (each for each in blocks(PAGE, "sh") if "feedbench show" in each.text)
    for line in block.text.splitlines():
        _, done = called(place, line)
        assert done.returncode == 0, done.stderr
    assert (place.work / "batch.png").exists()
    assert (place.work / "rose.png").exists()


EXPECTED = (
    # heading, side, batch size, labels, and what else the page says
    ("run ~/flower_photos", 180, 32, "int", {"seed": 123}),
    ("epochs 10", 180, 32, "int", {"augmentation": "", "seed": 123}),
    ("epochs 15 --augment", 180, 32, "int", {"augmentation": "flip,rotate=36,zoom=0.1"}),
    ("epochs 30", 150, 20, "binary", {"value_range": [0.0, 1.0]}),
    ("epochs 100", 150, 32, "binary", {"augmentation": "flip,rotate=40,shift=0.2,zoom=0.2"}),
    ("run ~/PetImages", 180, 128, "binary", {"augmentation": "flip,rotate=36"}),
    ("train ~/mnist", 28, 128, "categorical", {"channels": 1}),
    ("train ~/cifar10", 32, 32, "int", {"channels": 3}),
    ("cats_and_dogs_filtered", 160, 32, "binary", {"value_range": [-1.0, 1.0]}),
    ("run ~/hymenoptera", 224, 4, "int", {"fit": "crop=0.875", "normalization": "imagenet"}),
)


@pytest.mark.parametrize(("words", "side", "batch_size", "labels", "others"), EXPECTED)
def test_a_command_delivers_what_its_course_does(
    words: str,
    side: int,
    batch_size: int,
    labels: str,
    others: dict[str, Any],
    place: Place,
    tmp_path: Path,
) -> None:
    block = next(
        each
        for each in blocks(PAGE, "sh")
        if words in each.text and "feedbench show" not in each.text
    )
    place.work = tmp_path
    _, done = called(place, block.text.replace("\\\n", " ").strip())
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    workload = workload_of(tmp_path / "out")
    assert (workload["height"], workload["width"]) == (side, side)
    assert (workload["batch_size"], workload["label_mode"]) == (batch_size, labels)
    assert {name: workload[name] for name in others} == others


def test_every_command_of_the_page_is_among_these() -> None:
    texts = [each.text for each in blocks(PAGE, "sh") if "feedbench show" not in each.text]
    assert all(any(words in text for words, *_ in EXPECTED) for text in texts)
    assert len(texts) == len(EXPECTED)
