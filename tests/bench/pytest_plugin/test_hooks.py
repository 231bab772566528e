"""The pytest plugin as a stranger meets it: in a suite of one's own, by the installed package."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.markdown import GATE, blocks
from tests.support.programs.suites import Suite, run_here
from tests.support.waiting import gone, until

pytest_plugins = ("pytester",)

SMALL = ("--feedbench-image-size=32", "--feedbench-batch-size=8")
THEIRS = """
import pytest
from .loader import photos as mine

@pytest.mark.feedbench(pipeline="tfdata_naive")
def test_naive(feedbench):
    assert feedbench.rate > 0

@pytest.mark.benchmark(group="ours")
@pytest.mark.feedbench(pipeline=mine)
def test_mine(feedbench):
    assert feedbench.ratio is not None

def test_of_something_else():
    pass
"""


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    return Suite(tmp_path, THEIRS)


def test_a_strangers_suite_with_folders_of_the_same_names_is_not_disturbed(tmp_path: Path) -> None:
    for room in ("bench", "pipelines", "reports"):
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").write_text(f"name = {room!r}\n")
    theirs = """
import sys

def test_own_packages():
    import bench, pipelines, reports
    assert [bench.name, pipelines.name, reports.name] == ["bench", "pipelines", "reports"]

def test_nothing_heavy_is_loaded():
    heavy = {"tensorflow", "numpy", "pandas", "feedbench.bench.run.run", "feedbench.reports"}
    assert not heavy & sys.modules.keys()
"""
    done = Suite(tmp_path, theirs).run("-q")
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout
    written = {file.name for file in tmp_path.iterdir()} - {"bench", "pipelines", "reports"}
    assert written <= {"theirs", "pytest.ini", ".pytest_cache", ".benchmarks"}  # pytest's own
    assert not any((tmp_path / ".benchmarks").iterdir())


def test_a_mark_of_a_class_is_nothing_to_a_test_that_does_not_ask(
    pytester: pytest.Pytester,
) -> None:
    theirs = """
import pytest

@pytest.mark.feedbench(pipeline="tfdata_naive")
class TestLoading:
    def test_something_else(self, benchmark):
        benchmark(sum, [1, 2])
