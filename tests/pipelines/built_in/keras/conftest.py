"""Photos that look natural, on which a proof can tell one resize from another."""

from __future__ import annotations

from dataclasses import replace

import pytest

from feedbench.pipelines.contract import Workload
from feedbench.pipelines.images.sample_photos import write_photos
from tests.support.builders import workload_over


@pytest.fixture(scope="module")
def natural(tmp_path_factory: pytest.TempPathFactory) -> Workload:
    """60 natural-looking photos, to 96x96 in batches of 16."""
    folder = tmp_path_factory.mktemp("natural") / "photos"
    write_photos(folder, 60)
    return replace(workload_over(folder), height=96, width=96, batch_size=16)
