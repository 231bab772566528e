"""`feedbench verify` over loaders as people write them: right ones, and ones with a fault each."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from feedbench.pipelines.images.sample_photos import write_photos
from tests.support.programs.command import Feedbench

pytestmark = [pytest.mark.tensorflow, pytest.mark.end_to_end, pytest.mark.thorough]

LOADERS = Path(__file__).parents[1] / "loaders"
IMAGES = 40  # in batches of 12: the last one is short

FAULTS = {
    "nearest": "nearest-neighbour sampling",
    "area": "the area filter",
    "bicubic": "bicubic sampling without antialiasing (TensorFlow's bicubic)",
    "lanczos": "Lanczos sampling without antialiasing (TensorFlow's lanczos3)",
    "half_a_pixel_off": "bilinear sampling half a pixel off",
    "align_corners": "bilinear sampling with align_corners",
    "pillow_default": "Pillow's bicubic filter",
    "pillow_lanczos": "Pillow's Lanczos filter",
    "bgr": "swapped red and blue channels",
    "grey": "grey values in all three channels",
    "decoded_at_half_size": "JPEGs decoded at 1/2 of their size",
    "mirrored": "they are images mirrored left to right",
    "upside_down": "they are images upside down",
    "augmented": "they are images mirrored left to right",
    "central_crop": "a central crop of 87.5% of each side",
    "keras_crop": "images cropped to the delivered proportions (--fit crop)",
    "keras_pad": "images padded with black",
    "resize_and_centre_crop": "in the delivered proportions (--fit crop=0.875)",
    "crop_without_resizing": "the middle of images, cropped without resizing",
    "padded": "images padded with black to keep their proportions (--fit pad)",
    "divided_twice": "they are values divided by 255 twice",
    "negatives": "they are negatives",
    "black": "they are images of one colour each",
    "not_divided": "use --range 0..255",
    "minus_one_to_one": "use --range -1..1",
    "normalized": "use --range imagenet",
    "preprocessed_for_resnet": "use --range caffe",
    "not_clipped": "bicubic and Lanczos filters exceed the range",
    "not_a_number": "not finite numbers",
    "uint8": "use --dtype uint8",
    "float16": "use --dtype float16",
    "channels_first": "use --layout channels_first",
    "float64": "convert them to float32",
    "not_batched": "put images into batches",
    "whole_arrays": "cut the arrays into batches of workload.batch_size",
    "batches_too_large": "--batch-size 24",
    "another_size": "--image-size 64",
    "one_hot": "use --label-mode categorical",
    "names_as_labels": "labels as text",
    "labels_from_one": "labels from 1 to 5; expected 0 to 4",
    "images_alone": "expected batches of (images, labels)",
    "labels_mixed": "have the wrong label",
    "last_batch_dropped": "the last short batch seems to be dropped",
    "training_part": "these 80% seem to be one part of a split",
    "both_parts": "returned 2 datasets",
    "endless": "do not call repeat() on the dataset",
    "with_replacement": "too many",
    "not_shuffled": "none",
    "small_buffer": "partial",
    "shuffled_once": "fixed",
    "shuffled_in_batches": "partial",
}
"""What the sentence says of each fault; of those in the order, how it shuffles."""


@pytest.fixture(scope="module")
def natural(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("natural") / "photos"
    write_photos(folder, IMAGES)
    return folder


def verified(feedbench: Feedbench, photos: Path, file: str, names: list[str]) -> dict[str, Any]:
    """What one `verify` says of these functions of a file, by name."""
    loader = LOADERS / file
    done = feedbench.run(
        *("verify", photos, "--image-size", "96", "--batch-size", "12", "--json", "--quiet"),
        *(word for name in names for word in ("-p", f"{name}={loader}:{name}")),
    )
    assert done.stdout, done.stderr
    pipelines = json.loads(done.stdout)["pipelines"]
    return {each["label"]: each for each in pipelines}


def loaders_of(file: str) -> list[str]:
    """The functions of a file that take a workload and nothing else."""
    tree = ast.parse((LOADERS / file).read_text(encoding="utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return [
        each.name
        for each in functions
        if [arg.arg for arg in each.args.args] == ["workload"] and each.args.kwarg is None
    ]


def test_right_loaders_are_the_same_or_near(feedbench: Feedbench, natural: Path) -> None:
    names = [name for name in loaders_of("right.py") if name not in {"samples", "images"}]
    assert len(names) >= 30
    pipelines = verified(feedbench, natural, "right.py", names)
    failures = {name: it["failure"] for name, it in pipelines.items() if it["failure"]}
    assert not failures
    proofs = {name: it["proof"] for name, it in pipelines.items()}
    different = {name: it["reason"] for name, it in proofs.items() if it["work"] == "different"}
    assert not different
    kinds = {name: it["shuffle"]["kind"] for name, it in proofs.items()}
    assert {name: kind for name, kind in kinds.items() if kind != "full"} == {
        "list_of_batches": "fixed",
        "keras_directory_with_rescaling": "fixed",  # it is cached after it was shuffled
    }
    assert proofs["seeded_by_epoch"]["shuffle"]["fixed_in"] == "new iterators"


def test_each_fault_is_named(feedbench: Feedbench, natural: Path) -> None:
    assert len(FAULTS) >= 30
    pipelines = verified(feedbench, natural, "faulty.py", list(FAULTS))
    sentences = {
        name: it["failure"] or it["proof"]["reason"] or it["proof"]["shuffle"]["kind"]
        for name, it in pipelines.items()
    }
    unnamed = {name: it for name, it in sentences.items() if FAULTS[name] not in it}
    assert not unnamed
    matching = [it for it in sentences.values() if it.startswith("its pixels match ")]
    assert len(matching) >= 10
    assert [it for it in matching if not it.endswith(" grey levels from the reference")] == []
