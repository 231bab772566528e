"""The pictures of an augmented epoch for its contact sheet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from feedbench.bench.equal_work.augmented.epoch import AugmentedEpoch
from feedbench.bench.equal_work.augmented.thumbnails import PICTURE, reduced
from feedbench.bench.equal_work.contact_sheets import Picture
from feedbench.bench.equal_work.identity.image_counts import file_id
from feedbench.bench.equal_work.reference_files import ReferenceFiles
from feedbench.pipelines.contract import Workload


def on_sheet(
    epoch: AugmentedEpoch, workload: Workload, files: ReferenceFiles, sheet: Sequence[int]
) -> list[Picture]:
    """Return small pictures of the images of the files at the places `sheet`.

    An image that is not recognised is left out: it is not known whether it came.
    """
    shown = []
    for place in sheet:
        at = np.flatnonzero(epoch.certain == place)
        references = files.pixels(place)
        if not len(at) or references is None:
            continue
        shown.append(
            Picture(
                file=file_id(workload, place),
                class_name=workload.class_names[workload.labels[place]],
                delivered_as=workload.class_names[int(epoch.labels[at[0]])],
                reference=reduced(references[0][np.newaxis], PICTURE)[0],
                delivered=epoch.pictures[at[0]].astype(np.float32),
            )
        )
    return shown
