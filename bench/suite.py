"""A ready suite: `pytest --pyargs feedbench.bench.suite --feedbench-data FOLDER --benchmark-only`.

One benchmark for each default pipeline, or for each `--feedbench-pipeline`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from feedbench.pipelines.catalog import DEFAULT_SPECS

if TYPE_CHECKING:
    from feedbench.bench.results import Row


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test of each pipeline."""
    specs = metafunc.config.getoption("--feedbench-pipeline") or DEFAULT_SPECS
    marked = [pytest.param(spec, marks=pytest.mark.feedbench(pipeline=spec)) for spec in specs]
    metafunc.parametrize("pipeline", marked, ids=specs)


def test_pipeline(pipeline: str, feedbench: Row) -> None:
    """Hand a pipeline's blocks to pytest-benchmark."""
    assert pipeline in {feedbench.spec, f"{feedbench.label}={feedbench.spec}"}
