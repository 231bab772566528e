"""Loaders that walk the folder themselves are given exactly the images of the workload."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from feedbench.bench.measured import fixed_paths
from feedbench.bench.measured.batches.hints import UNSORTED
from feedbench.bench.records.storage import read_run, read_trials
from tests.support.images import odd
from tests.support.markdown import LOADER, blocks
from tests.support.programs.command import SMALL, Feedbench, trials_until
from tests.support.waiting import until

pytestmark = [pytest.mark.tensorflow, pytest.mark.end_to_end]

# As torchvision does, which is not installed.
IMAGE_FOLDER = """
import os
import numpy as np
from PIL import Image

EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")

def samples(root):
    classes = sorted(entry.name for entry in os.scandir(root) if entry.is_dir())
    for label, name in enumerate(classes):
        for folder, _, files in sorted(os.walk(os.path.join(root, name), followlinks=True)):
            for file in sorted(files):
                if file.lower().endswith(EXTENSIONS):
                    yield os.path.join(folder, file), label

class Loader:
    def __init__(self, workload):
        self.workload, self.samples = workload, list(samples(workload.folder))

    def __iter__(self):
        order = np.random.permutation(len(self.samples))
        for start in range(0, len(order), self.workload.batch_size):
            chosen = [self.samples[at] for at in order[start:start + self.workload.batch_size]]
            images = np.stack([self.read(file) for file, _ in chosen])
            yield images, np.array([label for _, label in chosen], np.int32)

    def read(self, file):
        size = (self.workload.width, self.workload.height)
        with Image.open(file) as image:
            small = image.convert("RGB").resize(size, Image.Resampling.BILINEAR)
        return np.asarray(small, np.float32) / 255

