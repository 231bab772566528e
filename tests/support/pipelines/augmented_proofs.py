"""Proofs of pipelines that augment, whose figures a test gives."""

from __future__ import annotations

from typing import Any

from feedbench.bench.equal_work.augmented.proof import judged
from feedbench.bench.records.augmented import Augmented, Range, Transforms
from feedbench.bench.records.proof import Counts, Proof
from feedbench.pipelines.augmentation.ranges import Augmentation
from tests.support.builders import SHEET, a_shuffle

ASKED = Augmentation(flip=True, rotate=20.0, width_shift=0.1, zoom=0.2, brightness=0.2)


def both_ways(reach: float, centre: float = 0.0) -> Range:
    """A range to both sides of its centre."""
    return Range(low=centre - reach, high=centre + reach)


def transforms(**given: Any) -> Transforms:
    """Transforms as asked for, but for what is given."""
    fields: dict[str, Any] = {
        "images": 512,
        "flipped": 0.49,
        "upside_down": 0.0,
        "rotation": both_ways(20),
        "width_shift": both_ways(0.1),
        "height_shift": both_ways(0.0),
        "zoom": both_ways(0.2, 1.0),
        "brightness": both_ways(0.2, 1.0),
        "contrast": 50.0,
        "distance": 2.1,
    }
    return Transforms(**fields | given)


def an_augmented_proof(found: Transforms | None = None, **given: Any) -> Proof:
    """A proof over 600 images, judged by its figures."""
    fields: dict[str, Any] = {
        "asked": ASKED,
        "is_identity_proven": True,
        "expected": 0.99,
        "tried": 600,
        "recognised": 599,
        "certain": 596,
        "margin": 15.2,
        "frozen": 0.0,
        "transforms": found or transforms(),
    }
    proof = Proof(
        work="augmented",
        counts=Counts(images=600),
        compared=512,
        shuffle=a_shuffle(),
        augmented=Augmented(**fields | given),
        sheet=SHEET,
    )
    return judged(proof, epochs=3)
