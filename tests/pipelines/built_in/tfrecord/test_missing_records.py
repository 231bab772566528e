"""Record files that were deleted from the cache after they were written."""

from __future__ import annotations

from pathlib import Path

import pytest

from feedbench.pipelines.catalog import load, spec_of
from feedbench.pipelines.errors import PreparationError
from tests.support.builders import workload_over

pytestmark = [pytest.mark.tensorflow, pytest.mark.thorough]


@pytest.mark.parametrize("name", ["tfrecord_gzip", "tfrecord_sharded"])
def test_records_that_are_gone_are_called_so(name: str, photos: Path, tmp_path: Path) -> None:
    pipeline = load(spec_of(name, name))
    with pytest.raises(PreparationError, match="its prepared files are gone from") as caught:
        pipeline.open(workload_over(photos), tmp_path, tmp_path)
    assert caught.value.hint == "a new run writes them anew"