"""
    done = run_here(pytester, theirs, "--benchmark-max-time=0.01")
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout
    assert "feedbench: measuring" not in done.stdout


def test_a_folder_of_images_and_records_are_refused(pytester: pytest.Pytester) -> None:
    done = run_here(pytester, THEIRS, "--feedbench-data=photos", "--feedbench-records=a.tfrecord")
    assert done.returncode == 4
    assert "--feedbench-records a.tfrecord: expected no --feedbench-data as well" in done.stderr
    assert "hint: leave one of them out" in done.stderr


@pytest.mark.parametrize(
    ("words", "outcome"),
    [
        (("--benchmark-skip",), "1 passed, 2 skipped"),
        (("--benchmark-disable",), "1 passed, 2 skipped"),
        (("--collect-only", "-q"), "3 tests collected"),
        (("-k", "something_else"), "1 passed, 2 deselected"),
    ],
)
def test_where_nothing_is_to_be_measured_nothing_is_begun(
    pytester: pytest.Pytester, words: tuple[str, ...], outcome: str
) -> None:
    done = run_here(pytester, THEIRS, *words)
    assert done.returncode == 0, done.stdout
    assert outcome in done.stdout
    assert "feedbench: measuring" not in done.stdout


def test_nothing_is_measured_in_a_worker_of_xdist(suite: Suite) -> None:
    done = suite.run("-n", "1")
    assert done.returncode == 0, done.stdout
    assert "1 passed, 2 skipped" in done.stdout
    assert "feedbench: measuring" not in done.stdout


def test_without_pytest_benchmark_other_tests_go_on(pytester: pytest.Pytester) -> None:
    theirs = (
        "import pytest\n@pytest.mark.feedbench(pipeline='tfdata_naive')\n"
        "def test_naive(feedbench): pass\ndef test_of_something_else(): pass\n"
    )
    done = run_here(pytester, theirs, "-p", "no:benchmark")
    assert "fixture 'benchmark' not found" in done.stdout
    assert "1 passed, 1 error" in done.stdout


_MARK = "@pytest.mark.feedbench"


@pytest.mark.parametrize(
    ("marker", "sentence"),
    [
        (_MARK, "expected @pytest.mark.feedbench(pipeline=...) with a SPEC or a function"),
        (f"{_MARK}(pipelin='tfdata_naive')", "unexpected keyword argument 'pipelin'"),
        (f"{_MARK}(pipeline=':x')", "':x': expected [label=]NAME[:knob=value,...]"),
        (f"{_MARK}(pipeline=3)", "expected @pytest.mark.feedbench(pipeline=...) with a SPEC or a"),
        (f"{_MARK}(pipeline=lambda workload: [])", "expected a function at the top level of"),
        (f"{_MARK}(pipeline='tfdata_naive', label='a=b')", "expected a label without : and =;"),
        ("", "hint: mark it, such as @pytest.mark.feedbench(pipeline='tfdata_naive')"),
    ],
)
def test_a_test_that_names_no_pipeline_is_told_how(
    pytester: pytest.Pytester, marker: str, sentence: str
) -> None:
    theirs = f"import pytest\n\n{marker}\ndef test_it(feedbench):\n    pass\n"
    done = run_here(pytester, theirs)
    assert done.returncode != 0
    assert sentence in done.stdout + done.stderr


def test_two_pipelines_of_one_name_are_refused(pytester: pytest.Pytester) -> None:
    theirs = (
        "import pytest\n"
        "@pytest.mark.feedbench(pipeline='x=tfdata_naive')\n"
        "def test_one(feedbench): pass\n"
        "@pytest.mark.feedbench(pipeline='tfdata_tuned', label='x')\n"
        "def test_two(feedbench): pass\n"
    )
    done = run_here(pytester, theirs)
    assert done.returncode == 4
    assert "two pipelines have the name 'x': tfdata_naive and tfdata_tuned" in done.stderr


@pytest.mark.tensorflow
@pytest.mark.end_to_end
def test_one_run_serves_all_tests_and_ops_are_its_images_per_second(
    suite: Suite, photos: Path
) -> None:
    words = (f"--feedbench-data={photos}", *SMALL, "--feedbench-blocks=1", "--feedbench-out=R")
    kept = ("--benchmark-storage=file://kept", "--benchmark-save=base")
    done = suite.run(*words, *kept, "--benchmark-histogram=drawn")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(f"feedbench: measuring tfdata_naive, photos over {photos};") == 1
    assert (suite.folder / "drawn.svg").exists()
    saved = next((suite.folder / "kept").rglob("*_base.json"))
    benchmarks: dict[str, Any] = {
        each["name"]: each for each in json.loads(saved.read_text())["benchmarks"]
    }
    run = json.loads((suite.folder / "R" / "run.json").read_bytes())
    rates = {row["label"]: row["rate"] for row in run["rows"]}
    assert benchmarks["test_naive"]["stats"]["ops"] == pytest.approx(
        rates["tfdata_naive"], rel=1e-6
    )
    assert benchmarks["test_mine"]["stats"]["ops"] == pytest.approx(rates["photos"], rel=1e-6)
    assert benchmarks["test_mine"]["group"] == "ours"
    assert benchmarks["test_naive"]["extra_info"]["work"] == "same"
    assert benchmarks["test_naive"]["extra_info"]["run"] == str(suite.folder / "R")
    assert (suite.folder / "R" / "benchmark.json").exists()
    page = suite.folder / "R" / "report.html"
    assert f"; the run is in R, and its page is {page.relative_to(suite.folder)}" in done.stdout
    assert "pytest --feedbench-data=" in page.read_text()  # how to repeat it

    # As a build would have it, whose loading has become ten times slower since it was saved.
    before = json.loads(saved.read_text())
    for each in before["benchmarks"]:
        each["stats"] |= {name: each["stats"][name] / 10 for name in ("min", "max", "mean")}
    saved.write_text(json.dumps(before))
    gate = ("--benchmark-compare", "--benchmark-compare-fail=mean:20%", "-k", "naive")
    again = suite.run(*words[:-1], kept[0], *gate)
    assert again.returncode == 1, again.stdout + again.stderr
    assert "Performance has regressed" in again.stdout + again.stderr
    assert f"feedbench: measuring tfdata_naive over {photos}; the run is in" in again.stdout


@pytest.mark.tensorflow
@pytest.mark.end_to_end
def test_what_fails_fails_its_own_test_with_its_reason_and_each_folder_has_a_run_of_its_own(
    tmp_path: Path, photos: Path
) -> None:
    theirs = (
        THEIRS.replace(
            "from .loader import photos as mine",
            "def mine(workload):\n    raise OSError('the disk is gone')\n",
        )
        + """
from .loader import batches

def mirrored(workload):
    return [(images[:, :, ::-1], labels) for images, labels in batches(workload)]

@pytest.mark.feedbench(pipeline=mirrored, label="theirs")
def test_mirrored(feedbench):
    pass

@pytest.fixture
def rate(feedbench):
    return feedbench.rate

@pytest.mark.feedbench(pipeline=mirrored, label="theirs")
def test_by_a_fixture(rate):
    pass

@pytest.mark.skip
@pytest.mark.feedbench(pipeline=mirrored, label="never")
def test_never(feedbench):
    pass

@pytest.mark.feedbench(pipeline="tfdata_naive", folder="nowhere")
def test_nowhere(feedbench):
    pass
