"""What each of the three packages offers to others: exactly these names, and no other by chance."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from types import ModuleType

import pytest

import feedbench.bench
import feedbench.pipelines
import feedbench.reports

PIPELINES = [
    "LUMA",
    "Batch",
    "Channels",
    "Dtype",
    "Feed",
    "FeedbenchError",
    "InterruptionError",
    "KnobOverruledWarning",
    "LabelMode",
    "Pipeline",
    "PreparationError",
    "Preparing",
    "RequestError",
    "Workload",
    "WrongWorkError",
]
BENCH = [
    "Listener",
    "Quiet",
    "Row",
    "RunOptions",
    "RunRecord",
    "TrialRecord",
    "perform",
    "read_run",
    "read_trials",
]
REPORTS = ["render"]
PACKAGES = [
    (feedbench.pipelines, PIPELINES),
    (feedbench.bench, BENCH),
    (feedbench.reports, REPORTS),
]


@pytest.mark.parametrize(("package", "names"), PACKAGES)
def test_a_package_offers_these_names(package: ModuleType, names: list[str]) -> None:
    assert package.__all__ == names
    for name in names:
        assert getattr(package, name) is not None


@pytest.mark.parametrize(("package", "names"), PACKAGES)
def test_what_a_package_imports_for_itself_is_not_public(
    package: ModuleType, names: list[str]
) -> None:
    modules = {name for name, value in vars(package).items() if isinstance(value, ModuleType)}
    private = {name for name in vars(package) if name.startswith("_")}
    assert set(vars(package)) - modules - private - {"TYPE_CHECKING"} <= set(names)


@pytest.mark.parametrize(("package", "names"), PACKAGES)
def test_a_name_that_is_not_there_is_an_attribute_error(
    package: ModuleType, names: list[str]
) -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = import_module(package.__name__).nothing


def test_no_package_loads_anything_heavy_until_it_is_asked() -> None:
    script = """
import sys
import feedbench.bench, feedbench.pipelines, feedbench.reports
heavy = {"tensorflow", "pandas", "matplotlib", "scipy", "numpy", "PIL", "msgspec"}
assert not heavy & sys.modules.keys(), heavy & sys.modules.keys()
"""
    subprocess.run([sys.executable, "-c", script], check=True)
