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
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from feedbench.bench.pytest_plugin.wanted import WANTED, Wanted, add_options, plugin_options
from feedbench.pipelines.errors import FeedbenchError

if TYPE_CHECKING:
    from feedbench.bench.pytest_plugin.runs import Runs
    from feedbench.bench.records.row import Row

_WHY_NOT: pytest.StashKey[str] = pytest.StashKey()
_RUNS: pytest.StashKey[Runs] = pytest.StashKey()
_IS_OURS: pytest.StashKey[bool] = pytest.StashKey()  # a test of the session asks for the fixture


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, each as the command line's of the same name."""
    group = parser.getgroup("feedbench", "Feedbench: input pipelines as benchmarks")
    add_options(group, plugin_options())


def pytest_configure(config: pytest.Config) -> None:
    """Say what the marker is for."""
    config.addinivalue_line(
        "markers",
        "feedbench(pipeline, folder=None, label=None): the test's input pipeline, a SPEC such as"
        " 'tfdata_tuned:cache=none' or a function photos(workload); its fixture `feedbench` is the"
        " pipeline's row",
    )


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
        theirs = item.get_closest_marker("benchmark")
        options = {**(theirs.kwargs if theirs is not None else {}), "timer": wanted.timer}
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
        blocks = runs.measured(wanted)
    except BaseException:  # Ctrl-C, or a skip
        _leave_unused(benchmark)
        raise
    if isinstance(blocks, str):
        request.node.stash[_WHY_NOT] = blocks
        _leave_unused(benchmark)
        return cast("Row", _NoRow(blocks))
    benchmark.extra_info.update(blocks.extra_info)  # in place: another dict would not be saved
    rounds = iter(blocks.seconds_per_image)
    # A profiler calls it once more than there are rounds.
    benchmark.pedantic(
        lambda: wanted.timer.advance(next(rounds, 0.0)),
        rounds=len(blocks.seconds_per_image),
        iterations=1,
    )
    return blocks.row


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> None:
    """Fail the test whose pipeline has nothing sound to hand over, in place of calling it."""
    if _WHY_NOT in pyfuncitem.stash:
        pytest.fail(pyfuncitem.stash[_WHY_NOT], pytrace=False)


class _NoRow:
    """The place of a row that is missing: whoever reads a field of it fails with the reason."""

    def __init__(self, why: str) -> None:
        self._why = why

    def __getattr__(self, name: str) -> Any:
        pytest.fail(self._why, pytrace=False)


def _leave_unused(benchmark: Any) -> None:
    """Call the benchmark fixture with a function that raises.

    Unused, the fixture would warn; a call that raises is not saved.
    """

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
    module = inspect.getmodule(inner)
    if not inspect.isfunction(inner) or getattr(module, name, None) is not function:
        raise pytest.UsageError(
            f"{item.nodeid}: expected a function at the top of a module, which a trial's process"
            f" can import; found {function!r}"
        )
    assert module is not None
    return name, f"{module.__file__}:{name}"
