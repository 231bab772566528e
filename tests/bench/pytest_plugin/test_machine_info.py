"""When a comparison with a saved session warns of another machine."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from feedbench.bench.machine.environment import describe
from feedbench.bench.run import benchmark_json
from tests.support.builders import a_row, a_run
from tests.support.programs.suites import run_here

pytest_plugins = ("pytester",)

OTHERS = """
def test_something_else(benchmark):
    benchmark(sum, [1, 2])
"""
SKIPPED = """
import pytest

@pytest.mark.skip
@pytest.mark.feedbench(pipeline="tfdata_naive")
def test_naive(feedbench):
    pass
"""
QUICK = ("--benchmark-max-time=0.01", "--benchmark-storage=file://kept")
CHANGED = "Benchmark machine_info is different"


class Compared:
    """Two sessions of the same suite, of which the second is compared with the first."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self._pytester = pytester

    def saved(self, tests: str) -> dict[str, Any]:
        done = run_here(self._pytester, tests, *QUICK, "--benchmark-save=base")
        assert done.returncode == 0, done.stdout + done.stderr
        info: dict[str, Any] = json.loads(self._file.read_text())["machine_info"]
        return info

    def is_warned(self, tests: str, change: Callable[[dict[str, Any]], object]) -> bool:
        """Whether the second session warns after this change of the first one's machine."""
        content = json.loads(self._file.read_text())
        change(content["machine_info"])
        self._file.write_text(json.dumps(content))
        (self._pytester.path / "theirs" / "test_loading.py").write_text(tests)
        with warnings.catch_warnings(record=True) as issued:
            warnings.simplefilter("always")
            done = self._pytester.runpytest_inprocess(
                "-p", "no:hypothesispytest", *QUICK, "--benchmark-compare"
            )
        assert done.ret == 0
        return any(CHANGED in str(warning.message) for warning in issued)

    @property
    def _file(self) -> Path:
        (file,) = (self._pytester.path / "kept").rglob("*_base.json")
        return file


@pytest.fixture
def compared(pytester: pytest.Pytester) -> Compared:
    return Compared(pytester)


def faster(machine: dict[str, Any]) -> None:
    machine["cpu"] |= {name: "9.9 GHz" for name in machine["cpu"] if name.startswith("hz_")}


def other_packages(machine: dict[str, Any]) -> None:
    machine["packages"]["tensorflow"] = "1.0"


def other_processor(machine: dict[str, Any]) -> None:
    machine["cpu"]["brand_raw"] = "another one"


def test_what_pytest_benchmark_saves_has_the_fields_of_a_runs_own_file(
    compared: Compared, tmp_path: Path
) -> None:
    machine = compared.saved(OTHERS + SKIPPED)
    ours: Any = benchmark_json.benchmark_of(tmp_path, a_run(a_row("a"), blocks=1), [])
    assert ours["machine_info"].keys() <= machine.keys()
    assert ours["machine_info"]["cpu"].keys() <= machine["cpu"].keys()
    assert machine["packages"] == describe().packages


def test_a_session_without_a_test_of_ours_is_saved_as_usual(compared: Compared) -> None:
    assert "packages" not in compared.saved(OTHERS)


@pytest.mark.parametrize("tests", [OTHERS + SKIPPED, OTHERS])
def test_the_same_machine_at_another_clock_rate_causes_no_warning(
    compared: Compared, tests: str
) -> None:
    assert any(name.startswith("hz_") for name in compared.saved(OTHERS + SKIPPED)["cpu"])
    assert not compared.is_warned(tests, faster)


@pytest.mark.parametrize("change", [other_packages, other_processor])
def test_other_packages_and_another_processor_cause_one(
    compared: Compared, change: Callable[[dict[str, Any]], object]
) -> None:
    compared.saved(OTHERS + SKIPPED)
    assert compared.is_warned(OTHERS + SKIPPED, change)


def test_a_session_saved_without_a_test_of_ours_is_compared_as_usual(compared: Compared) -> None:
    compared.saved(OTHERS)
    assert compared.is_warned(OTHERS, faster)
