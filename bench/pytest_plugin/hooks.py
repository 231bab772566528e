"""Pipelines as benchmarks in your own test suite, with pytest-benchmark.

pytest-benchmark measures tests one after another in one process, which is not a fair comparison. So
one run measures the pipelines of all tests of a folder, in blocks and in processes of its own. The
first test that needs it starts it. Each test passes its pipeline's blocks to pytest-benchmark: in
each round, a timer advances by one block's seconds per image. OPS is then images/s.

pytest imports this module wherever Feedbench is installed. So nothing heavy is imported before a
test asks for the fixture.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, cast

import pytest

from feedbench.bench.pytest_plugin.wanted import (
    WANTED,
    Wanted,
    add_options,
    plugin_options,
    refuse_two_sources,
)
from feedbench.pipelines.errors import FeedbenchError, RequestError

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

    from feedbench.bench.pytest_plugin.runs import Runs
    from feedbench.bench.records.row import Row

_WHY_NOT: pytest.StashKey[str] = pytest.StashKey()
_RUNS: pytest.StashKey[Runs] = pytest.StashKey()
_IS_OURS: pytest.StashKey[bool] = pytest.StashKey()  # a test of the session asks for the fixture


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options. Each is like the option of that name on the command line."""
    group = parser.getgroup("feedbench", "Feedbench: input pipelines as benchmarks")
    add_options(group, plugin_options())


