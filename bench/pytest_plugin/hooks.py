"""Pipelines as benchmarks in somebody's own test suite, at home with pytest-benchmark.

pytest-benchmark measures tests one after another in one process, which is no fair comparison. So a
run happens once for all tests of a folder, started by the first that needs it, with blocks and
processes of its own; and each test hands its pipeline's blocks to pytest-benchmark by a timer that
each round advances by one block's seconds per image. OPS is then images/s.

pytest imports this module wherever Feedbench is installed: nothing heavy is imported before a test
asks for the fixture.
"""

from __future__ import annotations

import contextlib
import inspect
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

import pytest

from feedbench.pipelines.errors import FeedbenchError

if TYPE_CHECKING:
    from feedbench.bench.pytest_plugin.runs import Runs
    from feedbench.bench.records.row import Row

OPTIONS: tuple[tuple[str, str, str | None, str], ...] = (
    ("data", "FOLDER", None, "photos, for tests that name none; without it: 512 sample photos"),
    ("time", "TIME", None, "for each run, all included: 90s, 5m, 1h (default: 5m)"),
    ("blocks", "N", None, "exactly so many blocks (verdicts need 4), with no limit on time"),
    ("margin", "SHARE", "5%", "what counts as equivalent"),
    ("limit", "N|all", None, "images to measure (default: as many as the time allows)"),
    ("image-size", "N|HxW", "224", "pixels that are delivered"),
    ("channels", "1|3", "3", "grey or RGB"),
    ("dtype", "float32|uint8", "float32", "of the images"),
    ("range", "0..1|-1..1|0..255", None, "black and white (default: 0..1, or 0..255 for uint8)"),
    ("label-mode", "int|categorical|binary", "int", "of the labels"),
    ("batch-size", "N", "32", "images in a batch"),
    ("labels", "CSV|REGEX", None, "where the labels stand if not in sub-folders"),
    ("classes", "A,B", None, "the classes to take (default: all)"),
    ("part", "train|validation|test", None, "of a folder that has these inside (default: train)"),
    ("check", "none|header|decode", "decode", "how images are looked at beforehand"),
    ("bad-images", "error|skip", "error", "refuse a folder with bad images, or leave them out"),
    ("max-pixels", "N", None, "above which an image is bad (default: Pillow's own limit)"),
    ("page-cache", "warm|cold", "warm", "as the first epochs find their files"),
    ("seed", "N", "0", "what every random choice follows from"),
    ("prepared", "DIR", None, "where what pipelines write beforehand is kept"),
    ("against", "PYTHON", None, "another environment's: measured too, for `feedbench compare RUN`"),
    ("out", "DIR", None, "a new folder for the run (default: among pytest's temporary ones)"),
)
FLAGS = (
    ("trace", "look for the reasons as well, within a fifth of the time"),
    ("fresh-interpreter", "a whole new Python a trial, not a forked one"),
)
_PATHS = ("data", "labels", "prepared", "against", "out")
# Behind a space, pytest takes what they name for a folder of tests.
_METAVARS = {f"--feedbench-{name}": metavar for name, metavar, *_ in OPTIONS if name in _PATHS}


class BlockTimer:
    """A clock that shows the seconds per image that have been handed over."""

    __name__ = "seconds per image"

    def __init__(self) -> None:
        self._now = 0.0

    def __call__(self) -> float:
        """Return the seconds so far."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let so many seconds have passed."""
        self._now += seconds


class Wanted:
    """What a test asks for: a pipeline over a folder."""

    def __init__(self, label: str, spec: str, folder: Path | None) -> None:
        self.label = label
        self.spec = spec
        self.text = spec if label == spec else f"{label}={spec}"
        self.folder = folder  # None: the sample photos
        self.timer = BlockTimer()


