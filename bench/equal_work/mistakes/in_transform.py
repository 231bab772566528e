"""Images that are augmented where nobody asks for it. They are transformed at random.

A mistake of in_view.py changes all images alike; here, each image is changed by another transform.
"""

from __future__ import annotations

import numpy as np

from feedbench.bench.equal_work.augmented.agreement import description, varies
from feedbench.bench.equal_work.augmented.estimates import LEAST_ESTIMATED, estimated, transforms_of
from feedbench.bench.equal_work.augmented.recognition import Recogniser
from feedbench.bench.equal_work.augmented.thumbnails import Pictures, pictures, thumbnails
from feedbench.bench.equal_work.reference_files import ReferenceFiles
from feedbench.bench.records.proof import Likeness
from feedbench.pipelines.augmentation.ranges import Augmentation

MOST = 64  # images that are tried
_FILES = 400  # of the sample, that they are searched for among
_MOST_OF = 0.5  # of the images that may be of these files
_USUAL = Augmentation(
    flip=True, vertical_flip=True, rotate=25.0, width_shift=0.15, height_shift=0.15, zoom=0.25
)


def of_augmentation(files: ReferenceFiles, images: Pictures, share: float) -> Likeness | None:
    """Return the augmentation of images that match no file; None if they are of no file.

    `images` are pictures of some of these, which are a `share` of all images: a part of what is
    flipped at random is as it is in its file.
    """
    places = files.sample[:: max(len(files.sample) // _FILES, 1)].tolist()
    pairs = [files.pixels(place) for place in places]
    references = np.concatenate([pictures(pair[0][np.newaxis]) for pair in pairs if pair])
    recognised = Recogniser(thumbnails(references), _USUAL).recognise(thumbnails(images))
    at = np.flatnonzero(recognised.is_certain)
    of_these = len(places) / files.fingerprints.shape[1]
    if len(at) < max(_MOST_OF * of_these * len(images), LEAST_ESTIMATED):
        return None
    transforms = transforms_of(
        estimated(images[at], references[recognised.places[at]], recognised.affine[at])
    )
    if transforms is None or not varies(transforms, share):
        return None
    return Likeness(
        name=f"images augmented at random: {description(transforms)}",
        is_fault=True,
        images=len(at),
        distance=transforms.distance,
    )