"""
    )
    done = Suite(tmp_path, theirs).run(
        *(f"--feedbench-data={photos}", *SMALL, "--feedbench-blocks=1", "--feedbench-out=R"),
        *("--benchmark-json=b.json", "-rN"),  # no summary, which would say it again
    )
    assert done.returncode == 1
    assert "3 failed, 2 passed, 1 skipped, 1 error" in done.stdout
    assert f"there is no folder {tmp_path}/theirs/nowhere" in done.stdout
    assert [folder.name for folder in (tmp_path / "R").iterdir()] == [
        "-".join(str(photos).split("/")[1:])
    ]
    assert "feedbench: measuring tfdata_naive, mine, theirs over" in done.stdout
    assert "mine: it raised OSError: the disk is gone" in done.stdout
    assert "theirs does not do equal work: 39 of 39 delivered images" in done.stdout
    assert done.stdout.count("theirs does not do equal work") == 2
    assert "was not used at all" not in done.stdout
    saved = json.loads((tmp_path / "b.json").read_text())["benchmarks"]
    assert [each["name"] for each in saved] == ["test_naive"]


OTHERS = """
import sys
import pytest

def test_something_else(benchmark):
    benchmark(sum, [1, 2])

@pytest.fixture(scope="session", autouse=True)
def nothing_heavy(pytestconfig):
    pytestconfig.add_cleanup(look)

def look():
    heavy = {"tensorflow", "pandas", "feedbench.bench.run.run", "feedbench.reports"}
    assert not heavy & sys.modules.keys()
"""
SKIPPED = """
@pytest.mark.skip
@pytest.mark.feedbench(pipeline="tfdata_naive")
def test_naive(feedbench):
    pass
"""
QUICK = ("--benchmark-max-time=0.01", "--benchmark-storage=file://kept")


def test_two_sessions_on_one_machine_are_compared_without_a_warning(tmp_path: Path) -> None:
    suite = Suite(tmp_path, OTHERS + SKIPPED)
    first = suite.run(*QUICK, "--benchmark-save=base")
    second = suite.run(*QUICK, "--benchmark-compare")
    assert first.returncode == second.returncode == 0, first.stdout + second.stdout
    assert "Comparing against benchmarks from" in second.stderr
    assert "machine_info is different" not in second.stdout + second.stderr


def test_a_wrong_option_is_named_as_it_is_called_here(suite: Suite, photos: Path) -> None:
    done = suite.run(f"--feedbench-data={photos}", "--feedbench-time=soon")
    assert done.returncode == 1
    assert "--feedbench-time 'soon': expected a time such as 90s, 5m or 1h" in done.stdout


@pytest.mark.tensorflow
@pytest.mark.end_to_end
def test_ctrl_c_ends_the_run_and_the_session(suite: Suite, photos: Path) -> None:
    words = (f"--feedbench-data={photos}", *SMALL, "--feedbench-blocks=50", "--feedbench-out=R")
    with suite.start(*words) as process:
        trials = suite.folder / "R" / "trials.jsonl"
        until(lambda: trials.exists() and '"block":1' in trials.read_text())
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 2, out + err
    assert "KeyboardInterrupt" in out
    assert "was not used at all" not in out  # where warnings are errors, the exit code would be 1
    assert gone(child.pid for child in children)
    assert json.loads((suite.folder / "R" / "run.json").read_bytes())["status"] == "interrupted"
    assert {"benchmark.json", "report.html"} <= {file.name for file in trials.parent.iterdir()}


PIPELINES = re.compile(r"^PIPELINES = (.*)$", re.MULTILINE)


def file_to_copy() -> str:
    """The test file that docs/gate.md hands out to be copied."""
    (file,) = (each.text for each in blocks(GATE, "python") if PIPELINES.search(each.text))
    return file


def test_the_file_to_copy_has_a_benchmark_of_each_pipeline(pytester: pytest.Pytester) -> None:
    file = file_to_copy()
    done = run_here(pytester, file, "--collect-only", "-q")
    assert done.returncode == 0, done.stdout
    (pipelines,) = PIPELINES.findall(file)
    specs = re.findall(r'"(.+?)"', pipelines)
    assert len(specs) > 2
    assert f"{len(specs)} tests collected" in done.stdout
    assert all(f"test_pipeline[{spec}]" in done.stdout for spec in specs)


def test_pytest_takes_the_options_of_the_commands_on_that_page(pytester: pytest.Pytester) -> None:
    commands = [each.text for each in blocks(GATE, "sh") if each.text.startswith("pytest test_")]
    assert len(commands) > 1
    words = re.findall(r"--feedbench\S+", " ".join(commands))
    done = run_here(pytester, file_to_copy(), *words, "--collect-only", "-q")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "tests collected" in done.stdout


@pytest.mark.tensorflow
@pytest.mark.end_to_end
def test_the_file_to_copy_measures_over_photos_that_it_makes(tmp_path: Path) -> None:
    suite = Suite(tmp_path, PIPELINES.sub('PIPELINES = ["a=tfdata_naive"]', file_to_copy()))
    done = suite.run(
        *("-v", *SMALL, "--feedbench-blocks=1", "--feedbench-limit=32", "--benchmark-json=b.json")
    )
    assert done.returncode == 0, done.stdout
    assert "feedbench: measuring a over sample photos; the run is in" in done.stdout
    assert "feedbench: Writing 512 sample photos to" in done.stdout
    saved = json.loads((tmp_path / "b.json").read_text())["benchmarks"]
    assert [each["name"] for each in saved] == ["test_pipeline[a=tfdata_naive]"]