WANTED: pytest.StashKey[Wanted] = pytest.StashKey()
_WHY_NOT: pytest.StashKey[str] = pytest.StashKey()
_RUNS: pytest.StashKey[Runs] = pytest.StashKey()
_IS_OURS: pytest.StashKey[bool] = pytest.StashKey()  # a test of the session asks for the fixture


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, each as the command line's of the same name."""
    group = parser.getgroup("feedbench", "Feedbench: input pipelines as benchmarks")
    for name, metavar, default, meaning in OPTIONS:
        told = f"{meaning} (default: {default})" if default else meaning
        text = told.replace("%", "%%")  # or argparse fills it in
        group.addoption(f"--feedbench-{name}", metavar=metavar, default=default, help=text)
    for name, meaning in FLAGS:
        group.addoption(f"--feedbench-{name}", action="store_true", help=meaning)
    group.addoption(
        "--feedbench-pipeline",
        metavar="[LABEL=]SPEC",
        action="append",
        help="for feedbench.bench.suite, once for each; the first is the baseline (default: six)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Say what the marker is for."""
    config.addinivalue_line(
        "markers",
        "feedbench(pipeline, folder=None, label=None): the test's input pipeline, a SPEC such as"
        " 'tfdata_tuned:cache=none' or a function photos(workload); its fixture `feedbench` is the"
        " pipeline's row",
    )
    if _misread(config) is not None:
        # They would write to where somebody's photos are.
        for name in ("lfplugin", "nfplugin"):
            config.pluginmanager.unregister(name=name)


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say it where pytest has misread the option: it looks for its root before it knows ours."""
    if (option := _misread(config)) is None:
        return None
    return (
        f"feedbench: pytest takes what stands behind {option} for a folder of tests, and so another"
        f" root than here; write {option}={_METAVARS[option]}, with an ="
    )


def _misread(config: pytest.Config) -> str | None:
    """Return the option behind which something stands that pytest has taken for tests."""
    here, root = config.invocation_params.dir, config.rootpath
    if root == here or (root in here.parents and config.inipath is not None):
        return None  # as usual
    return next((option for option in _METAVARS if option in config.invocation_params.args), None)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Forget how pytest imported the ready suite: as `bench.suite`, from a new path's beginning.

    It takes the rooms for top-level packages, as no `__init__.py` stands above them; somebody's own
    bench, pipelines or reports would no longer be found.
    """
    rooms = Path(__file__).parents[2]
    if collector.path != rooms / "bench" / "suite.py":
        return (yield)
    theirs = _forgotten()
    report = yield
    _forgotten()
    sys.modules |= theirs
    sys.path[:] = [entry for entry in sys.path if entry != str(rooms)]
    return report


def _forgotten() -> dict[str, ModuleType]:
    """Return the modules of a top-level package `bench`, which are forgotten."""
    names = [name for name in sys.modules if name.partition(".")[0] == "bench"]
    return {name: sys.modules.pop(name) for name in names}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Read the markers, before a hook of another plugin looks at those of pytest-benchmark."""
    seen: dict[tuple[Path | None, str], str] = {}
    for item in items:
        marker = item.get_closest_marker("feedbench")
        # A mark of a class or a module stands on tests too that do not ask.
        asks = "feedbench" in getattr(item, "fixturenames", ())
        if marker is None or not asks or not config.pluginmanager.hasplugin("benchmark"):
            continue
        try:
            wanted = _wanted(item, *marker.args, **marker.kwargs)
        except (TypeError, FeedbenchError) as error:  # an argument that the mark does not have
            raise pytest.UsageError(f"{item.nodeid}: {error}") from error
        item.stash[WANTED] = wanted
        config.stash[_IS_OURS] = True
        spec = seen.setdefault((wanted.folder, wanted.label), wanted.spec)
        if spec != wanted.spec:
            raise pytest.UsageError(
                f"{item.nodeid}: two pipelines have the name {wanted.label!r}: {spec} and"
                f" {wanted.spec}; give one of them another, by label="
            )
        own = item.get_closest_marker("benchmark")
        options = {**(own.kwargs if own is not None else {}), "timer": wanted.timer}
        # Before a marker of the test's own, which would hide it.
        item.add_marker(pytest.mark.benchmark(**options), append=False)


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_machine_info(
    config: pytest.Config, machine_info: dict[str, Any]
) -> None:
    """Add the packages' versions, as a run's benchmark.json has them.

    pytest-benchmark warns where a saved session's differ. Nothing else: in a session without a test
    of ours it would warn of what has nothing to do with it.
    """
    if config.stash.get(_IS_OURS, False):
        from feedbench.bench.machine.environment import describe

        machine_info["packages"] = describe().packages


@pytest.fixture(name="feedbench")
def feedbench_(
    request: pytest.FixtureRequest, benchmark: Any, tmp_path_factory: pytest.TempPathFactory
) -> Row:
    """Return the row of the test's pipeline, whose blocks are the rounds of its benchmark.

    The first test that asks starts the run of all that are to be run over the same folder; the
    first of these is the baseline. Where the pipeline failed or does not deliver the work, nothing
    is handed over, for what a failed test has measured is saved; its test is not called, but fails.
    Skips where each of its trials was disturbed: a build should not fail of that.
    """
    wanted = request.node.stash.get(WANTED, None)
    if wanted is None:
        raise pytest.UsageError(
            f"{request.node.nodeid} has no pipeline: mark it, such as"
            " @pytest.mark.feedbench(pipeline='tfdata_naive')"
        )
    if benchmark.disabled:
        benchmark.pedantic(lambda: None)  # or it warns that nobody has used it
        pytest.skip("benchmarks are disabled here, so that no pipeline is measured")
    from feedbench.bench.pytest_plugin.runs import Runs

    runs = request.config.stash.setdefault(_RUNS, Runs(request.session, tmp_path_factory))
    try:
        found = runs.measured(wanted)
    except BaseException:  # Ctrl-C, or a skip
        _let_fail(benchmark)
        raise
    if isinstance(found, str):
        request.node.stash[_WHY_NOT] = found
        _let_fail(benchmark)
        return cast("Row", _NoRow(found))
    row, rounds, extra = found
    benchmark.extra_info.update(extra)  # in place: another dict would not be saved
    left = iter(rounds)
    # A profiler calls it once more than there are rounds.
    benchmark.pedantic(
        lambda: wanted.timer.advance(next(left, 0.0)), rounds=len(rounds), iterations=1
    )
    return row


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> None:
    """Fail the test whose pipeline has nothing sound to hand over, in place of calling it."""
    if _WHY_NOT in pyfuncitem.stash:
        pytest.fail(pyfuncitem.stash[_WHY_NOT], pytrace=False)


class _NoRow:
    """Stands in for a row that there is not: a fixture that looks at it fails with the reason."""

    def __init__(self, why: str) -> None:
        self._why = why

    def __getattr__(self, name: str) -> Any:
        pytest.fail(self._why, pytrace=False)


def _let_fail(benchmark: Any) -> None:
    """Use the fixture to no end, or it warns that nobody has: what raises in it is not saved."""

    def refuse() -> None:
        raise RuntimeError

    with contextlib.suppress(RuntimeError):
        benchmark.pedantic(refuse)


def _wanted(
    item: pytest.Item,
    pipeline: str | Callable[..., Any] = "",
    folder: object = None,
    label: str | None = None,
) -> Wanted:
    """Read a marker; a folder is relative to the test's file, as an option's is to where we are."""
    from feedbench.pipelines.catalog import parse

    if not pipeline or not (callable(pipeline) or isinstance(pipeline, str)):
        raise pytest.UsageError(
            f"{item.nodeid}: expected @pytest.mark.feedbench(pipeline=...), a SPEC or a function"
        )
    if callable(pipeline):
        name, spec = _of_function(item, pipeline)
    else:
        parsed = parse(pipeline)
        name, spec = parsed.label, parsed.text
    given = item.config.getoption("--feedbench-data")
    photos = None if given is None else Path(given).absolute()
    if folder is not None:
        photos = item.path.parent / str(folder)
    wanted = Wanted(label or name, spec, photos)
    if parse(wanted.text).label != wanted.label:
        raise pytest.UsageError(f"{item.nodeid}: expected a label without : and =; found {label!r}")
    return wanted


def _of_function(item: pytest.Item, function: Callable[..., Any]) -> tuple[str, str]:
    """Return a function's name and its SPEC: it is imported anew, from its file, in each trial."""
    inner = inspect.unwrap(function)
    name = getattr(function, "__name__", "")
    found = inspect.getmodule(inner)
    if not inspect.isfunction(inner) or getattr(found, name, None) is not function:
        raise pytest.UsageError(
            f"{item.nodeid}: expected a function at the top of a module, which a trial's process"
            f" can import; found {function!r}"
        )
    assert found is not None
    return name, f"{found.__file__}:{name}"
