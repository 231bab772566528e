"""A ready suite: `pytest --pyargs feedbench.bench.suite --feedbench-data=FOLDER --benchmark-only`.

One benchmark for each default pipeline, or for each `--feedbench-pipeline`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from feedbench.pipelines.catalog import DEFAULT_SPECS, parse
from feedbench.pipelines.errors import RequestError

if TYPE_CHECKING:
    from feedbench.bench.records.row import Row


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test of each pipeline."""
    specs = metafunc.config.getoption("--feedbench-pipeline") or DEFAULT_SPECS
    marked = [pytest.param(spec, marks=pytest.mark.feedbench(pipeline=spec)) for spec in specs]
    # By its label, under which a changed pipeline is found again in what was saved before.
    metafunc.parametrize("pipeline", marked, ids=[_label(spec) for spec in specs])


def _label(spec: str) -> str:
    try:
        return parse(spec).label
    except RequestError as error:
        raise pytest.UsageError(str(error)) from error


def test_pipeline(pipeline: str, feedbench: Row) -> None:
    """Hand a pipeline's blocks to pytest-benchmark."""
    assert pipeline in {feedbench.spec, f"{feedbench.label}={feedbench.spec}"}
