"""Small photos as a workload, and built-in pipelines that are opened over them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from feedbench.pipelines.contract import Workload
from tests.pipelines.built_in.delivery.delivering import (
    Open,
    Pixels,
    opened_in,
    pillow,
    workload_of,
)


@pytest.fixture(scope="session")
def workload(photos: Path) -> Workload:
    return workload_of(photos)


@pytest.fixture
def opened(workload: Workload, tmp_path: Path) -> Open:
    """Opens the pipeline of a SPEC, by default over the 39 photos."""

    def open_(spec: str, work: Workload = workload) -> Any:
        return opened_in(tmp_path, spec, work)

    return open_


@pytest.fixture(scope="session")
def pillows(workload: Workload) -> Pixels:
    """The photos as Pillow decodes and resizes them, in file order: `[39, 32, 40, 3]`."""
    return np.stack([pillow(file) for file in workload.files])