def pytest_configure(config: pytest.Config) -> None:
    """Describe the marker, and refuse options that contradict."""
    try:
        refuse_two_sources(config)
    except RequestError as error:
        raise pytest.UsageError(str(error)) from error
    config.addinivalue_line(
        "markers",
        "feedbench(pipeline, folder=None, label=None): the input pipeline of the test. It is a SPEC"
        " such as 'tfdata_tuned:cache=none', or a function photos(workload). The fixture"
        " `feedbench` is the pipeline's row.",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Read the markers, before another plugin's hook reads those of pytest-benchmark."""
    seen: dict[tuple[PurePath | None, str], str] = {}
    for item in items:
        marker = item.get_closest_marker("feedbench")
        # The mark of a class or a module is also on tests that do not ask for the fixture.
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
            raise _usage_error(
                item,
                f"two pipelines have the name {wanted.label!r}: {spec} and {wanted.spec}",
                hint="give one of them another name with label=",
            )
        theirs = item.get_closest_marker("benchmark")
        options = {**(theirs.kwargs if theirs is not None else {}), "timer": wanted.timer}
        # First, because a marker of the test itself would hide it.
        item.add_marker(pytest.mark.benchmark(**options), append=False)


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_machine_info(
    config: pytest.Config, machine_info: dict[str, Any]
) -> None:
    """Add the packages' versions to what a session with a test of a pipeline saves.

    pytest-benchmark warns if those of another session differ.
    """
    if config.stash.get(_IS_OURS, False):
        from feedbench.bench.pytest_plugin.machine_info import add_packages

        add_packages(machine_info)


@pytest.hookimpl(optionalhook=True, wrapper=True)
def pytest_benchmark_compare_machine_info(
    machine_info: dict[str, Any], compared_benchmark: dict[str, Any]
) -> Generator[None, object, object]:
    """Let pytest-benchmark compare only what is the same in each session on this machine.

    Its own hook warns if the two dicts differ. It compares before the tests are collected, so the
    packages are not in `machine_info` yet.
    """
    from feedbench.bench.pytest_plugin.machine_info import (
        add_packages,
        has_packages,
        without_clock_rates,
    )

    saved = compared_benchmark["machine_info"]
    if not has_packages(saved):
        return (yield)
    kept = dict(machine_info)  # it is compared with each saved session
    add_packages(machine_info)
    for info in (machine_info, saved):
        info.update(without_clock_rates(info))
    try:
        return (yield)
    finally:
        machine_info.clear()
        machine_info.update(kept)


@pytest.fixture(name="feedbench")
def feedbench_(
    request: pytest.FixtureRequest, benchmark: Any, tmp_path_factory: pytest.TempPathFactory
) -> Row:
    """Return the row of the test's pipeline, whose blocks are the rounds of its benchmark.

    The first test that asks starts one run of all pipelines over the same folder. The first of them
    is the baseline. If the pipeline failed or does not do equal work, its test fails without being
    called. pytest-benchmark then gets nothing, because it saves what a failed test has measured.
    If all of its trials were disturbed, the test is skipped. With --feedbench-strict it fails, as
    it does without a verdict.
    """
    wanted = request.node.stash.get(WANTED, None)
    if wanted is None:
        raise _usage_error(
            request.node,
            "the test has no pipeline",
            hint="mark it, such as @pytest.mark.feedbench(pipeline='tfdata_naive')",
        )
    if benchmark.disabled:
        _leave_unused(benchmark)
        pytest.skip("benchmarks are disabled, so no pipeline is measured")
    from feedbench.bench.pytest_plugin.runs import NoResult, Runs

    runs = request.config.stash.setdefault(_RUNS, Runs(request.session, tmp_path_factory))
    try:
        blocks = runs.measured(wanted)
        if blocks.unjudged is not None and not runs.is_strict:
            runs.warn(request.node)
            if isinstance(blocks, NoResult):
                pytest.skip(blocks.why)
    except BaseException:  # Ctrl-C, a skip, or a warning where these are errors
        _leave_unused(benchmark)
        raise
    if isinstance(blocks, NoResult):
        request.node.stash[_WHY_NOT] = blocks.why
        _leave_unused(benchmark)
        return cast("Row", _NoRow(blocks.why))
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
    """Fail a test whose pipeline has no valid result, instead of calling it."""
    if _WHY_NOT in pyfuncitem.stash:
        pytest.fail(pyfuncitem.stash[_WHY_NOT], pytrace=False)


@pytest.hookimpl(wrapper=True, tryfirst=True)  # its line follows those of other plugins
def pytest_terminal_summary(
    terminalreporter: TerminalReporter, config: pytest.Config
) -> Generator[None, object, object]:
    """End the summary with the number of pipelines that could not be judged."""
    try:
        return (yield)
    finally:
        runs = config.stash.get(_RUNS, None)
        if runs is not None and runs.unjudged:
            terminalreporter.write_line(f"feedbench: {runs.unjudged}", yellow=True)


class _NoRow:
    """Stands for a missing row: reading a field of it fails the test with the reason."""

    def __init__(self, why: str) -> None:
        self._why = why

    def __getattr__(self, name: str) -> Any:
        pytest.fail(self._why, pytrace=False)


def _leave_unused(benchmark: Any) -> None:
    """Use the benchmark fixture without a figure: unused, it would warn.

    An enabled one would keep the figures of a failed call. With these alone, pytest-benchmark would
    save a file without benchmarks.
    """
    benchmark.disabled = True
    benchmark.pedantic(lambda: None)


def _wanted(
    item: pytest.Item,
    pipeline: str | Callable[..., Any] = "",
    folder: object = None,
    label: str | None = None,
) -> Wanted:
    """Read a marker. Its folder is relative to the test's file; that of an option, to pytest's."""
    from feedbench.pipelines.catalog import parse

    if not pipeline or not (callable(pipeline) or isinstance(pipeline, str)):
        raise _usage_error(
            item, "expected @pytest.mark.feedbench(pipeline=...) with a SPEC or a function"
        )
    if callable(pipeline):
        name, spec = _of_function(item, pipeline)
    else:
        parsed = parse(pipeline)
        name, spec = parsed.label, parsed.text
    given = item.config.getoption("--feedbench-data")
    photos = None if given is None else _photos(given, Path.cwd())
    if folder is not None:
        photos = _photos(str(folder), item.path.parent)
    wanted = Wanted(label or name, spec, photos)
    if parse(wanted.text).label != wanted.label:
        raise _usage_error(item, f"expected a label without : and =; found {label!r}")
    return wanted


def _photos(text: str, around: Path) -> PurePath:
    """Return the folder of this name, which may be relative to the one around it, or an address."""
    from feedbench.pipelines.remote.address import Address, place

    named = place(text)
    return named if isinstance(named, Address) else around / text


def _of_function(item: pytest.Item, function: Callable[..., Any]) -> tuple[str, str]:
    """Return a function's name and its SPEC. Each trial imports it from its file."""
    inner = inspect.unwrap(function)
    name = getattr(function, "__name__", "")
    module = inspect.getmodule(inner)
    if not inspect.isfunction(inner) or getattr(module, name, None) is not function:
        raise _usage_error(
            item,
            f"expected a function at the top level of a module; found {function!r}",
            hint="move it there, so that the process of a trial can import it",
        )
    assert module is not None
    return name, f"{module.__file__}:{name}"


def _usage_error(item: pytest.Item, sentence: str, hint: str = "") -> pytest.UsageError:
    return pytest.UsageError(str(RequestError(f"{item.nodeid}: {sentence}", hint=hint)))