photos = Loader
"""


def walking(feedbench: Feedbench, *names: str) -> list[str]:
    """The options for these loaders, of which Keras' are the page's own recipes."""
    recipes = {
        "dataset": next(b.text for b in SCRIPTS if "image_dataset_from_directory(" in b.text),
        "flow": next(b.text for b in SCRIPTS if "flow_from_directory(" in b.text),
        "folder": IMAGE_FOLDER,
    }
    for name, text in recipes.items():
        (feedbench.folder / f"{name}.py").write_text(text)
    return [word for name in names or recipes for word in ("-p", f"{name}={name}.py:photos")]


SCRIPTS = blocks(LOADER, "python")


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """600 photos in three classes: more than a pilot of a built-in pipeline takes."""
    rng = np.random.default_rng(0)
    for number in range(600):
        small = Image.fromarray(rng.integers(0, 256, (4, 5, 3), dtype=np.uint8))
        file = tmp_path / "many" / "abc"[number % 3] / f"{number:03d}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        small.resize((40, 32), Image.Resampling.BICUBIC).save(file, quality=90)
    return tmp_path / "many"


def test_a_part_and_the_whole_are_proven_and_measured(feedbench: Feedbench, many: Path) -> None:
    before = sorted(os.fspath(file) for file in many.rglob("*"))
    done = feedbench.run(
        *("run", many, *SMALL, "--blocks", "1", "--out", "R", "--limit", "all"),
        *walking(feedbench),
    )
    assert done.returncode == 0, done.stderr
    run = read_run(feedbench.folder / "R")
    assert run.workload.images == 600
    rows = {row.label: row for row in run.rows}
    whole = {label: row.proof.work for label, row in rows.items() if row.proof is not None}
    assert whole == ALL
    assert all(row.rate is not None for row in rows.values())
    pilots = [trial for trial in read_trials(feedbench.folder / "R") if trial.purpose == "pilot"]
    assert {trial.ended for trial in pilots} == {"measured"}  # of a part
    assert works(feedbench, walking(feedbench), many, "--limit", "128") == ALL
    assert sorted(os.fspath(file) for file in many.rglob("*")) == before
    assert feedbench.left_in_scratch() == []


def works(feedbench: Feedbench, words: list[str], *given: object) -> dict[str, str]:
    """What `verify` finds of the loaders."""
    done = feedbench.run("verify", *given, *SMALL, "--json", *words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert feedbench.left_in_scratch() == []
    return {each["label"]: each["proof"]["work"] for each in json.loads(done.stdout)["pipelines"]}


ALL = {"dataset": "same", "flow": "near", "folder": "near"}


def test_classes_in_an_order_of_their_own(feedbench: Feedbench, photos: Path) -> None:
    words = walking(feedbench, "dataset", "flow")  # torchvision has no order but its own
    found = works(feedbench, words, photos, "--classes", "owls,cats")
    assert found == {"dataset": "same", "flow": "near"}
    words = walking(feedbench, "folder")
    done = feedbench.run("verify", photos, *SMALL, "--classes", "owls,cats", *words)
    assert done.returncode == 1
    assert UNSORTED in " ".join(done.stdout.split())


def test_labels_from_a_file(feedbench: Feedbench, photos: Path) -> None:
    files = [file.relative_to(photos) for file in photos.rglob("*.jpg")]
    lines = [f"{file},{int(file.stem) % 3}" for file in files]
    (feedbench.folder / "labels.csv").write_text("\n".join(["file,label", *lines]))
    assert works(feedbench, walking(feedbench), photos, "--labels", "labels.csv") == ALL


def test_a_part_of_a_data_set(feedbench: Feedbench, photos: Path) -> None:
    for part in ("train", "val"):
        shutil.copytree(photos, feedbench.folder / "set" / part)
    shutil.rmtree(feedbench.folder / "set" / "train" / "cats")
    assert works(feedbench, walking(feedbench), "set", "--part", "validation") == ALL


def test_bad_images_odd_names_and_suffixes_that_no_loader_lists(
    feedbench: Feedbench, photos: Path
) -> None:
    cats = feedbench.folder / "odd" / "cats"
    shutil.copytree(photos, feedbench.folder / "odd")
    for number, name in enumerate(("bad.jpg", ".hidden.jpg", "a.jfif", "a.webp", "b\nc.jpg")):
        (cats / name).write_bytes(b"" if name == "bad.jpg" else odd.jpeg(40 + number))
    (cats / "kittens").mkdir()
    (cats / "kittens" / "00.jpg").write_bytes(odd.jpeg(30))
    (cats / "Thumbs.db").touch()
    assert works(feedbench, walking(feedbench), "odd", "--bad-images", "skip") == ALL


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_the_links_are_removed_however_a_run_ends(
    feedbench: Feedbench, photos: Path, end: signal.Signals
) -> None:
    process = feedbench.start(
        *("run", photos, *SMALL, "--blocks", "9", "--out", "R"), *walking(feedbench, "folder")
    )
    trials_until(feedbench, process, lambda lines: any(t["block"] for t in lines))
    # os.walk passes over the folders of trials that end meanwhile.
    files = [Path(root, name) for root, _, names in os.walk(feedbench.scratch) for name in names]
    links = [file for file in files if file.suffix == ".jpg" and file.is_symlink()]
    assert len(links) == 39
    process.send_signal(end)
    process.communicate(timeout=30)
    until(lambda: feedbench.left_in_scratch() == [])
    assert len(list(photos.rglob("*.jpg"))) == 39


def test_a_cache_at_a_fixed_path_is_named(feedbench: Feedbench, many: Path) -> None:
    (feedbench.folder / "fixed.py").write_text(
        next(block.text for block in SCRIPTS if "cache(" in block.text).replace(
            'f"{workload.scratch}/cache"', '"kept"'
        )
    )
    done = feedbench.run(
        *("run", many, *SMALL, "--blocks", "1", "--out", "R", "--limit", "300"),
        *("-p", "fixed=fixed.py:photos"),
    )
    assert done.returncode == 0, done.stderr
    told = " ".join(done.stdout.split())
    assert f"fixed: its first epochs read {feedbench.folder}/kept, a cache that an earlier" in told
    words = (*SMALL, "--limit", "128", "--json", "-p", "fixed=fixed.py:photos")
    again = feedbench.run("verify", many, *words)
    assert again.returncode == 1
    (failed,) = json.loads(again.stdout)["pipelines"]
    assert "it delivered 136 images or more in an epoch; expected 128" in failed["failure"]
    assert failed["failure"].endswith(fixed_paths.explained([f"{feedbench.folder}/kept"]))
